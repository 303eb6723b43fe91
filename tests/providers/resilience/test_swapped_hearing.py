"""A call's recogniser is changed between two segments."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon_providers.errors import ProviderError, Unavailable
from antiphon_providers.resilience.swap import SwappableSpeechToText
from antiphon_providers.scripted import Fault
from providers.resilience.hearing_calls import OPTIONS, call, finals, hears, said, say, segment
from virtual_time import in_virtual_time, run


@in_virtual_time
async def test_a_call_moves_when_nothing_is_pending() -> None:
    """The segment that is being spoken is ended by the old recogniser; then that is left."""
    old, new = hears(final_ms=500), hears()
    recogniser = SwappableSpeechToText(old)
    texts: list[str] = []
    async with recogniser.open(OPTIONS) as stream:
        listening = asyncio.create_task(finals(stream, texts))
        stream.feed(segment(0)[:4000])
        await recogniser.swap(new)
        stream.feed(segment(0)[4000:])
        await asyncio.sleep(1)
        assert (old.desk.active, new.desk.active) == (1, 1)
        stream.flush()
        await asyncio.sleep(0.4)
        assert old.desk.active == 1
        await asyncio.sleep(0.2)
        assert (old.desk.active, new.desk.active) == (0, 1)
        await say(stream, 1, 1)
    await listening
    assert texts == said(0, 1)
    assert list(new.asked) == [OPTIONS]


@in_virtual_time
async def test_a_silent_call_moves_at_once() -> None:
    """As soon as the new recogniser is open."""
    old, new = hears(), hears()
    recogniser = SwappableSpeechToText(old)
    async with recogniser.open(OPTIONS) as stream:
        await recogniser.swap(new)
        await asyncio.sleep(0.01)
        assert (old.desk.active, new.desk.active) == (0, 1)
        texts: list[str] = []
        listening = asyncio.create_task(finals(stream, texts))
        await say(stream, 0, 1)
    await listening
    assert texts == said(0)


@in_virtual_time
async def test_the_new_one_hears_again_what_the_old_one_lost() -> None:
    """Where that broke off in the middle of the segment."""
    old, new = hears("unavailable"), hears()
    recogniser = SwappableSpeechToText(old)
    texts: list[str] = []
    async with recogniser.open(OPTIONS) as stream:
        listening = asyncio.create_task(finals(stream, texts))
        stream.feed(segment(0))
        await recogniser.swap(new)
        stream.flush()
        await asyncio.sleep(1)
    await listening
    assert texts == said(0)


@in_virtual_time
async def test_a_new_one_that_does_not_open_is_tried_again() -> None:
    """The old one goes on until it does."""
    old, new = hears(), hears()
    new.desk.fault = Fault("unavailable", after=-1, times=2)
    recogniser = SwappableSpeechToText(old)
    texts: list[str] = []
    async with recogniser.open(OPTIONS) as stream:
        listening = asyncio.create_task(finals(stream, texts))
        await recogniser.swap(new)
        for number in range(4):
            await say(stream, number, 1)
    await listening
    assert texts == said(0, 1, 2, 3)
    assert (new.desk.opened, old.desk.opened) == (3, 1)


@in_virtual_time
async def test_the_last_of_several_swaps_counts() -> None:
    """The one in between is opened in vain."""
    old, between, new = hears(), hears(), hears()
    recogniser = SwappableSpeechToText(old)
    async with recogniser.open(OPTIONS) as stream:
        stream.feed(segment(0))
        await recogniser.swap(between)
        await recogniser.swap(new)
        stream.flush()
        await asyncio.sleep(1)
        assert (old.desk.active, between.desk.active, new.desk.active) == (0, 0, 1)


@in_virtual_time
async def test_what_breaks_off_without_a_swap_is_told() -> None:
    """At open and later: to go on is not its task."""
    for fault in ("unavailable at open", "unavailable"):
        with pytest.raises(Unavailable):
            await call(SwappableSpeechToText(hears(fault)), 1)


@in_virtual_time
async def test_both_failing_is_told() -> None:
    """The old one while the new one is opening, which it never will."""
    old, new = hears("malformed"), hears("unavailable")
    recogniser = SwappableSpeechToText(old)
    async with recogniser.open(OPTIONS) as stream:
        stream.feed(segment(0))
        await recogniser.swap(new)
        stream.flush()
        with pytest.raises(ProviderError):
            await finals(stream, [])
    assert old.desk.active == new.desk.active == 0


@given(
    swaps=st.lists(st.floats(0, 8), max_size=5),
    count=st.integers(1, 5),
    pause_s=st.sampled_from([0.0, 0.1, 1.0]),
    final_ms=st.sampled_from([0, 150, 700]),
)
@settings(max_examples=60, deadline=None)
def test_no_swap_costs_a_word(
    swaps: list[float], count: int, pause_s: float, final_ms: int
) -> None:
    """Whenever it comes, and however many do."""

    async def every() -> None:
        recognisers = [hears(final_ms=final_ms) for _ in range(len(swaps) + 1)]
        recogniser = SwappableSpeechToText(recognisers[0])

        async def swapping() -> None:
            for after_s, new in zip(swaps, recognisers[1:], strict=True):
                await asyncio.sleep(after_s)
                await recogniser.swap(new)

        changing = asyncio.create_task(swapping())
        assert await call(recogniser, count, pause_s) == said(*range(count))
        await changing
        assert all(one.desk.active == 0 for one in recognisers)

    run(every())
