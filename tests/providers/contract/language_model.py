"""What every language model must keep to; see ``antiphon_providers.interfaces``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from antiphon_providers.interfaces import LanguageModel, Message, Prompt, Said, Spent, Used

HELLO = Prompt(
    (
        Message(role="system", content="You are a friendly assistant."),
        Message(role="user", content="Hello, who are you?"),
    ),
    conversation="contract",
)


async def replied(model: LanguageModel, prompt: Prompt) -> list[Said | Used | Spent]:
    """All pieces of a reply."""
    return [piece async for piece in model.reply(prompt)]


def text_of(pieces: list[Said | Used | Spent]) -> str:
    """What is said in it."""
    return "".join(piece.text for piece in pieces if isinstance(piece, Said))


class LanguageModelContract:
    """Inherit this in a test class and say how to ``make`` the provider."""

    def make(self) -> LanguageModel:
        """A provider, not yet started."""
        raise NotImplementedError

    @pytest.fixture
    async def model(self) -> AsyncIterator[LanguageModel]:
        """A provider that runs."""
        provider = self.make()
        await provider.start()
        yield provider
        await provider.close()

    async def test_says_something_and_tells_the_cost_last(self, model: LanguageModel) -> None:
        """A reply to a greeting has words; a cost, where one is told, is told once, at the end."""
        pieces = await replied(model, HELLO)
        assert text_of(pieces).strip()
        costs = [number for number, piece in enumerate(pieces) if isinstance(piece, Spent)]
        assert costs in ([], [len(pieces) - 1])

    async def test_answers_without_a_system_prompt_or_a_history(self, model: LanguageModel) -> None:
        """A prompt of one message is enough, and an empty one does no harm."""
        only = Prompt((Message(role="user", content="Hello!"),), conversation="only")
        assert text_of(await replied(model, only)).strip()
        await replied(model, Prompt(()))

    async def test_answers_many_at_once(self, model: LanguageModel) -> None:
        """Replies asked for together all come."""
        replies = await asyncio.gather(*(replied(model, HELLO) for _ in range(4)))
        assert all(text_of(reply).strip() for reply in replies)

    async def test_stops_when_the_iteration_is_cancelled(self, model: LanguageModel) -> None:
        """A cancelled reply is gone, and the next is whole."""
        began = asyncio.Event()

        async def listen() -> None:
            async for _ in model.reply(HELLO):
                began.set()
                await asyncio.Event().wait()

        reply = asyncio.create_task(listen())
        await began.wait()
        reply.cancel()
        with suppress(asyncio.CancelledError):
            await reply
        assert text_of(await replied(model, HELLO)).strip()
