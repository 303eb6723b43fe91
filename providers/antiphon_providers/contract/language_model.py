"""What every language model must keep to; see ``antiphon_providers.interfaces``."""

# ruff: noqa: S101 -- to assert is what a contract does.

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio

from antiphon_providers.contract.promise import (
    LONGEST_BLOCK_MS,
    PATIENCE_S,
    cancel,
    ended,
    nothing_left,
    promised,
)
from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import LanguageModel, Message, Piece, Prompt, Said, Spent

HELLO = Prompt(
    (
        Message(role="system", content="You are a friendly assistant."),
        Message(role="user", content="Hello, who are you?"),
    ),
    conversation="contract",
)


async def replied(model: LanguageModel, prompt: Prompt) -> list[Piece]:
    """All pieces of a reply."""
    return [piece async for piece in model.reply(prompt)]


def text_of(pieces: list[Piece]) -> str:
    """What is said in it."""
    return "".join(piece.text for piece in pieces if isinstance(piece, Said))


class LanguageModelContract:
    """Inherit this in a test class and say how to ``make`` the provider."""

    patience_s = PATIENCE_S
    longest_block_ms = LONGEST_BLOCK_MS

    def make(self) -> LanguageModel:
        """A provider, not yet started."""
        raise NotImplementedError

    def make_unreachable(self) -> LanguageModel | None:
        """The same, whose service is not there; None for one that needs no service."""
        return None

    @pytest_asyncio.fixture(loop_scope="function")
    async def model(self) -> AsyncIterator[LanguageModel]:
        """A provider that runs."""
        provider = self.make()
        await provider.start()
        yield provider
        await provider.close()

    @promised
    async def test_says_something_and_tells_the_cost_last(self, model: LanguageModel) -> None:
        """A reply to a greeting has words; a cost, where one is told, is told once, at the end."""
        pieces = await replied(model, HELLO)
        assert text_of(pieces).strip()
        costs = [number for number, piece in enumerate(pieces) if isinstance(piece, Spent)]
        assert costs in ([], [len(pieces) - 1])

    @promised
    async def test_answers_without_a_system_prompt_or_a_history(self, model: LanguageModel) -> None:
        """A prompt of one message is enough; an empty one is answered or refused, and no harm."""
        only = Prompt((Message(role="user", content="Hello!"),), conversation="only")
        assert text_of(await replied(model, only)).strip()
        with suppress(ProviderError):
            await replied(model, Prompt(()))
        assert text_of(await replied(model, only)).strip()

    @promised
    async def test_answers_many_at_once(self, model: LanguageModel) -> None:
        """Replies asked for together all come."""
        replies = await asyncio.gather(*(replied(model, HELLO) for _ in range(4)))
        assert all(text_of(reply).strip() for reply in replies)

    @promised
    async def test_stops_when_the_iteration_is_cancelled(self, model: LanguageModel) -> None:
        """A cancelled reply is gone, and the next is whole."""
        began = asyncio.Event()

        reply = asyncio.create_task(_followed(model, began, hold=True))
        await began.wait()
        await cancel(reply)
        assert text_of(await replied(model, HELLO)).strip()

    @promised
    async def test_lets_go_where_it_waits(self, model: LanguageModel) -> None:
        """Cancelled in the middle of the iteration it ends at once, whatever it was doing."""
        began = asyncio.Event()
        reply = asyncio.create_task(_followed(model, began))
        await began.wait()
        await cancel(reply)
        assert text_of(await replied(model, HELLO)).strip()

    @promised
    async def test_ends_its_replies_when_it_closes(self) -> None:
        """A reply under way ends, with or without a typed error; no work goes on."""
        before = asyncio.all_tasks()
        provider = self.make()
        await provider.start()
        began = asyncio.Event()
        reply = asyncio.create_task(_followed(provider, began))
        await began.wait()
        await provider.close()
        await ended(reply)
        await nothing_left(before)

    @promised
    async def test_fails_with_a_typed_error_where_its_service_is_gone(self) -> None:
        """At the start or at the reply: one of ``antiphon_providers.errors``, no library's own."""
        provider = self.make_unreachable()
        if provider is None:
            return
        with pytest.raises(ProviderError):
            await _used(provider)
        await provider.close()


async def _followed(model: LanguageModel, began: asyncio.Event, *, hold: bool = False) -> None:
    """Takes a reply piece by piece; ``began`` when there is one, or an end. With ``hold`` it
    never asks for the second.
    """
    try:
        async for _ in model.reply(HELLO):
            began.set()
            if hold:
                await asyncio.Event().wait()
    finally:
        began.set()


async def _used(model: LanguageModel) -> None:
    """Starts it and asks it once."""
    await model.start()
    await replied(model, HELLO)
