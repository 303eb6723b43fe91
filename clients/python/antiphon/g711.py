"""G.711 in plain Python: fast enough for one caller (8000 samples a second), no dependency.

Source: ITU-T G.711; the segment arithmetic is that of its tables 1a to 2b. Samples outside
are int16 little-endian.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable
from functools import cache

_BIAS = 0x84
"""Added before μ-law compression, so that every segment begins at a power of two."""

_CLIP = 32_635
"""Largest magnitude μ-law can carry: 32767 less the bias."""

_EVEN_BITS = 0x55
"""A-law inverts every other bit on the line."""


def samples_of(pcm: bytes) -> array[int]:
    """int16 little-endian bytes as numbers."""
    samples = array("h", pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def pcm_of(samples: array[int]) -> bytes:
    """Numbers as int16 little-endian bytes."""
    if sys.byteorder == "big":
        samples = array("h", samples)
        samples.byteswap()
    return samples.tobytes()


def encode_mulaw(pcm: bytes) -> bytes:
    """int16 PCM as μ-law, one byte a sample."""
    table = _mulaw_codes()
    return bytes([table[sample] for sample in samples_of(pcm)])


def encode_alaw(pcm: bytes) -> bytes:
    """int16 PCM as A-law, one byte a sample."""
    table = _alaw_codes()
    return bytes([table[sample] for sample in samples_of(pcm)])


def decode_mulaw(codes: bytes) -> bytes:
    """μ-law as int16 PCM."""
    table = _mulaw_values()
    return pcm_of(array("h", [table[code] for code in codes]))


def decode_alaw(codes: bytes) -> bytes:
    """A-law as int16 PCM."""
    table = _alaw_values()
    return pcm_of(array("h", [table[code] for code in codes]))


def _mulaw_code(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _CLIP) + _BIAS
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> exponent + 3 & 0x0F) & 0xFF


def _mulaw_value(code: int) -> int:
    code = ~code & 0xFF
    magnitude = ((code & 0x0F) << 3) + _BIAS << (code >> 4 & 0x07)
    return _BIAS - magnitude if code & 0x80 else magnitude - _BIAS


def _alaw_code(sample: int) -> int:
    sign = 0 if sample < 0 else 0x80
    # The negative half is shifted by one, so that -1 and 0 are different codes.
    magnitude = (~sample if sample < 0 else sample) >> 4
    segment = max(0, magnitude.bit_length() - 4)
    mantissa = magnitude >> max(0, segment - 1) & 0x0F
    return (sign | segment << 4 | mantissa) ^ _EVEN_BITS


def _alaw_value(code: int) -> int:
    code ^= _EVEN_BITS
    segment = code >> 4 & 0x07
    magnitude = ((code & 0x0F) << 4) + 8
    if segment:
        magnitude = magnitude + 0x100 << segment - 1
    return magnitude if code & 0x80 else -magnitude


@cache
def _mulaw_codes() -> list[int]:
    return _codes(_mulaw_code)


@cache
def _alaw_codes() -> list[int]:
    return _codes(_alaw_code)


def _codes(code: Callable[[int], int]) -> list[int]:
    """A table indexed by the sample itself: negative ones count from its end."""
    return [code(sample) for sample in (*range(32_768), *range(-32_768, 0))]


@cache
def _mulaw_values() -> list[int]:
    return [_mulaw_value(code) for code in range(256)]


@cache
def _alaw_values() -> list[int]:
    return [_alaw_value(code) for code in range(256)]
