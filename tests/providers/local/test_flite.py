"""Text to speech by the real synthesiser."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from antiphon_providers.contract.text_to_speech import (
    TextToSpeechContract,
    each,
    milliseconds,
    spoken,
)
from antiphon_providers.errors import Refused, Unavailable
from antiphon_providers.interfaces import VoiceOptions, Word
from antiphon_providers.local.flite import Flite, FliteOptions, timed
from antiphon_providers.local.flite_library import TokenTime
from antiphon_providers.local.speakable import spoken_words


class TestFlite(TextToSpeechContract):
    """It keeps to the contract."""

    def make(self) -> Flite:
        """As it comes."""
        return Flite()


class TestFliteAsAMan(TextToSpeechContract):
    """It keeps to the contract with another speaker."""

    voice = "george"

    def make(self) -> Flite:
        """As it comes."""
        return Flite()


@pytest.fixture
async def flite() -> AsyncIterator[Flite]:
    """One that runs."""
    provider = Flite()
    await provider.start()
    yield provider
    await provider.close()


async def test_silence_around_a_sentence_is_short(flite: Flite) -> None:
    """It begins to sound within 80 ms and ends at most 150 ms after its last sound."""
    for voice in ("anna", "george", "charles"):
        sounds = await spoken(flite, voice, "Hello, how can I help you today?")
        pcm = np.frombuffer(b"".join(sound.pcm for sound in sounds), np.int16)
        audible = np.flatnonzero(np.abs(pcm.astype(np.int32)) > 200)
        assert audible[0] / 16 < 80
        assert (pcm.size - audible[-1]) / 16 < 150


async def test_sound_comes_in_small_pieces_the_first_smallest(flite: Flite) -> None:
    """20 to 45 ms first, then never more than 105 ms."""
    sounds = await spoken(flite, "anna", "Hello, how can I help you today, my dear friend?")
    pieces_ms = [milliseconds(flite, [sound]) for sound in sounds]
    assert 20 <= pieces_ms[0] <= 45
    assert max(pieces_ms) <= 105


async def test_words_are_timed_as_they_are_written(flite: Flite) -> None:
    """Signs and amounts keep their form; times hold across the clauses of a long sentence."""
    text = (
        "Your order of 25 items costs $3.50 \u2014 and Dr. Smith, who is away, will call at 7:30 "
        "or, if that is too early for you, at any other time that you like \U0001f600"
    )
    sounds = await spoken(flite, "anna", text)
    words = [word for sound in sounds for word in sound.words]
    assert [word.text for word in words] == text.split()
    times = [time for word in words for time in (word.start_ms, word.end_ms)]
    assert times == sorted(times)
    assert milliseconds(flite, sounds) - 200 < times[-1] <= milliseconds(flite, sounds)
    price = next(word for word in words if word.text == "$3.50")
    assert price.end_ms - price.start_ms > 1000


def test_words_whose_tokens_do_not_match_are_left_untimed() -> None:
    """No times are better than wrong ones."""
    tokens = [TokenTime(0.1, 0.3), TokenTime(0.3, 0.6)]
    assert timed(spoken_words("one two three"), tokens, 0) == []
    assert timed(spoken_words("one \u2014 two"), tokens, -80) == [
        Word("one", 20, 220),
        Word("\u2014", 220, 220),
        Word("two", 220, 520),
    ]


async def test_the_pace_of_all_voices_can_be_set() -> None:
    """Twice as fast is about half as long."""
    lengths = []
    for pace in (1.0, 2.0):
        provider = Flite(FliteOptions(pace=pace))
        await provider.start()
        lengths.append(milliseconds(provider, await spoken(provider, "anna", "We open at nine.")))
        await provider.close()
    assert lengths[1] < lengths[0] * 0.6


async def test_refuses_a_voice_that_it_does_not_have(flite: Flite) -> None:
    """Before anything is spoken."""
    with pytest.raises(Refused, match="nobody"):
        await spoken(flite, "nobody", "Hello.")


async def test_must_be_running() -> None:
    """Neither before the start nor after the end."""
    provider = Flite()
    with pytest.raises(Unavailable):
        await spoken(provider, "anna", "Hello.")
    await provider.start()
    await provider.close()
    with pytest.raises(Unavailable):
        await spoken(provider, "anna", "Hello.")


async def test_an_interrupted_speech_makes_way_for_the_next(flite: Flite) -> None:
    """Of a hundred sentences left behind, none is in the way of another call."""
    for _ in range(20):
        speech = flite.speak(each(*["This will be cut short."] * 5), VoiceOptions("anna"))
        await anext(speech)
        await speech.aclose()
    async with asyncio.timeout(5):
        assert await spoken(flite, "anna", "Hello.")
