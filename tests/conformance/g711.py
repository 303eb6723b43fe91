"""G.711 μ-law, for sessions that send it (ITU-T G.711, table 2)."""

from __future__ import annotations

import array

_BIAS = 0x84
_CLIP = 32635


def encode(pcm: bytes) -> bytes:
    """Int16 little-endian PCM to one byte a sample."""
    return bytes(map(_encoded, array.array("h", pcm)))


def _encoded(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _CLIP) + _BIAS
    exponent = magnitude.bit_length() - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~(sign | exponent << 4 | mantissa) & 0xFF
