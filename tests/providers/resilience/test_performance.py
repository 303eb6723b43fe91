"""One voice at work in a task of its own."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_providers.contract.text_to_speech import each
from antiphon_providers.errors import Unavailable
from antiphon_providers.interfaces import Sound, TextToSpeech
from antiphon_providers.resilience.breaker import Permit
from antiphon_providers.resilience.performance import Performance
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.recital import Patience, Recital
from antiphon_providers.resilience.script import Script
from antiphon_providers.resilience.spoken_sentence import Pace
from providers.resilience.voices import REPLY, VOICE, check, voice
from providers.resilience.witness import candidates
from virtual_time import in_virtual_time


def performance(provider: TextToSpeech) -> Performance:
    """Of a reply's beginning, to a listener who wants 24 kHz."""
    (candidate,) = candidates(Policy(), provider)
    recital = Recital(provider, 24000, Patience(1, 5), Pace())
    return Performance(candidate, Permit(number=0, probe=False), recital)


async def sounds_of(performing: Performance) -> list[Sound]:
    """All of it."""
    return [sound async for sound in performing.sounds()]


@in_virtual_time
async def test_it_works_before_anybody_listens_and_not_far_ahead() -> None:
    """A sound or two are made; the rest as it is wanted."""
    performing = performance(voice(first_sound_ms=100))
    performing.begin(Script(each(*REPLY)), VOICE)
    assert not performing.decided.is_set()
    await asyncio.sleep(600)
    assert performing.decided.is_set()
    sentence = performing.recital.sentence
    assert sentence is not None
    assert sentence.ms <= 80
    check(await sounds_of(performing), REPLY)
    await Performance.gone([performing])


@in_virtual_time
async def test_its_failure_is_raised_after_its_sounds() -> None:
    """And decides it, too."""
    performing = performance(voice("unavailable after 3"))
    performing.begin(Script(each(*REPLY)), VOICE)
    await performing.decided.wait()
    sounds = performing.sounds()
    assert [(await anext(sounds)).sentence for _ in range(3)] == [0, 0, 0]
    with pytest.raises(Unavailable):
        await anext(sounds)
    assert isinstance(performing.failure, Unavailable)


@in_virtual_time
async def test_a_cancelled_one_is_gone_soon() -> None:
    """One that was never begun or is over already is gone at once."""
    provider = voice(first_sound_ms=1000)
    performing, idle = performance(provider), performance(provider)
    performing.begin(Script(each(*REPLY)), VOICE)
    await asyncio.sleep(0.1)
    for one in (performing, idle):
        one.cancel()
    await Performance.gone([performing, idle])
    assert (provider.desk.opened, provider.desk.active) == (1, 0)
    performing.cancel()
