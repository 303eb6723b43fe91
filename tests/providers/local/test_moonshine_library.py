"""The real recogniser, one utterance at a time."""

import numpy as np
import pytest

from antiphon_providers.contract import human_speech
from antiphon_providers.local.moonshine_library import Recogniser


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    """The network of the installed package."""
    return Recogniser("test")


def test_hears_human_speech(recogniser: Recogniser) -> None:
    """A clean sentence comes out word for word."""
    clip = human_speech.clip("despair")
    assert human_speech.word_errors(recogniser.words(clip.pcm), clip.text) == 0


@pytest.mark.parametrize("length", [0, 1, 2, 200, 2001, 6400])
def test_takes_audio_of_any_length(recogniser: Recogniser, length: int) -> None:
    """What is too short for the network is filled up, half a sample is left out."""
    assert isinstance(recogniser.words(bytes(length)), str)


def test_nothing_is_made_up_where_the_sound_ends_with_a_word(recogniser: Recogniser) -> None:
    """A look at somebody who is still speaking shows what they said, not how it might go on.

    Without silence after it, one in twelve of these had words that nobody said.
    """
    for clip in human_speech.clips():
        said = human_speech.words_of(clip.text)
        for leading_ms in (0, 90, 180, 270):
            heard = human_speech.words_of(recogniser.words(spoken(clip.pcm, leading_ms)))
            assert len(heard) <= len(said) or heard[-1] == said[-1], (heard, said)


def spoken(pcm: bytes, leading_ms: int) -> bytes:
    """From so long before the voice to the end of the last step of 20 ms that has any."""
    steps = np.frombuffer(pcm, np.int16)[: len(pcm) // 640 * 320].astype(float).reshape(-1, 320)
    levels = np.sqrt(np.mean(steps * steps, axis=1))
    loud = np.flatnonzero(levels >= levels.max() / 20)
    begin = max(int(loud[0]) * 640 - leading_ms * 32, 0)
    return pcm[begin : (int(loud[-1]) + 1) * 640]
