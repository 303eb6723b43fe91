"""Silence before and after speech is cut, silence within is kept."""

import numpy as np
import pytest

from antiphon_providers.local.silence import SilenceCut

RATE = 16_000


def loud(ms: int) -> bytes:
    """A plain tone."""
    times = np.arange(ms * RATE // 1000) / RATE
    return (8000 * np.sin(2 * np.pi * 440 * times + 1)).astype(np.int16).tobytes()


def quiet(ms: int) -> bytes:
    """Silence."""
    return bytes(ms * RATE // 1000 * 2)


@pytest.mark.parametrize("piece", [2, 100, 640, 100_000])
def test_twenty_milliseconds_stay_before_and_a_hundred_and_twenty_after(piece: int) -> None:
    """However the sound comes."""
    sound = quiet(300) + loud(100) + quiet(200) + loud(100) + quiet(500)
    cut = SilenceCut(RATE)
    kept = b"".join(cut.kept(sound[at : at + piece]) for at in range(0, len(sound), piece))
    kept += cut.rest()
    assert len(kept) == pytest.approx(len(quiet(20 + 100 + 200 + 100 + 120)), abs=8)
    assert cut.cut_bytes == pytest.approx(len(quiet(280)), abs=8)


def test_short_silences_stay_as_they_are() -> None:
    """Nothing is added."""
    cut = SilenceCut(RATE)
    sound = quiet(5) + loud(50) + quiet(10)
    assert cut.kept(sound) + cut.rest() == sound
    assert cut.cut_bytes == 0


def test_nothing_is_left_of_silence_alone() -> None:
    """There is no sound to end."""
    cut = SilenceCut(RATE)
    assert cut.kept(quiet(500)) + cut.rest() == b""
    assert not cut.has_begun
