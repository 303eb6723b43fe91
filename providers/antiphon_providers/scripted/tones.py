"""Numbers carried in sound, so that a load test can tell whose voice it hears.

A number below ``NUMBERS`` is two tones at once, as on a telephone keypad: one of 64 between
400 and 1660 Hz, one of 64 between 2000 and 3260 Hz, 20 Hz apart. That survives resampling to
any rate from 8000 samples per second, mu-law, and cutting anywhere, as long as a fifth of a
second is left.
"""

from __future__ import annotations

import numpy as np

NUMBERS = 64 * 64
"""Numbers that can be told apart."""

SPACING_HZ = 20
_LOW_HZ = 400
_HIGH_HZ = 2000
_AMPLITUDE = 0.3
_FULL_SCALE = 32767


def loudness(pcm: bytes) -> float:
    """Root mean square of int16 PCM, 1 being full scale; 0 where there is no sample."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], np.int16).astype(np.float32)
    if not samples.size:
        return 0.0
    return float(np.sqrt(np.dot(samples, samples) / samples.size)) / _FULL_SCALE


def sine(hz: float, ms: float, rate: int) -> bytes:
    """A plain tone, int16 mono."""
    return _sum_of((hz,), ms, rate)


def tone_of(number: int, ms: float, rate: int) -> bytes:
    """The sound of a number (taken modulo ``NUMBERS``), int16 mono."""
    high, low = divmod(number % NUMBERS, 64)
    return _sum_of((_LOW_HZ + SPACING_HZ * low, _HIGH_HZ + SPACING_HZ * high), ms, rate)


def number_of(pcm: bytes, rate: int) -> int | None:
    """The number that int16 mono audio carries; None in silence or less than 100 ms of it."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], np.int16).astype(np.float32)
    loud = samples[np.abs(samples) > _FULL_SCALE * _AMPLITUDE / 100]
    if loud.size < rate // 10:
        return None
    # A second is plenty, and bins 2.5 Hz apart or closer separate tones 20 Hz apart.
    samples = samples[np.argmax(np.abs(samples) > _FULL_SCALE * _AMPLITUDE / 100) :][:rate]
    length = max(samples.size, rate * 2 // 5)
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size), length))
    low = _strongest(spectrum, _LOW_HZ, rate / length)
    high = _strongest(spectrum, _HIGH_HZ, rate / length)
    return high * 64 + low


def _strongest(spectrum: np.ndarray, base_hz: int, hz_per_bin: float) -> int:
    """Which of the 64 tones above ``base_hz`` is the strongest."""
    bins = np.round((base_hz + SPACING_HZ * np.arange(64)) / hz_per_bin).astype(int)
    return int(np.argmax(spectrum[bins]))


def _sum_of(tones_hz: tuple[float, ...], ms: float, rate: int) -> bytes:
    times = np.arange(round(ms * rate / 1000)) / rate
    wave = np.zeros(times.size)
    for hz in tones_hz:
        wave += np.sin(2 * np.pi * hz * times) / len(tones_hz)
    return (wave * _AMPLITUDE * _FULL_SCALE).astype(np.int16).tobytes()
