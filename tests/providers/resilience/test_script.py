"""Sentences are taken from their writer once, for several readers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from antiphon_providers.resilience.script import Script
from virtual_time import in_virtual_time


class Writer:
    """Writes a sentence a second, and counts them."""

    def __init__(self, *sentences: str, failure: Exception | None = None) -> None:
        self.written = 0
        self.closed = False
        self._sentences = sentences
        self._failure = failure

    async def __aiter__(self) -> AsyncIterator[str]:
        """The sentences, then the failure if there is one."""
        try:
            for sentence in self._sentences:
                await asyncio.sleep(1)
                self.written += 1
                yield sentence
            if self._failure is not None:
                raise self._failure
        finally:
            self.closed = True


@in_virtual_time
async def test_sentences_come_by_number_as_often_as_they_are_wanted() -> None:
    """The writer writes each once, and only when it is wanted."""
    writer = Writer("one", "two")
    script = Script(aiter(writer))
    assert (await script.get(0), await script.get(0), writer.written) == ("one", "one", 1)
    assert [await script.get(number) for number in (1, 2, 3, 0)] == ["two", None, None, "one"]
    await script.close()


@in_virtual_time
async def test_a_reader_that_is_cancelled_does_not_stop_the_writer() -> None:
    """The next reader gets what the first waited for."""
    writer = Writer("one")
    script = Script(aiter(writer))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await script.get(0)
    assert await script.get(0) == "one"
    assert asyncio.get_running_loop().time() == pytest.approx(1)


@in_virtual_time
async def test_what_the_writer_raises_is_raised_to_each_reader() -> None:
    """After the sentences that were written."""
    failure = LookupError()
    script = Script(aiter(Writer("one", failure=failure)))
    assert await script.get(0) == "one"
    for _ in range(2):
        with pytest.raises(LookupError):
            await script.get(1)
    assert script.failure is failure


@in_virtual_time
async def test_closing_it_stops_the_writer() -> None:
    """In the middle of a sentence, or before the first."""
    writer = Writer("one", "two")
    script = Script(aiter(writer))
    waiting = asyncio.create_task(script.get(0))
    await asyncio.sleep(0.1)
    await script.close()
    assert writer.closed
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await Script(aiter(Writer("one"))).close()
