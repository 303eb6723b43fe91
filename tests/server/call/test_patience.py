"""How long a model's words are waited for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from antiphon_server.call.patience import (
    BEGIN_SECONDS,
    FIRST_TOKEN_SECONDS,
    HURRY_SECONDS,
    LATE_SECONDS,
    PROGRESS_SECONDS,
    REPLY_SECONDS,
    SILENT_SECONDS,
    SLOW_SECONDS,
    Patience,
)
from virtual_time import in_virtual_time


class Wait:
    """One wait, and what came of it, in seconds since the model was asked."""

    def __init__(self) -> None:
        self.hurried: list[float] = []
        self.ended = 0.0
        self.expired = False
        self._began = asyncio.get_running_loop().time()
        self.patience = Patience(lambda: self.hurried.append(self.now()))

    def now(self) -> float:
        """Seconds."""
        return asyncio.get_running_loop().time() - self._began


@asynccontextmanager
async def waiting() -> AsyncIterator[Wait]:
    """A model was just asked."""
    wait = Wait()
    try:
        async with wait.patience.deadline:
            wait.patience.ask()
            yield wait
    except TimeoutError:
        wait.expired = True
    finally:
        wait.patience.end()
        wait.ended = wait.now()


@in_virtual_time
async def test_nothing_at_all_is_waited_for_ten_seconds() -> None:
    """Though something comes that is no word."""
    async with waiting() as wait:
        await asyncio.sleep(6)
        wait.patience.progress()
        await asyncio.Event().wait()
    assert wait.ended == pytest.approx(FIRST_TOKEN_SECONDS)
    assert wait.hurried == []


@pytest.mark.parametrize(
    ("first_s", "hurried_s", "ended_s"),
    [
        (0.5, 0.5 + SLOW_SECONDS, BEGIN_SECONDS),
        (5.0, BEGIN_SECONDS - HURRY_SECONDS, BEGIN_SECONDS),
        (9.0, 9.0 + LATE_SECONDS - HURRY_SECONDS, 9.0 + LATE_SECONDS),
    ],
)
@in_virtual_time
async def test_a_first_word_must_be_followed_by_something_to_speak(
    first_s: float, hurried_s: float, ended_s: float
) -> None:
    """What there is is asked for before the model is given up, however many words come."""
    async with waiting() as wait:
        await asyncio.sleep(first_s)
        wait.patience.begin()
        while True:
            await asyncio.sleep(0.1)
            wait.patience.progress()
            wait.patience.begin()
    assert wait.expired
    assert wait.hurried == [pytest.approx(hurried_s)]
    assert wait.ended == pytest.approx(ended_s)


@in_virtual_time
async def test_what_was_asked_for_in_vain_is_wanted_as_soon_as_it_comes() -> None:
    """Until it does."""
    async with waiting() as wait:
        wait.patience.begin()
        await asyncio.sleep(SLOW_SECONDS - 0.1)
        assert not wait.patience.is_over
        await asyncio.sleep(0.2)
        assert wait.patience.is_over
        wait.patience.speak()
        assert not wait.patience.is_over
    assert not wait.expired


@in_virtual_time
async def test_each_piece_gives_time_for_the_next() -> None:
    """Eight seconds, and after the last token ten."""
    async with waiting() as wait:
        wait.patience.begin()
        wait.patience.speak()
        await asyncio.sleep(5)
        wait.patience.progress()
        wait.patience.speak()
        await asyncio.Event().wait()
    assert wait.hurried == [pytest.approx(5 + SILENT_SECONDS)]
    assert wait.ended == pytest.approx(5 + PROGRESS_SECONDS)


@in_virtual_time
async def test_a_reply_without_an_end_is_cut_after_a_minute() -> None:
    """However it goes on."""
    async with waiting() as wait:
        while True:
            await asyncio.sleep(1)
            wait.patience.progress()
            wait.patience.speak()
    assert wait.ended == pytest.approx(REPLY_SECONDS)


@in_virtual_time
async def test_nothing_is_asked_for_after_the_end() -> None:
    """Nor does a piece that comes too late disturb anybody."""
    async with waiting() as wait:
        wait.patience.begin()
    await asyncio.sleep(BEGIN_SECONDS)
    assert wait.hurried == []
    wait.patience.speak()
    wait.patience.end()
