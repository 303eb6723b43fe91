"""Asks the agent to speak and prints what it says: the smallest call.

python ask.py [URL]
"""

from __future__ import annotations

import asyncio
import os
import sys

import antiphon


async def main(url: str) -> None:
    """One reply, without a microphone."""
    key = os.environ.get("ANTIPHON_API_KEY")
    async with antiphon.connect(url, key, system_prompt="You are a concierge.") as call:
        await call.create_reply("Greet the guest and ask what you can do for them.")
        async for event in call:
            if isinstance(event, antiphon.AgentTranscript):
                print(event.text)
            elif isinstance(event, antiphon.ReplyDone):
                break


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8400"))
