"""A language model that says what it is told to."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Annotated, Any

from msgspec import Meta, Struct

from antiphon_providers.interfaces import Piece, Prompt, Said, Spent, ToolUse, Used
from antiphon_providers.options import json_object
from antiphon_providers.scripted.desk import Closed, Desk, Fault

_REMEMBERED_PROMPTS = 100
"""Enough for a test to look at, and little enough for a load test to hold."""

_TOKEN = re.compile(r"\s*\S+\s*$|\s*\S+")


class LanguageModelScript(Struct, frozen=True, forbid_unknown_fields=True):
    """How the scripted language model behaves."""

    replies: Annotated[
        str, Meta(description="Replies in turn, separated by |, over and over; empty: an echo.")
    ] = ""
    first_token_ms: Annotated[float, Meta(ge=0, description="Milliseconds to the first.")] = 0
    per_token_ms: Annotated[float, Meta(ge=0, description="Milliseconds between words.")] = 0
    tool: Annotated[
        str, Meta(description="Tool called when the user spoke last and the prompt offers it.")
    ] = ""
    tool_arguments: Annotated[str, Meta(description="JSON object given to the tool.")] = "{}"
    fault: Annotated[str, Meta(description="See `Fault.parse`; counts pieces.")] = ""

    def __post_init__(self) -> None:
        Fault.parse(self.fault)
        self.arguments()

    def arguments(self) -> dict[str, Any]:
        """The tool's arguments. Raises ``ValueError``."""
        return json_object(self.tool_arguments)


class ScriptedLanguageModel:
    """Replies from a list, or echoes: "You said: ..." with the user's last words.

    ``answer`` in the constructor replaces both: from the prompt to the reply's pieces, which
    are given as they are (``said`` cuts a text into words). Without it a ``Spent`` ends each
    reply, counting words. The prompts of the last replies are in ``prompts``.
    """

    Options = LanguageModelScript
    name = "scripted"

    def __init__(
        self,
        options: LanguageModelScript | None = None,
        *,
        answer: Callable[[Prompt], Iterable[Piece]] | None = None,
    ) -> None:
        self.options = options or LanguageModelScript()
        self.desk = Desk(self.name, Fault.parse(self.options.fault))
        self.prompts: deque[Prompt] = deque(maxlen=_REMEMBERED_PROMPTS)
        self._answer = answer or self._told
        self._replies = [reply.strip() for reply in self.options.replies.split("|")]
        self._replied = 0
        self._called = 0

    async def start(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """Running replies end."""
        self.desk.shut()

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """The pieces, each when it is due; a consumer that lags gets what is overdue at once."""
        due = asyncio.get_running_loop().time() + self.options.first_token_ms / 1000
        with self.desk.stream() as stream:
            self.prompts.append(prompt)
            try:
                await stream.open()
                for piece in () if stream.empty else self._answer(prompt):
                    await stream.result(due)
                    yield piece
                    due += self.options.per_token_ms / 1000
                # An empty answer takes its time too, and a fault may come after the last piece.
                await stream.result(due if stream.results == 0 else 0)
            except Closed:
                return

    def _told(self, prompt: Prompt) -> list[Piece]:
        use = self._tool_use(prompt)
        pieces: list[Piece] = [Used(use)] if use else list(said(self._text(prompt)))
        told = sum(len(message.content.split()) for message in prompt.messages)
        return [*pieces, Spent(told, len(pieces))]

    def _tool_use(self, prompt: Prompt) -> ToolUse | None:
        offered = any(tool.name == self.options.tool for tool in prompt.tools)
        conversation = [message for message in prompt.messages if message.role != "system"]
        if not offered or not conversation or conversation[-1].role != "user":
            return None
        self._called += 1
        return ToolUse(f"call_{self._called}", self.options.tool, self.options.arguments())

    def _text(self, prompt: Prompt) -> str:
        if self.options.replies:
            text = self._replies[self._replied % len(self._replies)]
            self._replied += 1
            return text
        conversation = [message for message in prompt.messages if message.role != "system"]
        if not conversation:
            return "Hello."
        last = conversation[-1]
        if last.role == "tool":
            return f"The tool says: {last.content}"
        words = next((m.content for m in reversed(conversation) if m.role == "user"), "")
        return f"You said: {words}" if words else "You said nothing."


def said(text: str) -> list[Said]:
    """A text word by word, white space kept, as models stream it."""
    return [Said(token) for token in _TOKEN.findall(text)]
