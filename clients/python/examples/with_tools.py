"""An agent that looks things up in your program.

python with_tools.py [URL]
"""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import antiphon

ORDERS = {"7": "on its way", "8": "delivered"}

tools = antiphon.Tools()


@tools
async def order_status(number: Annotated[str, "The order's number, digits only."]) -> str:
    """How far an order has come."""
    if number not in ORDERS:
        raise antiphon.ToolFailed(f"There is no order {number}; ask for the number again.")
    return ORDERS[number]


async def main(url: str) -> None:
    """The agent is asked about order 7 and answers after it has called the tool."""
    async with antiphon.connect(url, system_prompt="You track orders.", tools=tools) as call:
        await call.add_message("user", "Where is my order number 7?")
        await call.create_reply()
        async for event in call:
            if isinstance(event, antiphon.ToolCall):
                print("tool: ", event.name, event.arguments)
            elif isinstance(event, antiphon.AgentTranscript):
                print("agent:", event.text)
                break


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8400"))
