"""Several recognisers hear as one, whichever of them fails."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_providers.contract.speech_to_text import SpeechToTextContract
from antiphon_providers.errors import ProviderError, Refused, Unavailable
from antiphon_providers.interfaces import HearingOptions, SpeechToText
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.scripted import Fault, ScriptedSpeechToText
from antiphon_providers.scripted.speech_to_text import SpeechToTextScript
from providers.resilience.hearing_calls import (
    OPTIONS,
    EnglishOnly,
    OneAtATime,
    call,
    finals,
    hears,
    resilient,
    said,
    say,
)
from providers.resilience.witness import Witness, now
from virtual_time import in_virtual_time, run


class TestScriptedAlone(SpeechToTextContract):
    """With one candidate it is a recogniser like any other."""

    def make(self) -> SpeechToText:
        """One that works."""
        return resilient(ScriptedSpeechToText())


class TestStandby(SpeechToTextContract):
    """So it is when the first one never opens."""

    def make(self) -> SpeechToText:
        """The second one works."""
        broken = ScriptedSpeechToText(SpeechToTextScript(fault="unavailable at open"))
        return resilient(broken, ScriptedSpeechToText())


class TestWarmStandby(SpeechToTextContract):
    """And when it breaks at its first result, a standby being open."""

    def make(self) -> SpeechToText:
        """The second one works."""
        broken = ScriptedSpeechToText(SpeechToTextScript(fault="malformed"))
        policy = Policy(warm_standby=True)
        return resilient(broken, ScriptedSpeechToText(), policy=policy)


@in_virtual_time
async def test_a_dead_candidate_is_left_alone() -> None:
    """Its breaker opens; then there is at most one probe within each cooldown."""
    first, witness = hears("unavailable at open"), Witness()
    recogniser = resilient(first, hears(), witness=witness)
    for _ in range(20):
        assert await call(recogniser, 1, pause_s=0.5) == said(0)
    assert ("a", "open") in witness.states
    # Each call lasts half a minute, so every one may probe once and go on without.
    assert first.desk.opened <= 3 + 20 * 31 / 5
    gaps = [
        later - earlier
        for earlier, later in zip(witness.failed_at[2:], witness.failed_at[3:], strict=False)
    ]
    assert min(gaps) >= 5


@in_virtual_time
async def test_it_fails_only_when_all_have_failed() -> None:
    """With what befell the last, at open or while it listens."""
    with pytest.raises(ProviderError):
        await call(resilient(hears("unavailable at open"), hears("malformed at open")), 1)
    with pytest.raises(ProviderError) as failed:
        await call(resilient(hears("unavailable"), hears("malformed")), 1)
    assert failed.value.code == "provider_malformed"


@in_virtual_time
async def test_a_call_waits_for_the_first_breaker_that_may_close() -> None:
    """For as long as the budget allows; beyond it the call fails with the time to wait."""
    first, second = hears(), hears("unavailable at open")
    first.desk.fault = Fault("unavailable", after=-1, times=3)
    recogniser = resilient(first, second)
    for _ in range(3):
        with pytest.raises(Unavailable):
            await call(recogniser, 1)
    began = now()
    assert await call(recogniser, 1, 0.0) == said(0)
    assert now() - began >= 5
    first.desk.fault = Fault.parse("unavailable at open")
    for _ in range(6):
        with pytest.raises(Unavailable) as failed:
            await call(recogniser, 1)
    assert failed.value.retry_after_s is not None
    assert failed.value.retry_after_s > 6


@in_virtual_time
async def test_the_only_candidate_is_always_asked() -> None:
    """Nobody stands in for it: after a row of failures the next call is served at once."""
    alone = hears()
    alone.desk.fault = Fault("unavailable", after=-1, times=10)
    recogniser = resilient(alone)
    for _ in range(10):
        with pytest.raises(Unavailable):
            await call(recogniser, 1)
    began = now()
    async with recogniser.open(OPTIONS) as stream:
        assert now() == began
        texts: list[str] = []
        listening = asyncio.create_task(finals(stream, texts))
        await say(stream, 1, 1.0)
    await listening
    assert texts == said(1)


@pytest.mark.parametrize("alone", [True, False])
@in_virtual_time
async def test_what_a_call_asks_for_in_vain_costs_no_other_call_a_word(alone: bool) -> None:
    """Calls in languages that the recogniser does not hear, and one that it does hear."""
    english, other = EnglishOnly(), hears()
    recogniser = resilient(english) if alone else resilient(english, other)
    french = HearingOptions(language_codes=("fr",))
    foreign = [asyncio.create_task(call(recogniser, 1, options=french)) for _ in range(8)]
    await asyncio.sleep(0.1)
    assert await call(recogniser, 3, pause_s=6.0) == said(0, 1, 2)
    heard = await asyncio.gather(*foreign, return_exceptions=True)
    if alone:
        assert {type(failure) for failure in heard} == {Refused}
        assert english.desk.opened == 1
    else:
        assert heard == [said(0)] * 8
        assert (english.desk.opened, other.desk.opened) == (1, 8)
        # A call is not moved back to who refused what it wants.
        assert english.refused == 8


@in_virtual_time
async def test_many_calls_at_once_lose_no_word_of_a_recogniser_that_is_behind() -> None:
    """It answers one flush after another, the last of a round after almost five seconds."""
    behind = OneAtATime(seconds=0.25)
    recogniser, witness = resilient(behind), Witness()
    recogniser.observer = witness
    calls = [call(recogniser, 4, pause_s=5.0) for _ in range(18)]
    assert await asyncio.gather(*calls) == [said(0, 1, 2, 3)] * 18
    assert behind.longest_s > 3.5
    assert witness.failures == []


@in_virtual_time
async def test_closing_it_ends_its_calls_and_its_candidates() -> None:
    """Also a call that waits to be opened."""
    first, second = hears("stall at open"), hears("stall at open")
    recogniser = resilient(first, second)
    opening = asyncio.create_task(call(recogniser, 1))
    await asyncio.sleep(0.5)
    await recogniser.close()
    with pytest.raises(Unavailable):
        await opening
    assert first.desk.active == second.desk.active == 0


def test_starting_needs_one_that_starts() -> None:
    """And who watches it is told of all."""

    async def started() -> None:
        recogniser = resilient(hears(), hears())
        await recogniser.start()
        recogniser.observer = witness = Witness()
        assert recogniser.observer is witness
        await recogniser.close()

    run(started())
