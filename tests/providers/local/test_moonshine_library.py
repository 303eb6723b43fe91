"""The real recogniser, one utterance at a time."""

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
