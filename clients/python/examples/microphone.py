"""A conversation through this machine's microphone and speaker, with barge-in.

pip install 'antiphon[mic]'
python microphone.py [URL]
"""

from __future__ import annotations

import asyncio
import sys

import antiphon
from antiphon.sound_device import SoundLibrary


async def main(url: str, library: SoundLibrary | None = None) -> None:
    """Talks until the session ends; ``library`` stands in for sounddevice."""
    playback = antiphon.Playback()
    async with (
        antiphon.connect(url, system_prompt="Be brief.", greeting="Hello!") as call,
        antiphon.Microphone(library=library) as microphone,
        antiphon.Speaker(playback, library=library),
        asyncio.TaskGroup() as group,
    ):

        async def send() -> None:
            async for frame in microphone:
                await call.send_audio(frame)

        sending = group.create_task(send())
        async for event in call:
            # Plays what comes, and drops what is left of it when the user cuts in.
            playback.hear(event)
            if isinstance(event, antiphon.UserTranscript | antiphon.AgentTranscript):
                print(event.text)
        sending.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8400"))
