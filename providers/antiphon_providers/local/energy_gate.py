"""Which windows are so clearly not speech that the network need not be asked.

The rule, for one stream:

- Two levels of each window are looked at, in dB: of the samples, and of their differences from
  one to the next, in which hum and rumble vanish and consonants stand out.
- A floor for each level follows the windows that the network found silent: down at once, up
  slowly. Speech can thus never be taken for the floor.
- A window is closed out when both its levels are within ``MARGIN_DB`` of their floors (or it is
  digital silence), and the last ``HANGOVER`` windows were all silent: never within speech or
  just after it.
- While the gate is shut, one window in ``LOOK_EVERY`` is let through all the same, so that a
  floor that is wrong is found out.

Nothing here knows the network: it is told what the network found.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

MARGIN_DB = 1.5
"""Speech as loud as the noise around it adds 3 dB, and the network hears even that. With half of
it no onset was found more than one window late, in silence and in white, pink and humming noise
down to 0 dB; with all of it, some were missed at 0 dB."""

HANGOVER = 16
"""Windows of silence (half a second at 32 ms) before the gate may shut."""

LOOK_EVERY = 64
"""Windows: a look every two seconds."""

SILENT_BELOW = 0.1
"""A window whose probability is below this was silent for certain."""

_DIGITAL_SILENCE_DB = -80.0
_RISE = 0.05
"""Share of the difference by which a floor follows a louder window: while the gate is shut, 2 dB
a second at most."""

_TINY = 1e-12


class EnergyGate:
    """The gate of one stream."""

    def __init__(self) -> None:
        self._floors: tuple[float, float] | None = None
        self._silent_windows = 0
        self._skipped = 0

    def shuts_out(self, samples: NDArray[np.float32]) -> bool:
        """Whether this window (from -1 to 1) is silence that nobody need judge."""
        if self._silent_windows < HANGOVER or self._skipped >= LOOK_EVERY - 1:
            self._skipped = 0
            return False
        levels = _levels_db(samples)
        if levels[0] >= _DIGITAL_SILENCE_DB and not self._at_floor(levels):
            self._skipped = 0
            return False
        self._skipped += 1
        self._follow(levels)
        return True

    def judged(self, samples: NDArray[np.float32], probability: float) -> None:
        """What the network found in a window that was let through."""
        if probability >= SILENT_BELOW:
            self._silent_windows = 0
            return
        self._silent_windows += 1
        self._follow(_levels_db(samples))

    def _at_floor(self, levels: tuple[float, float]) -> bool:
        if self._floors is None:
            return False
        (plain, differences), (plain_floor, floor) = levels, self._floors
        return plain < plain_floor + MARGIN_DB and differences < floor + MARGIN_DB

    def _follow(self, levels: tuple[float, float]) -> None:
        if self._floors is None:
            self._floors = levels
            return
        (plain, differences), (plain_floor, floor) = levels, self._floors
        self._floors = (_nearer(plain, plain_floor), _nearer(differences, floor))


def _nearer(level: float, floor: float) -> float:
    """The floor after a window of this level."""
    return level if level < floor else floor + _RISE * (level - floor)


def _levels_db(samples: NDArray[np.float32]) -> tuple[float, float]:
    differences = samples[1:] - samples[:-1]
    return (
        10 * math.log10(float(np.dot(samples, samples)) / samples.size + _TINY),
        10 * math.log10(float(np.dot(differences, differences)) / samples.size + _TINY),
    )
