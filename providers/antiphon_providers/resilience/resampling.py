"""A stream of samples at another rate, so that voices of any rate can stand in for each other."""

from __future__ import annotations

from functools import cache
from math import gcd
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_HALF_WIDTH = 16
"""Zero crossings of the sinc on each side of a sample."""
_BETA = 8.0
"""Of the Kaiser window: about 80 dB down beside the passband, enough for 16 bits of speech."""
_PASSBAND = 0.92
"""Of the lower of both Nyquist frequencies: what is above it fades out, and nothing folds back."""
_LEAST_BLOCK = 32
"""Samples taken at once: a matrix is multiplied faster than many of its rows."""


class Resampling:
    """int16 little-endian mono PCM from one rate to another, sample for sample in time.

    All that was fed is given out with ``finish``: so many samples as last just as long. Where
    the rates are equal, it is given out as it came.
    """

    def __init__(self, rate_in: int, rate_out: int) -> None:
        common = gcd(rate_in, rate_out)
        self._up, self._down = rate_out // common, rate_in // common
        self._fed = 0
        self._given = 0
        if self._up != self._down:
            self._filter = _filter(self._up, self._down)
            # Silence comes before the first sample, so that this is in the middle of its window.
            self._held = np.zeros(self._filter.before, np.float32)

    def feed(self, pcm: bytes) -> bytes:
        """What is ready; ``pcm`` is whole samples."""
        if self._up == self._down:
            return pcm
        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        self._fed += len(samples)
        self._held = np.concatenate((self._held, samples))
        return self._blocks()

    def finish(self) -> bytes:
        """The rest. Nothing may be fed after it."""
        if self._up == self._down:
            return b""
        left = round(self._fed * self._up / self._down) - self._given
        window = self._filter.weights.shape[0]
        self._held = np.concatenate((self._held, np.zeros(window, np.float32)))
        return self._blocks()[: 2 * left]

    def _blocks(self) -> bytes:
        """As many whole blocks as there are."""
        block, weights = self._filter.block, self._filter.weights
        count = (len(self._held) - len(weights)) // block + 1
        if count <= 0:
            return b""
        # Overlapping views of what is held; as ``sliding_window_view``, for a third of its time.
        step = self._held.itemsize
        windows: NDArray[np.float32] = np.ndarray(
            (count, len(weights)), np.float32, self._held, strides=(block * step, step)
        )
        values = windows @ weights
        self._held = self._held[count * block :]
        self._given += values.size
        rounded: NDArray[np.int16] = np.clip(np.rint(values), -32768, 32767).astype("<i2")
        return rounded.tobytes()


class _Filter(NamedTuple):
    """``weights`` turn a window of samples into the outputs of a block of ``block`` samples, the
    first of which has ``before`` others before it in the window.
    """

    weights: NDArray[np.float32]
    block: int
    before: int


@cache
def _filter(up: int, down: int) -> _Filter:
    cutoff = _PASSBAND * min(1.0, up / down)
    reach = int(np.ceil(_HALF_WIDTH / cutoff))
    blocks = -(-_LEAST_BLOCK // down)
    outputs = np.arange(up * blocks)
    # Where each output is, in samples of the block, and where it finds each sample of the window.
    places = outputs * down / up
    samples = np.arange(down * blocks + 2 * reach - 1) - (reach - 1)
    times = samples[:, np.newaxis] - places[np.newaxis, :]
    window = np.i0(_BETA * np.sqrt(np.maximum(0.0, 1 - (times / reach) ** 2))) / np.i0(_BETA)
    taps = np.where(np.abs(times) < reach, np.sinc(cutoff * times) * window, 0.0)
    weights = (taps / taps.sum(axis=0, keepdims=True)).astype(np.float32)
    return _Filter(weights, down * blocks, reach - 1)
