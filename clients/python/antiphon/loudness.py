"""Where there is voice in a recording, by energy: when it begins, ends and pauses.

Energy is enough here: clips are clean speech, and what is asked is where the last voiced
sample is, not whether it is speech. A window counts as voice when it is less than 30 dB below
the loud parts (95th percentile), and clearly above the recording's own noise (5th percentile).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from operator import mul

from antiphon.g711 import samples_of

WINDOW_MS = 10
"""Length of a window; the precision of everything measured here."""

BELOW_LOUD = 10 ** (-30 / 20)
"""Quietest voice, against the loud parts: weak consonants are 20 to 30 dB below vowels."""

ABOVE_NOISE = 2.5
"""Voice against the recording's noise: 8 dB."""

NOISE_AT_MOST = 10 ** (-20 / 20)
"""A recording cut tightly around speech has no noise to measure; its quiet speech is not it."""

ABSOLUTE = 20.0
"""RMS of int16 below which nothing is voice: -64 dB of full scale."""

VOICED_RUN = 3
"""Windows in a row that make voice: 30 ms, so that a click does not count."""


class Loudness:
    """Energy of int16 mono PCM at ``rate``, in windows of 10 ms."""

    def __init__(self, pcm: bytes, rate: int) -> None:
        size = rate * WINDOW_MS // 1000
        samples = samples_of(pcm[: len(pcm) - len(pcm) % 2])
        windows = [samples[start : start + size] for start in range(0, len(samples), size)]
        self.levels = [math.sqrt(sum(map(mul, one, one)) / len(one)) for one in windows]
        self.threshold = _threshold(self.levels)
        self._voiced = _runs(level >= self.threshold for level in self.levels)

    @property
    def voice(self) -> list[tuple[int, int]]:
        """Where there is voice: pairs of first and end window."""
        return self._voiced

    @property
    def starts_ms(self) -> float | None:
        """When the voice begins, in ms from the start; None where there is none."""
        return float(self._voiced[0][0] * WINDOW_MS) if self._voiced else None

    @property
    def ends_ms(self) -> float | None:
        """When the last voiced window ends, in ms from the start; None where there is none."""
        return float(self._voiced[-1][1] * WINDOW_MS) if self._voiced else None

    def phrases(self, pause_ms: float) -> list[tuple[float, float]]:
        """Stretches of voice separated by pauses of at least so long: pairs of ms."""
        found: list[tuple[float, float]] = []
        for first, end in self._voiced:
            start_ms, end_ms = float(first * WINDOW_MS), float(end * WINDOW_MS)
            if found and start_ms - found[-1][1] < pause_ms:
                found[-1] = (found[-1][0], end_ms)
            else:
                found.append((start_ms, end_ms))
        return found


def _threshold(levels: list[float]) -> float:
    if not levels:
        return ABSOLUTE
    ranked = sorted(levels)
    loud = ranked[int(len(ranked) * 0.95)]
    noise = ranked[int(len(ranked) * 0.05)]
    return max(ABSOLUTE, loud * BELOW_LOUD, min(noise * ABOVE_NOISE, loud * NOISE_AT_MOST))


def _runs(voiced: Iterable[bool]) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    length = 0
    for end, is_voice in enumerate((*voiced, False)):
        if is_voice:
            length += 1
            continue
        if length >= VOICED_RUN:
            found.append((end - length, end))
        length = 0
    return found
