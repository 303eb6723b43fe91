"""A stream of samples at another rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.resilience.resampling import Resampling
from antiphon_providers.scripted.tones import number_of, sine, tone_of

RATES = [8000, 16000, 22050, 24000, 44100, 48000]


def resampled(pcm: bytes, rate_in: int, rate_out: int, piece_bytes: int = 960) -> bytes:
    """All of it, fed in pieces."""
    resampling = Resampling(rate_in, rate_out)
    pieces = [pcm[at : at + piece_bytes] for at in range(0, len(pcm), piece_bytes)]
    return b"".join([*map(resampling.feed, pieces), resampling.finish()])


@given(st.sampled_from(RATES), st.sampled_from(RATES), st.integers(0, 3000), st.integers(1, 500))
def test_it_lasts_as_long_and_sounds_the_same_however_it_is_cut(
    rate_in: int, rate_out: int, samples: int, piece: int
) -> None:
    """To the sample, and each to the last bit or one beside it."""
    pcm = (np.random.default_rng(1).normal(0, 3000, samples)).astype("<i2").tobytes()
    whole = resampled(pcm, rate_in, rate_out, max(2, len(pcm)))
    assert len(whole) == 2 * round(samples * rate_out / rate_in)
    pieces = resampled(pcm, rate_in, rate_out, 2 * piece)
    one, other = (np.frombuffer(pcm, np.int16).astype(int) for pcm in (whole, pieces))
    assert one.size == other.size
    assert np.abs(one - other).max(initial=0) <= 1


@pytest.mark.parametrize("rate_in", RATES)
@pytest.mark.parametrize("rate_out", RATES)
def test_a_tone_stays_what_it_is(rate_in: int, rate_out: int) -> None:
    """Within a thousandth, at the same time; nothing is late."""
    given_tone = resampled(sine(1000, 500, rate_in), rate_in, rate_out)
    expected = np.frombuffer(sine(1000, 500, rate_out), np.int16).astype(float)
    heard = np.frombuffer(given_tone, np.int16).astype(float)
    inside = slice(len(expected) // 10, -len(expected) // 10)
    error = np.abs(heard[inside] - expected[inside]).max() / np.abs(expected).max()
    assert error < 0.001


def test_what_a_lower_rate_cannot_carry_is_gone() -> None:
    """And is not folded back into what it can."""
    heard = np.frombuffer(resampled(sine(11000, 500, 48000), 48000, 16000), np.int16)
    assert np.abs(heard[800:-800].astype(int)).max() < 20


def test_a_number_survives() -> None:
    """There and back again."""
    there = resampled(tone_of(1234, 500, 24000), 24000, 44100)
    assert number_of(resampled(there, 44100, 24000), 24000) == 1234


def test_equal_rates_cost_nothing() -> None:
    """The very bytes."""
    pcm = sine(300, 20, 24000)
    assert Resampling(24000, 24000).feed(pcm) is pcm


def test_loud_sound_is_clipped_and_not_turned_over() -> None:
    """A square wave rings beyond full scale."""
    square = np.where(np.arange(4800) // 60 % 2, 32767, -32768).astype("<i2")
    heard = np.frombuffer(resampled(square.tobytes(), 24000, 48000), np.int16).astype(int)
    assert np.abs(np.diff(heard)).max() < 40000
