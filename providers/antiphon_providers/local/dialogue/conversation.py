"""What the agent knows when it is asked for a reply: all of it read from the prompt.

Nothing is kept between replies. The server cuts the history to what the caller heard and may
move a call to another process, so names, facts and half-answered questions are found again in
the messages each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct

from antiphon_providers.interfaces import Message, Prompt, ToolSpec, ToolUse
from antiphon_providers.local.dialogue.words import clean, plain

LONGEST_HISTORY = 120
"""Messages that are read, newest first; more is an hour of talk."""
LONGEST_RULES = 12_000
MOST_TOOLS = 32


class Answer(Struct, frozen=True):
    """What a skill wants said, and the tools it wants called."""

    text: str = ""
    uses: tuple[ToolUse, ...] = ()


class Conversation(Struct, frozen=True):
    """One prompt, sorted.

    ``rules`` is the system prompt, ``notes`` are system messages that came later,
    ``instruction`` is the one this reply was asked for with, ``turns`` are the rest in order.
    ``seed`` decides what is left to chance, so that the same prompt has the same reply.
    """

    rules: str
    notes: tuple[str, ...]
    instruction: str | None
    turns: tuple[Message, ...]
    tools: tuple[ToolSpec, ...]
    now: datetime
    seed: str

    @property
    def utterance(self) -> str | None:
        """What the caller said and nobody answered yet; None where it is not their turn."""
        if self.turns and self.turns[-1].role == "user":
            return clean(self.turns[-1].content)
        return None

    @property
    def heard(self) -> tuple[str, ...]:
        """All that the caller said, in order."""
        return tuple(clean(turn.content) for turn in self.turns if turn.role == "user")

    @property
    def last_said(self) -> str:
        """What the agent said last, as far as it was heard."""
        return next(
            (clean(t.content) for t in reversed(self.turns) if t.role == "assistant" and t.content),
            "",
        )

    @property
    def results(self) -> tuple[Message, ...]:
        """The tool results that nothing was said about yet."""
        count = 0
        while count < len(self.turns) and self.turns[-1 - count].role == "tool":
            count += 1
        return self.turns[len(self.turns) - count :]


Skill = Callable[[Conversation], Answer | None]
"""Something the agent can do: None where the conversation does not ask for it."""


def conversation_of(prompt: Prompt, now: datetime) -> Conversation:
    """The prompt, sorted and bounded."""
    messages = prompt.messages
    rules = ""
    if messages and messages[0].role == "system":
        rules, messages = messages[0].content[:LONGEST_RULES], messages[1:]
    messages = messages[-LONGEST_HISTORY:]
    instruction = None
    if messages and messages[-1].role == "system":
        instruction, messages = messages[-1].content[:LONGEST_RULES], messages[:-1]
    return Conversation(
        rules=rules,
        notes=tuple(clean(m.content) for m in messages if m.role == "system"),
        instruction=instruction,
        turns=tuple(m for m in messages if m.role != "system"),
        tools=_distinct(prompt.tools),
        now=now,
        seed=f"{prompt.conversation}/{len(prompt.messages)}",
    )


def _distinct(tools: Sequence[ToolSpec]) -> tuple[ToolSpec, ...]:
    """The tools by name: of two with one name the first, for the server cannot tell them apart."""
    by_name: dict[str, ToolSpec] = {}
    for tool in tools:
        by_name.setdefault(tool.name, tool)
    return tuple(by_name.values())[:MOST_TOOLS]


def varied(conversation: Conversation, wordings: Sequence[str]) -> str:
    """One of the wordings, another with each turn, and not what was said last."""
    start = len(conversation.heard)
    said = plain(conversation.last_said)
    turned = [wordings[(start + i) % len(wordings)] for i in range(len(wordings))]
    return next((one for one in turned if plain(one) != said), turned[0])
