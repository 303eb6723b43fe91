"""The picture of sound that Whisper's encoder, and models made from it, look at.

80 bands on the Slaney mel scale, a column every 10 ms from windows of 25 ms, logarithmic, the
range cut to eight decades below the loudest point: A. Radford et al., "Robust Speech Recognition
via Large-Scale Weak Supervision", 2022, section 2.2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from antiphon_providers.interfaces import HEARING_RATE

BANDS = 80
_FFT = 400
_HOP = 160
_FLOOR = 1e-10
_LINEAR_MELS = 15
"""Mels up to 1 kHz, where the scale bends."""


def _mel_filters() -> NDArray[np.float32]:
    """Triangles of equal area, [80, 201]: linear to 1 kHz, 27 steps per factor of 6.4 above."""

    def to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
        linear = np.minimum(mel, _LINEAR_MELS) * 1000 / _LINEAR_MELS
        return linear * 6.4 ** (np.maximum(mel - _LINEAR_MELS, 0) / 27)

    top_mel = _LINEAR_MELS + 27 * np.log(HEARING_RATE / 2 / 1000) / np.log(6.4)
    corners = to_hz(np.linspace(0, top_mel, BANDS + 2))
    bins = np.linspace(0, HEARING_RATE / 2, _FFT // 2 + 1)
    rising = (bins - corners[:-2, None]) / np.diff(corners)[:-1, None]
    falling = (corners[2:, None] - bins) / np.diff(corners)[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * 2 / (corners[2:] - corners[:-2])[:, None]).astype(np.float32)


_FILTERS = _mel_filters()
_WINDOW = np.hanning(_FFT + 1)[:-1].astype(np.float32)


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The features of samples at 16 kHz, [80, one column per 160 samples]."""
    padded = np.pad(samples, _FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, _FFT)[::_HOP][:-1]
    power = np.abs(np.fft.rfft(frames * _WINDOW)).astype(np.float32) ** 2
    bands = np.log10(np.maximum(power @ _FILTERS.T, _FLOOR)).T
    bands = np.maximum(bands, bands.max() - 8)
    return np.ascontiguousarray((bands + 4) / 4, np.float32)
