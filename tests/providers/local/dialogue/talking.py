"""A caller for the tests: says lines to the agent and keeps the history as the server would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from antiphon_providers.interfaces import Message, Prompt, Said, Spent, ToolSpec, ToolUse, Used
from antiphon_providers.local.dialogue import Dialogue

NOW = datetime(2026, 11, 22, 15, 5)  # noqa: DTZ001  The agent speaks of local time only.
"""A Sunday afternoon."""

HOTEL = """You are Ada, the receptionist of Blue Door Hotel. Always be polite. Keep answers short.
We are open every day from 7 in the morning to 11 at night.
Breakfast is served from 7 to 10 and costs 12 euros. Dogs are welcome but cats are not.
The hotel is located at 12 Harbour Street, next to the old library.
- Parking is free for guests.
Check-in starts at 3 PM. If the caller is rude, stay calm."""


def tool(name: str, description: str = "", /, **properties: Any) -> ToolSpec:
    """A tool whose properties are all required."""
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return ToolSpec(name, description, parameters)


WEATHER = tool(
    "get_weather",
    "Get the current weather for a city",
    city={"type": "string", "description": "The city to look up"},
)
BOOK = tool(
    "book_table",
    "Book a table at the restaurant",
    people={"type": "integer", "minimum": 1, "maximum": 10, "description": "Number of people"},
    date={"type": "string", "format": "date"},
    time={"type": "string", "format": "time"},
    name={"type": "string", "description": "Name for the booking"},
)
ORDER_ID = {"type": "string", "description": "The order number", "pattern": "[A-Z]{2}\\d{4}"}
STATUS = tool("order_status", "Looks up the status of an order.", order_id=ORDER_ID)
CANCEL = tool("cancel_order", "Cancels an order.", order_id=ORDER_ID)
END = ToolSpec("end_call", "End the call when the caller says goodbye", {})
HUMAN = tool("transfer_to_human", "Transfer the caller to a human agent")
LIGHT = tool(
    "set_light",
    "Turn a light on or off",
    room={"type": "string", "enum": ["kitchen", "living_room", "bedroom"]},
    on={"type": "boolean"},
)
SEARCH = tool("search", "Search the knowledge base", query={"type": "string"})
PIZZA = tool(
    "order_pizza",
    "Order a pizza",
    size={"enum": ["small", "medium", "large"]},
    toppings={"type": "array", "items": {"enum": ["cheese", "ham", "olives"]}, "minItems": 1},
    address={
        "type": "object",
        "properties": {
            "street": {"type": "string"},
            "zip_code": {"type": "string", "pattern": "\\d{5}"},
        },
        "required": ["street", "zip_code"],
    },
    email={"type": "string", "format": "email"},
    gift={"type": "boolean", "description": "Whether it is a gift"},
)


class Heard:
    """One reply: its text, its tool calls and its cost."""

    def __init__(self, parts: Sequence[Said | Used | Spent]) -> None:
        self.text = "".join(part.text for part in parts if isinstance(part, Said))
        self.uses = tuple(part.use for part in parts if isinstance(part, Used))
        self.spent = [part for part in parts if isinstance(part, Spent)]


async def replied(prompt: Prompt) -> Heard:
    """The whole reply to a prompt."""
    agent = Dialogue(clock=lambda: NOW)
    return Heard([part async for part in agent.reply(prompt)])


class Caller:
    """A call: what is said goes into the history, tools are answered from ``results``."""

    def __init__(
        self,
        rules: str = "",
        tools: Sequence[ToolSpec] = (),
        results: Mapping[str, str] | None = None,
    ) -> None:
        self.messages = [Message(role="system", content=rules)] if rules else []
        self.tools = tuple(tools)
        self.results = results or {}
        self.used: list[ToolUse] = []

    async def says(self, text: str) -> str:
        """Says a line; answers with all that the agent says, tool results included."""
        self.messages.append(Message(role="user", content=text))
        return await self.listens()

    async def listens(self, instruction: str | None = None) -> str:
        """What the agent says next, by itself or because of an instruction."""
        extra = () if instruction is None else (Message(role="system", content=instruction),)
        heard = await replied(Prompt((*self.messages, *extra), self.tools, "call"))
        self.messages.append(Message(role="assistant", content=heard.text, tool_uses=heard.uses))
        self.used += heard.uses
        if not heard.uses:
            return heard.text
        for use in heard.uses:
            result = self.results.get(use.name, '{"ok": true}')
            self.messages.append(Message(role="tool", content=result, call_id=use.call_id))
        return f"{heard.text}{await self.listens()}"
