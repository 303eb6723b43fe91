"""Sounds to record, and what came of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from antiphon_server.call.sound import Samples

RATE = 24_000


def babble(seconds: float, seed: int, rate: int = RATE) -> Samples:
    """Noise below 3 kHz in syllables of uneven length: no two stretches of it are alike."""
    size = round(seconds * rate)
    chance = np.random.default_rng(seed)
    spectrum = np.fft.rfft(chance.normal(size=size))
    spectrum[np.fft.rfftfreq(size, 1 / rate) > 3_000] = 0
    noise = np.fft.irfft(spectrum, size)
    syllables = np.repeat(chance.random(size // (rate // 10) + 1), rate // 10)[:size]
    return np.asarray(noise / np.abs(noise).max() * syllables * 20_000, np.int16)


def decoded(path: Path) -> tuple[Samples, Samples]:
    """Left and right of a recording, at 24 kHz."""
    frames, rate = soundfile.read(path, dtype="int16")
    assert (rate, frames.shape[1]) == (RATE, 2)
    info = soundfile.info(path)
    assert (info.format, info.subtype) == ("OGG", "OPUS")
    return frames[:, 0], frames[:, 1]


def place(sound: Samples, channel: Samples) -> tuple[float, float]:
    """Where in a channel a sound lies best, in seconds, and how well (1: the very same)."""
    size = 1 << (sound.size + channel.size - 1).bit_length()
    wanted, there = sound.astype(np.float64), channel.astype(np.float64)
    spectrum = np.fft.rfft(there, size) * np.conj(np.fft.rfft(wanted, size))
    fit = np.fft.irfft(spectrum, size)[: max(1, channel.size - sound.size + 1)]
    best = int(fit.argmax())
    energy = np.linalg.norm(wanted) * np.linalg.norm(there[best : best + sound.size])
    return best / RATE, float(fit[best] / energy) if energy else 0.0


def loudness(samples: Samples) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) if samples.size else 0.0
