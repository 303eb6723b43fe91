"""Several voices speak as one, whichever of them falls silent."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from antiphon_providers.contract.text_to_speech import TextToSpeechContract, each
from antiphon_providers.errors import ProviderError, Unavailable
from antiphon_providers.interfaces import TextToSpeech, VoiceOptions
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.scripted import Fault
from providers.resilience.voices import REPLY, VOICE, check, resilient, spoken, voice
from providers.resilience.witness import Witness
from virtual_time import in_virtual_time


class TestAlone(TextToSpeechContract):
    """With one candidate it is a voice like any other."""

    def make(self) -> TextToSpeech:
        """One that works."""
        return resilient(voice())


class TestStandby(TextToSpeechContract):
    """So it is when the first one never speaks, and the second one at another rate."""

    def make(self) -> TextToSpeech:
        """The second one works."""
        return resilient(voice("unavailable at open"), voice(rate=16000))


class TestBroken(TextToSpeechContract):
    """And when the first one breaks off each time."""

    def make(self) -> TextToSpeech:
        """The second one works."""
        policy = Policy(consecutive_failures=1000, failure_share=1.0)
        return resilient(voice("unavailable after 7"), voice(word_times=False), policy=policy)


@in_virtual_time
async def test_a_reply_stays_with_the_voice_that_took_over() -> None:
    """So do the others of the same conversation, but not those of another."""
    first, second = voice(), voice()
    first.desk.fault = Fault("stall", times=1)
    provider = resilient(first, second)
    call = VoiceOptions("james", conversation="call")
    check([sound async for sound in provider.speak(each(*REPLY), call)], REPLY)
    check([sound async for sound in provider.speak(each(*REPLY), call)], REPLY)
    assert (first.desk.opened, second.desk.opened) == (1, 2)
    await spoken(provider, *REPLY)
    await spoken(provider, *REPLY)
    assert (first.desk.opened, second.desk.opened) == (3, 2)


@in_virtual_time
async def test_it_fails_only_when_all_have_failed() -> None:
    """With what befell the last; and with the time to wait where nobody may be asked."""
    provider = resilient(voice("unavailable at open"), voice("malformed after 3"))
    with pytest.raises(ProviderError) as failed:
        await spoken(provider, *REPLY)
    assert failed.value.code == "provider_malformed"
    for _ in range(2):
        with pytest.raises(ProviderError):
            await spoken(provider, *REPLY)
    with pytest.raises(Unavailable) as nobody:
        await spoken(provider, *REPLY)
    assert nobody.value.retry_after_s == pytest.approx(5, abs=0.01)


@in_virtual_time
async def test_a_dead_voice_is_left_alone() -> None:
    """At most one probe within each cooldown, and few more attempts than replies."""
    first, second, witness = voice("unavailable at open"), voice(), Witness()
    provider = resilient(first, second, witness=witness)
    for _ in range(100):
        check(await spoken(provider, *REPLY), REPLY)
        await asyncio.sleep(1)
    assert first.desk.opened <= 20
    assert second.desk.opened == 100
    assert ("a", "open") in witness.states
    gaps = zip(witness.failed_at[2:], witness.failed_at[3:], strict=False)
    assert min(later - earlier for earlier, later in gaps) >= 5


@in_virtual_time
async def test_interrupting_it_stops_the_voice_and_blames_nobody() -> None:
    """Before its first sound and after it."""
    first, witness = voice(first_sound_ms=500), Witness()
    provider = resilient(first, voice(), witness=witness)
    for seconds in (0.1, 0.7):
        speech = asyncio.create_task(_endlessly(provider))
        await asyncio.sleep(seconds)
        speech.cancel()
        await asyncio.wait({speech})
        assert first.desk.active == 0
    assert witness.failures == []


async def _endlessly(provider: TextToSpeech) -> None:
    async with aclosing(provider.speak(each(*REPLY), VOICE)) as sounds:  # type: ignore[type-var]
        async for _ in sounds:
            await asyncio.sleep(1)


@in_virtual_time
async def test_who_watches_it_can_be_changed() -> None:
    """After it was made."""
    provider = resilient(voice("malformed"), voice())
    await provider.start()
    provider.observer = witness = Witness()
    await spoken(provider, *REPLY)
    assert provider.observer is witness
    assert witness.failures == [("a", "provider_malformed")]
    await provider.close()
