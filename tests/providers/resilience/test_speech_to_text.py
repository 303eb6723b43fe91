"""Several recognisers hear as one, whichever of them fails."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_providers.contract.speech_to_text import SpeechToTextContract
from antiphon_providers.errors import ProviderError, Unavailable
from antiphon_providers.interfaces import SpeechToText
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.scripted import Fault, ScriptedSpeechToText
from antiphon_providers.scripted.speech_to_text import SpeechToTextScript
from providers.resilience.hearing_calls import (
    call,
    hears,
    resilient,
    said,
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
    first = hears()
    first.desk.fault = Fault("unavailable", after=-1, times=3)
    recogniser = resilient(first)
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
