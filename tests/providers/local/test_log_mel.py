"""The features show what sounds, where it sounds."""

import numpy as np

from antiphon_providers.local.log_mel import BANDS, log_mel

RATE = 16_000


def tone(hz: float) -> np.ndarray:
    """A second of a tone."""
    return np.sin(2 * np.pi * hz * np.arange(RATE) / RATE).astype(np.float32)


def test_there_is_a_column_every_ten_milliseconds() -> None:
    """80 bands; 100 columns a second."""
    assert log_mel(tone(440)).shape == (BANDS, 100)
    assert log_mel(np.zeros(8 * RATE, np.float32)).shape == (BANDS, 800)


def test_a_tone_is_loudest_in_the_band_of_its_pitch() -> None:
    """1 kHz is 15 of the 45.25 mels up to 8 kHz; bands rise with pitch."""
    loudest = [int(np.argmax(log_mel(tone(hz))[:, 50])) for hz in (250, 1000, 4000, 7000)]
    assert loudest == sorted(set(loudest))
    assert abs(loudest[1] - (15 / 45.25 * 81 - 1)) <= 1


def test_the_range_is_eight_decades_of_power() -> None:
    """A quarter of a decade each: no value is more than 2 below the greatest."""
    features = log_mel(tone(1000))
    assert np.isclose(features.max() - features.min(), 2.0)


def test_silence_has_features_too() -> None:
    """No logarithm of nothing."""
    assert np.isfinite(log_mel(np.zeros(RATE, np.float32))).all()
