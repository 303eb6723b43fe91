"""Numbers carried in sound survive what a call does to sound."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.scripted.tones import NUMBERS, loudness, number_of, sine, tone_of

RATES = [8000, 16000, 24000, 48000]


@given(st.integers(0, NUMBERS - 1), st.sampled_from(RATES), st.integers(200, 1500))
def test_each_number_is_heard_at_each_rate(number: int, rate: int, ms: int) -> None:
    """A fifth of a second is enough."""
    assert number_of(tone_of(number, ms, rate), rate) == number


@given(st.integers(0, NUMBERS - 1), st.integers(0, 3000), st.integers(0, 400))
def test_a_number_is_heard_wherever_it_is_cut(number: int, skip: int, silence: int) -> None:
    """Silence before it and a missing beginning do no harm."""
    sound = bytes(silence * 32) + tone_of(number, 500, 16000)[skip * 2 :]
    assert number_of(sound, 16000) == number


@given(st.integers(0, NUMBERS - 1))
def test_a_number_survives_coarse_samples_and_noise(number: int) -> None:
    """Eight bits of amplitude and noise 20 dB below, as a telephone line has them."""
    clean = np.frombuffer(tone_of(number, 400, 16000), np.int16)
    noise = np.random.default_rng(number).normal(0, 700, clean.size)
    rough = ((clean + noise) // 256 * 256).astype(np.int16)
    assert number_of(rough.tobytes(), 16000) == number


@pytest.mark.parametrize("pcm", [b"", b"\x01", bytes(32000), tone_of(7, 50, 16000)])
def test_silence_and_too_little_sound_carry_no_number(pcm: bytes) -> None:
    """Nothing is guessed."""
    assert number_of(pcm, 16000) is None


def test_numbers_begin_again_after_the_last() -> None:
    """A load test with more callers than numbers still gets sound."""
    assert tone_of(NUMBERS + 3, 300, 16000) == tone_of(3, 300, 16000)


def test_loudness_is_the_root_mean_square() -> None:
    """0.3 of full scale for a tone's amplitude, so 0.3 / sqrt(2); nothing for nothing."""
    assert loudness(sine(440, 500, 16000)) == pytest.approx(0.3 / 2**0.5, rel=0.01)
    assert loudness(bytes(640)) == loudness(b"") == loudness(b"\x01") == 0.0


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_is_as_long_as_asked(rate: int) -> None:
    """In samples of two bytes."""
    assert len(sine(220, 250, rate)) == rate // 4 * 2
