"""Samples: what goes in comes out, at the right level and length."""

import math

import numpy as np
import pytest

from antiphon_protocol.audio import PCM, PCMA, PCMU, Encoding
from antiphon_server.call.sound import Resampler, amplify, decode, encode


def _mulaw_level(code: int) -> int:
    """ITU-T G.711, table 2: 14-bit decoder output of a μ-law code, scaled to 16 bits."""
    inverted = code ^ 0xFF
    sign, segment, step = inverted >> 7, inverted >> 4 & 7, inverted & 15
    level = ((2 * step + 33) << segment) - 33
    return (-level if sign else level) * 4


def _alaw_level(code: int) -> int:
    """ITU-T G.711, table 1: 13-bit decoder output of an A-law code, scaled to 16 bits."""
    even = code ^ 0x55
    sign, segment, step = even >> 7, even >> 4 & 7, even & 15
    level = 2 * step + 1 if segment == 0 else (2 * step + 33) << (segment - 1)
    return (level if sign else -level) * 8


@pytest.mark.parametrize(("encoding", "level"), [(PCMU, _mulaw_level), (PCMA, _alaw_level)])
def test_every_g711_code_decodes_to_the_level_of_the_standard(
    encoding: Encoding, level: object
) -> None:
    """All 256 codes, against the formula of the ITU's tables computed here."""
    assert callable(level)
    decoded = decode(bytes(range(256)), encoding)
    assert decoded.tolist() == [level(code) for code in range(256)]
    assert decoded.dtype == np.int16


@pytest.mark.parametrize(("encoding", "level"), [(PCMU, _mulaw_level), (PCMA, _alaw_level)])
def test_every_sample_is_encoded_to_a_nearest_code(encoding: Encoding, level: object) -> None:
    """All 65,536 samples: no other code's level lies closer than the one chosen."""
    assert callable(level)
    samples = np.arange(-32768, 32768, dtype=np.int16)
    codes = np.frombuffer(encode(samples, encoding), np.uint8)
    levels = np.array([level(code) for code in range(256)], np.int64)
    error = np.abs(levels[codes] - samples.astype(np.int64))
    ordered = np.unique(levels)
    after = np.clip(np.searchsorted(ordered, samples), 0, ordered.size - 1)
    before = np.maximum(after - 1, 0)
    best = np.minimum(np.abs(ordered[after] - samples), np.abs(ordered[before] - samples))
    assert np.array_equal(error, best)


@pytest.mark.parametrize("encoding", [PCMU, PCMA])
def test_g711_survives_a_round_trip_unchanged(encoding: Encoding) -> None:
    """Decoded and encoded again, each code has the same level."""
    levels = decode(bytes(range(256)), encoding)
    again = decode(encode(levels, encoding), encoding)
    assert np.array_equal(levels, again)


def test_pcm_is_the_same_bytes() -> None:
    """24 kHz PCM is not touched."""
    raw = np.arange(-500, 500, dtype="<i2").tobytes()
    assert encode(decode(raw, PCM), PCM) == raw


def test_silence_is_zero_in_each_encoding() -> None:
    """PCM zeros, and the G.711 codes whose level is nearest to zero."""
    assert encode(np.zeros(240, np.int16), PCM) == bytes(480)
    for encoding in (PCMU, PCMA):
        raw = encode(np.zeros(80, np.int16), encoding)
        assert len(raw) == 80
        assert np.abs(decode(raw, encoding)).max() <= 8


@pytest.mark.parametrize(
    ("rate_in", "rate_out"), [(24_000, 16_000), (8_000, 16_000), (22_050, 24_000), (24_000, 8_000)]
)
@pytest.mark.parametrize("quality", ["HQ", "LQ"])
def test_a_resampled_tone_keeps_its_length_and_level(
    rate_in: int, rate_out: int, quality: str
) -> None:
    """A second stays a second, a sine of 440 Hz keeps its root mean square, whatever the cuts."""
    times = np.arange(rate_in) / rate_in
    tone = (8000 * np.sin(2 * np.pi * 440 * times)).astype(np.int16)
    resampler = Resampler(rate_in, rate_out, quality)
    parts = [resampler.feed(tone[at : at + 441]) for at in range(0, rate_in, 441)]
    out = np.concatenate([*parts, resampler.finish()])
    assert abs(out.size - rate_out) <= 2
    middle = out[rate_out // 10 : -rate_out // 10].astype(np.float64)
    assert math.sqrt(np.mean(middle**2)) == pytest.approx(8000 / math.sqrt(2), rel=0.02)


def test_equal_rates_pass_through() -> None:
    """Nothing is held, nothing is copied."""
    resampler = Resampler(16_000, 16_000)
    samples = np.arange(100, dtype=np.int16)
    assert resampler.feed(samples) is samples
    assert resampler.finish().size == 0


@pytest.mark.parametrize("percent", [None, 100])
def test_native_volume_changes_nothing(percent: float | None) -> None:
    """Null and 100 are the same sound."""
    samples = np.arange(-100, 100, dtype=np.int16)
    assert amplify(samples, percent) is samples


def test_volume_scales_in_proportion() -> None:
    """Half the percentage is half the amplitude; 0 is silence."""
    samples = np.array([-32768, -1000, 0, 1000, 32767], np.int16)
    assert amplify(samples, 50).tolist() == [-16384, -500, 0, 500, 16383]
    assert not amplify(samples, 0).any()
    assert amplify(samples, 50).dtype == np.int16
