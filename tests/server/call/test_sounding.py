"""The sound of a reply on its way out, and the words with it."""

from __future__ import annotations

import pytest

from antiphon_protocol.audio import PCM, PCMU
from antiphon_providers.interfaces import Sound, Word
from antiphon_server.call.settings import CallSettings
from server.call.sounding_stage import SoundingStage
from virtual_time import in_virtual_time

TEA = (Word("Some", 0, 200), Word("tea", 300, 600), Word("please.", 600, 1000))


def second(rate: int = PCM.rate) -> bytes:
    """A second of sound."""
    return b"\1\2" * rate


@in_virtual_time
async def test_sound_is_played_as_it_comes_and_its_words_are_told() -> None:
    """The last word so far is held back: whether one follows it decides about its space."""
    stage = SoundingStage()
    resampler = stage.sounding.resampler(PCM.rate)
    number = stage.sounding.heard.wrote("Some tea please.")
    stage.sounding.take(Sound(second(), 0, True, TEA), number, resampler)
    stage.sounding.heard.ended(number)
    stage.sounding.tell_words(last=False)
    assert stage.words == ["Some", "tea"]
    stage.sounding.finish(resampler)
    stage.sounding.tell_words(last=True)
    assert stage.words == ["Some", "tea", "please."]
    assert stage.lasts == [False, True]
    assert stage.played() == second()


@in_virtual_time
async def test_the_first_sound_is_marked_once() -> None:
    """Words alone are no sound."""
    stage = SoundingStage()
    resampler = stage.sounding.resampler(PCM.rate)
    stage.sounding.heard.wrote("Some tea please.")
    stage.sounding.take(Sound(b"", 0, words=TEA), 0, resampler)
    assert stage.clock.first_sound is None
    stage.sounding.take(Sound(second(), 0), 0, resampler)
    assert stage.clock.first_sound == stage.now()


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
@in_virtual_time
async def test_sound_of_any_rate_and_for_any_encoding_is_as_long(rate: int) -> None:
    """What is played is what was counted, to a few milliseconds of filter."""
    stage = SoundingStage(CallSettings(output=PCMU, volume=50.0))
    resampler = stage.sounding.resampler(rate)
    number = stage.sounding.heard.began()
    for _ in range(3):
        stage.sounding.take(Sound(second(rate), 0), number, resampler)
    stage.sounding.finish(resampler)
    assert stage.sounding.heard.ms == pytest.approx(3000)
    assert PCMU.ms(len(stage.played())) == pytest.approx(3000, abs=5)


@in_virtual_time
async def test_who_is_cut_off_is_told_the_words_that_were_heard() -> None:
    """Those that were not told yet, as the reply's last."""
    stage = SoundingStage()
    resampler = stage.sounding.resampler(PCM.rate)
    stage.sounding.heard.wrote("Some tea please.")
    stage.sounding.take(Sound(second(), 0, True, TEA), 0, resampler)
    stage.sounding.tell_up_to("Some tea")
    assert stage.words == ["Some", "tea"]
    assert stage.lasts == [True]
    stage.sounding.tell_up_to("Some tea")
    assert stage.words == ["Some", "tea"]
