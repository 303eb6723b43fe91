"""Samples: G.711, resampling, volume. int16 mono throughout, as numpy arrays or bytes."""

from __future__ import annotations

import numpy as np
import soxr
from numpy.typing import NDArray

from antiphon_protocol.audio import PCM, PCMA, PCMU, Encoding

Samples = NDArray[np.int16]


def _mulaw_to_linear() -> Samples:
    """G.711 μ-law, all 256 codes."""
    code = ~np.arange(256, dtype=np.uint8)
    magnitude = (((code & 0x0F).astype(np.int32) << 3) + 0x84) << ((code & 0x70) >> 4)
    linear = np.where(code & 0x80, 0x84 - magnitude, magnitude - 0x84)
    return linear.astype(np.int16)


def _alaw_to_linear() -> Samples:
    """G.711 A-law, all 256 codes."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    segment = ((code & 0x70) >> 4).astype(np.int32)
    mantissa = (code & 0x0F).astype(np.int32) << 4
    magnitude = np.where(
        segment == 0, mantissa + 8, (mantissa + 0x108) << np.maximum(segment - 1, 0)
    )
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _to_codes(levels: Samples) -> NDArray[np.uint8]:
    """For each of the 65,536 int16 values (as uint16) the code whose level is nearest."""
    order = np.argsort(levels.astype(np.int32), kind="stable")
    ordered = levels[order].astype(np.int32)
    values = np.arange(-32768, 32768, dtype=np.int32)
    edges = (ordered[:-1] + ordered[1:] + 1) // 2
    codes = order[np.searchsorted(edges, values, side="right")].astype(np.uint8)
    return np.roll(codes, 32768)


_DECODE = {PCMU.name: _mulaw_to_linear(), PCMA.name: _alaw_to_linear()}
_ENCODE = {name: _to_codes(levels) for name, levels in _DECODE.items()}


def decode(raw: bytes, encoding: Encoding) -> Samples:
    """Samples from the wire's bytes; PCM must be whole samples."""
    if encoding.name == PCM.name:
        return np.frombuffer(raw, "<i2")
    return np.take(_DECODE[encoding.name], np.frombuffer(raw, np.uint8))


def encode(samples: Samples, encoding: Encoding) -> bytes:
    """The wire's bytes from samples."""
    if encoding.name == PCM.name:
        return samples.astype("<i2", copy=False).tobytes()
    return np.take(_ENCODE[encoding.name], samples.view(np.uint16)).tobytes()


def amplify(samples: Samples, percent: float | None) -> Samples:
    """Samples at a volume; None and 100 are native level."""
    if percent is None or percent == 100:  # noqa: PLR2004
        return samples
    return (samples.astype(np.float32) * (percent / 100)).astype(np.int16)


class Resampler:
    """A stream of samples at another rate.

    Where the rates are equal it costs nothing. ``finish`` gives back what the filter still
    held; nothing may be fed after it.
    """

    def __init__(self, rate_in: int, rate_out: int, quality: str = "HQ") -> None:
        self.rate_in = rate_in
        self._stream = (
            None
            if rate_in == rate_out
            else soxr.ResampleStream(rate_in, rate_out, 1, dtype="int16", quality=quality)
        )

    def feed(self, samples: Samples) -> Samples:
        """The samples that are ready."""
        if self._stream is None:
            return samples
        ready: Samples = self._stream.resample_chunk(samples)
        return ready

    def finish(self) -> Samples:
        """The rest."""
        if self._stream is None:
            return np.zeros(0, np.int16)
        rest: Samples = self._stream.resample_chunk(np.zeros(0, np.int16), last=True)
        return rest


def is_container(raw: bytes) -> bool:
    """Whether bytes begin as a WAV or MP3 file does (protocol section 2.1)."""
    return raw[:3] == b"ID3" or (raw[:4] == b"RIFF" and raw[8:12] == b"WAVE")
