"""One call is heard to its end, whoever hears it."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon_providers.interfaces import HearingOptions, SpeechStream
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.scripted import Fault
from providers.resilience.hearing_calls import (
    OPTIONS,
    call,
    finals,
    hears,
    resilient,
    said,
    say,
    segment,
)
from providers.resilience.witness import Witness, now
from virtual_time import in_virtual_time, run


@pytest.mark.parametrize("warm", [False, True])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("unavailable at open", "provider_unavailable"),
        ("stall at open", "provider_timeout"),
        ("malformed", "provider_malformed"),
        ("unavailable after 1", "provider_unavailable"),
        ("stall after 1", "provider_timeout"),
        ("refused after 2", "provider_refused"),
    ],
)
@in_virtual_time
async def test_a_failure_costs_no_word(fault: str, code: str, warm: bool) -> None:
    """The next candidate hears what was not answered, and is told the same options."""
    first, second, witness = hears(fault), hears(), Witness()
    policy = Policy(warm_standby=warm)
    recogniser = resilient(first, second, policy=policy, witness=witness)
    assert await call(recogniser, 4) == said(0, 1, 2, 3)
    assert witness.failures[0] == ("a", code)
    assert ("a", "b", code) in witness.switches
    assert set(second.asked) == {OPTIONS}
    assert first.desk.active == second.desk.active == 0


@in_virtual_time
async def test_a_stalled_stream_is_replaced_within_its_deadline() -> None:
    """The answer comes a second after the flush, and the standby's own time."""
    recogniser = resilient(hears("stall"), hears(final_ms=200))
    async with recogniser.open(HearingOptions(partials=False)) as stream:
        await say(stream, 0)
        asked = now()
        assert (await anext(aiter(stream))).flushed
        assert now() - asked == pytest.approx(1.2, abs=0.05)


@in_virtual_time
async def test_silence_is_no_failure() -> None:
    """Nor is speech without a partial result: nothing was asked."""
    witness = Witness()
    recogniser = resilient(hears(partial_every_ms=0), hears(), witness=witness)
    async with recogniser.open(OPTIONS) as stream:
        await asyncio.sleep(600)
        for _ in range(200):
            stream.feed(segment(1)[:1920])
            await asyncio.sleep(0.06)
    assert witness.failures == []


@in_virtual_time
async def test_several_flushes_that_wait_are_all_asked_again() -> None:
    """In order, each answered once, though the standby answers all at once."""
    recogniser = resilient(hears("stall"), hears())
    texts: list[str] = []
    async with recogniser.open(OPTIONS) as stream:
        listening = asyncio.create_task(finals(stream, texts))
        for number in range(3):
            stream.feed(segment(number))
            stream.flush()
        stream.feed(segment(3)[:1000])
        await asyncio.sleep(2)
        stream.feed(segment(3)[1000:])
        stream.flush()
        await asyncio.sleep(2)
    await listening
    assert texts == said(0, 1, 2, 3)


@in_virtual_time
async def test_a_call_goes_back_to_whom_it_prefers_between_two_segments() -> None:
    """After the cooldown, and not while somebody speaks."""
    first, second, witness = hears(), hears(), Witness()
    first.desk.fault = Fault("stall", after=0, times=1)
    recogniser = resilient(first, second, witness=witness)
    assert await call(recogniser, 6, pause_s=3.0) == said(0, 1, 2, 3, 4, 5)
    assert witness.switches == [("a", "b", "provider_timeout"), ("b", "a", "recovered")]
    assert (first.desk.opened, second.desk.opened) == (2, 1)


@in_virtual_time
async def test_a_standby_that_is_open_does_not_keep_a_call_from_whom_it_prefers() -> None:
    """It is closed, and opened again behind the preferred one."""
    first, witness = hears(), Witness()
    first.desk.fault = Fault("stall", after=0, times=1)
    policy = Policy(warm_standby=True)
    recogniser = resilient(first, hears(), hears(), policy=policy, witness=witness)
    assert await call(recogniser, 6, pause_s=3.0) == said(0, 1, 2, 3, 4, 5)
    assert witness.switches == [("a", "b", "provider_timeout"), ("b", "a", "recovered")]


@in_virtual_time
async def test_a_warm_standby_is_open_before_it_is_needed() -> None:
    """And without the setting there is none."""
    for warm, opened in ((True, 1), (False, 0)):
        second = hears()
        recogniser = resilient(hears(), second, policy=Policy(warm_standby=warm))
        async with recogniser.open(OPTIONS):
            await asyncio.sleep(1)
            assert second.desk.active == opened
        assert second.desk.active == 0


@in_virtual_time
async def test_one_that_worked_is_opened_again_when_there_is_no_other() -> None:
    """A stream that breaks off after an answer costs no word even then."""
    alone = hears()
    alone.desk.fault = Fault("unavailable", after=1, times=1)
    assert await call(resilient(alone), 3) == said(0, 1, 2)
    assert alone.desk.opened == 2


@in_virtual_time
async def test_another_hears_what_one_heard_nothing_in() -> None:
    """A vendor that is gone may look like that; two that agree are believed, and a short noise
    is not worth the question.
    """
    for second, words in ((hears(), True), (hears("empty"), False)):
        witness, texts = Witness(), list[str]()
        recogniser = resilient(hears("empty"), second, witness=witness)
        async with recogniser.open(OPTIONS) as stream:
            listening = asyncio.create_task(finals(stream, texts))
            for pcm in (segment(10) * 4, segment(11) * 4):
                stream.feed(pcm)
                stream.flush()
                await asyncio.sleep(1)
        await listening
        assert [bool(text) for text in texts] == [words, words]
        assert ("a", "provider_malformed") in witness.failures
    witness = Witness()
    assert await call(resilient(hears("empty"), hears(), witness=witness), 2) == ["", ""]
    assert await call(resilient(hears("empty"), witness=witness), 2) == ["", ""]
    assert witness.failures == []


@in_virtual_time
async def test_an_unasked_answer_is_dropped() -> None:
    """A recogniser that says everything twice doubles no word."""
    echo = hears()

    class Twice:
        """Each flush is two."""

        def __init__(self, stream: SpeechStream) -> None:
            self.stream = stream
            self.feed = stream.feed

        def flush(self) -> None:
            self.stream.flush()
            self.stream.flush()

        def __aiter__(self) -> object:
            return aiter(self.stream)

    async with resilient(echo).open(OPTIONS) as stream:
        listener = stream._current
        assert listener is not None
        assert listener.line.stream is not None
        listener.line.stream = Twice(listener.line.stream)  # type: ignore[assignment]
        texts: list[str] = []
        listening = asyncio.create_task(finals(stream, texts))
        await say(stream, 0, 1.0)
        await say(stream, 1, 1.0)
    await listening
    assert texts == said(0, 1)


FAULTS = st.builds(
    "{} after {} times {}".format,
    st.sampled_from(["unavailable", "stall", "malformed", "too_slow", "refused"]),
    st.integers(0, 12),
    st.integers(1, 3),
) | st.builds(
    "{} at open times {}".format, st.sampled_from(["unavailable", "stall"]), st.integers(1, 3)
)


@given(
    faults=st.tuples(FAULTS, FAULTS),
    count=st.integers(1, 5),
    pause_s=st.sampled_from([0.0, 0.1, 1.0, 3.0]),
    final_ms=st.sampled_from([0, 150, 700]),
    warm=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_each_flush_is_answered_once_whatever_happens(
    faults: tuple[str, str], count: int, pause_s: float, final_ms: int, warm: bool
) -> None:
    """In order, with exactly its own audio, while one of three candidates works."""

    async def every() -> None:
        policy = Policy(consecutive_failures=2, warm_standby=warm)
        first, second = (hears(fault, final_ms=final_ms) for fault in faults)
        third = hears(final_ms=final_ms)
        recogniser = resilient(first, second, third, policy=policy)
        assert await call(recogniser, count, pause_s) == said(*range(count))
        for provider in (first, second, third):
            assert provider.desk.active == 0

    run(every())
