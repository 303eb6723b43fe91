"""The provider: a prompt in, words and tool calls out, streamed as a language model would."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from antiphon_providers.interfaces import Message, Prompt, Said, Spent, Used
from antiphon_providers.local.dialogue.conversation import conversation_of
from antiphon_providers.local.dialogue.skills import answered


class DialogueOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """What can be set about the agent."""

    token_delay_ms: Annotated[
        int,
        Meta(ge=0, le=1_000, description="Milliseconds before each word, as a slower model has."),
    ] = 0
    name: Annotated[str, Meta(description="The provider's name in logs and metrics.")] = "dialogue"


def _local_time() -> datetime:
    return datetime.now().astimezone()


class Dialogue:
    """A language model by its interface, a program of rules by its nature.

    ``clock`` tells the caller's local time, with which dates are understood.
    """

    Options = DialogueOptions

    def __init__(
        self, options: DialogueOptions | None = None, *, clock: Callable[[], datetime] = _local_time
    ) -> None:
        self._options = options or DialogueOptions()
        self._clock = clock

    @property
    def name(self) -> str:
        """As in settings, logs and metric labels."""
        return self._options.name

    async def start(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """There is nothing to release."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Said | Used | Spent, None]:
        """The reply word by word, each with the space before it, tool calls last.

        All of it follows from the prompt and the clock; only call identifiers are random.
        """
        answer = answered(conversation_of(prompt, self._clock()))
        tokens = re.findall(r"\s*\S+", answer.text)
        for token in tokens:
            await asyncio.sleep(self._options.token_delay_ms / 1000)
            yield Said(token)
        for use in answer.uses:
            await asyncio.sleep(0)
            yield Used(use)
        spent = sum(_words(message) for message in prompt.messages)
        yield Spent(spent, len(tokens) + sum(1 + len(use.arguments) for use in answer.uses))


def _words(message: Message) -> int:
    """A rough count of a message's tokens: its words."""
    return len(message.content.split()) + sum(1 + len(use.arguments) for use in message.tool_uses)
