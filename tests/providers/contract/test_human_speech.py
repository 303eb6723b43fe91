"""Human speech is cut from a recording that comes with a package."""

import sys

import numpy as np
import pytest

from antiphon_providers.contract import human_speech
from antiphon_providers.errors import NotInstalled


def test_clips_are_the_reading_cut_in_its_pauses() -> None:
    """41 s of speech, each clip with its words and quiet at both ends."""
    clips = human_speech.clips()
    assert 40 < sum(clip.seconds for clip in clips) < 42
    for clip in clips:
        samples = np.abs(np.frombuffer(clip.pcm, np.int16).astype(np.int32))
        assert clip.text
        assert samples.max() > 1000
        assert samples[:480].max() < 400
        assert samples[-480:].max() < 400


def test_word_errors_are_insertions_deletions_and_replacements() -> None:
    """Case, punctuation and hyphens do not count."""
    assert human_speech.word_errors("It was, the BEST.", "it was the best") == 0
    assert human_speech.word_errors("it was best of", "it was the best") == 2
    assert human_speech.word_errors("", "two words") == 2
    assert human_speech.word_errors("cold-hearted", "cold hearted") == 0


def test_noise_is_as_soft_as_it_was_told_to_be() -> None:
    """20 dB below the speech is a tenth of its level."""
    pcm = human_speech.clip("best").pcm
    clean, mixed = (np.frombuffer(p, np.int16) for p in (pcm, human_speech.noisy(pcm, 20)))
    noise = mixed.astype(float) - clean
    ratio = np.sqrt(np.mean(noise**2)) / np.sqrt(np.mean(clean.astype(float) ** 2))
    assert 0.09 < ratio < 0.11


def test_silence_and_background_are_as_long_as_wanted() -> None:
    """Milliseconds at 16 kHz."""
    assert human_speech.silence(100) == bytes(3200)
    assert len(human_speech.background(1700)) == 54_400


@pytest.mark.parametrize(
    ("module", "package"), [("moonshine_voice", "moonshine-voice"), ("soxr", "soxr")]
)
def test_what_is_missing_is_said_and_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, module: str, package: str
) -> None:
    """A contract that cannot hear fails with what to install."""
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(NotInstalled, match=rf"needs {package}.*pip install 'antiphon\[local\]'"):
        human_speech.reading.__wrapped__()
