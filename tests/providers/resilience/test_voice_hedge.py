"""A second voice is asked when the first is late, and the first sound wins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon_providers.contract.text_to_speech import TextToSpeechContract, each
from antiphon_providers.errors import Unavailable
from antiphon_providers.interfaces import TextToSpeech
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.text_to_speech import ResilientTextToSpeech
from providers.resilience.voices import REPLY, VOICE, check, resilient, spoken, voice
from providers.resilience.witness import Witness, now
from virtual_time import in_virtual_time, run

HEDGING = Policy(hedge=True, hedge_share=1.0, hedge_least_ms=300, hedge_most_ms=300)


def hedged(*voices: TextToSpeech, witness: Witness | None = None) -> ResilientTextToSpeech:
    """A second voice after 300 ms, each time."""
    return resilient(*voices, policy=HEDGING, witness=witness)


async def first_sound_s(provider: TextToSpeech) -> float:
    """Seconds to the first sound of a reply, all of which is heard."""
    began, first = now(), 0.0
    async for sound in provider.speak(each(*REPLY), VOICE):
        if sound.pcm and not first:
            first = now() - began
    return first


class TestHedged(TextToSpeechContract):
    """A voice like any other, though two are asked each time."""

    def make(self) -> TextToSpeech:
        """The second is the quicker one."""
        policy = Policy(hedge=True, hedge_share=1.0, hedge_least_ms=0, hedge_most_ms=0)
        return resilient(voice(first_sound_ms=50), voice(), policy=policy)


@pytest.mark.parametrize(
    ("first_ms", "second_ms", "after_s", "asked"),
    [(100, 0, 0.1, 0), (700, 100, 0.4, 1), (500, 900, 0.5, 1), (900, 650, 0.9, 1)],
)
@in_virtual_time
async def test_the_first_sound_wins(
    first_ms: int, second_ms: int, after_s: float, asked: int
) -> None:
    """All is said by the one that wins, the other is put down, and nobody is blamed."""
    first, second, witness = (
        voice(first_sound_ms=first_ms),
        voice(first_sound_ms=second_ms),
        Witness(),
    )
    provider = hedged(first, second, witness=witness)
    assert await first_sound_s(provider) == pytest.approx(after_s, abs=0.001)
    assert (second.desk.opened, second.desk.active, first.desk.active) == (asked, 0, 0)
    assert witness.failures == []
    won = asked == 1 and after_s == 0.3 + second_ms / 1000
    assert witness.hedges == ([("b", None), ("b", won)] if asked else [])


@in_virtual_time
async def test_a_slow_writer_is_no_reason_for_a_second_voice() -> None:
    """The voice's time begins with the first sentence."""
    second = voice()

    async def slowly() -> AsyncIterator[str]:
        await asyncio.sleep(3)
        yield REPLY[0]

    provider = hedged(voice(first_sound_ms=200), second)
    check([sound async for sound in provider.speak(slowly(), VOICE)], REPLY[:1])
    assert second.desk.opened == 0


@pytest.mark.parametrize(("one", "other"), [("stall", ""), ("", "stall"), ("unavailable", "")])
@in_virtual_time
async def test_a_voice_that_fails_has_lost(one: str, other: str) -> None:
    """Whichever of both it is."""
    provider = hedged(voice(one, first_sound_ms=500), voice(other, first_sound_ms=500))
    check(await spoken(provider, *REPLY), REPLY)


@in_virtual_time
async def test_where_both_fail_the_next_is_asked() -> None:
    """And where there is none, that is told."""
    broken = [voice("unavailable", first_sound_ms=500) for _ in range(2)]
    check(await spoken(hedged(*broken, voice()), *REPLY), REPLY)
    with pytest.raises(Unavailable):
        await spoken(hedged(*broken), *REPLY)


@in_virtual_time
async def test_without_another_voice_or_a_budget_there_is_none() -> None:
    """The first one is waited for."""
    assert await first_sound_s(hedged(voice(first_sound_ms=800))) == pytest.approx(0.8)
    second = voice()
    frugal = resilient(voice(first_sound_ms=900), second, policy=Policy(hedge=True))
    for _ in range(9):
        assert await first_sound_s(frugal) == pytest.approx(0.9)
    assert second.desk.opened == 0
    await first_sound_s(frugal)
    assert second.desk.opened == 1


@in_virtual_time
async def test_interrupting_stops_both() -> None:
    """While both are asked."""
    first, second = voice(first_sound_ms=900), voice(first_sound_ms=900)
    provider = hedged(first, second)

    async def listen() -> None:
        async with aclosing(provider.speak(each(*REPLY), VOICE)) as sounds:
            async for _ in sounds:
                pass

    speech = asyncio.create_task(listen())
    await asyncio.sleep(0.5)
    assert (first.desk.active, second.desk.active) == (1, 1)
    speech.cancel()
    await asyncio.wait({speech})
    assert (first.desk.active, second.desk.active) == (0, 0)


FAULTS = st.sampled_from(
    ["", "stall", "unavailable", "malformed after 3", "stall at open", "empty"]
)


@given(
    faults=st.tuples(FAULTS, FAULTS),
    first_ms=st.tuples(*[st.integers(0, 1500)] * 3),
    pause_s=st.sampled_from([0.0, 0.4]),
)
@settings(max_examples=100, deadline=None)
def test_all_is_said_once_whoever_wins(
    faults: tuple[str, str], first_ms: tuple[int, int, int], pause_s: float
) -> None:
    """While one of three voices works."""

    async def reply() -> None:
        voices = [
            voice(fault, first_sound_ms=ms)
            for fault, ms in zip((*faults, ""), first_ms, strict=True)
        ]

        async def written() -> AsyncIterator[str]:
            for sentence in REPLY:
                await asyncio.sleep(pause_s)
                yield sentence

        check([sound async for sound in hedged(*voices).speak(written(), VOICE)], REPLY)
        assert all(one.desk.active == 0 for one in voices)

    run(reply())
