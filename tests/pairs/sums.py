"""How far the time to the first sound is from the sum of its parts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from pairs.turn import Pair
from pairs.vendors import VENDORS

MOST_MS = 25.0


class Measured(NamedTuple):
    """One turn."""

    pair: Pair
    first_audio_s: float

    @property
    def off_ms(self) -> float:
        """How much later the first sound came than the first bytes did, in sum."""
        return (self.first_audio_s - self.pair.first_bytes_s) * 1000


def p95(values: Sequence[float]) -> float:
    """The smallest value that at least 95 % of all do not exceed. Raises IndexError for none."""
    return sorted(values)[math.ceil(len(values) * 0.95) - 1]


def sums_table(measured: Sequence[Measured]) -> str:
    """For each pair the worst turn: ms beyond the sum of first-byte delays; in columns, voices."""
    voices = list(VENDORS["tts"])
    rows = [f"{'ms beyond the sum':34}" + "".join(f"{name:>13}" for name in voices)]
    for stt in VENDORS["stt"]:
        for llm in VENDORS["llm"]:
            cells = [
                max((one.off_ms for one in measured if one.pair == (stt, llm, tts)), default=None)
                for tts in voices
            ]
            told = "".join(f"{'' if cell is None else f'{cell:.1f}':>13}" for cell in cells)
            rows.append(f"{f'{stt}, {llm}':34}{told}")
    return "\n".join(rows)
