"""How long a candidate took lately. Pure."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque

REMEMBERED = 100
"""Enough for a 95th percentile, and few enough to notice a bad quarter of an hour."""
_ENOUGH = 20
"""With fewer, a 95th percentile is the slowest one seen."""


class Latency:
    """Rolling quantiles of the last ``REMEMBERED`` times, in seconds.

    A time may also be that after which an attempt was given up: it is a lower bound then, and
    better than to forget the slowest.
    """

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._sorted: list[float] = []

    def __len__(self) -> int:
        """How many times are known."""
        return len(self._times)

    def add(self, seconds: float) -> None:
        """Takes a new one, and forgets the oldest beyond the limit."""
        if len(self._times) == REMEMBERED:
            del self._sorted[bisect_left(self._sorted, self._times.popleft())]
        self._times.append(seconds)
        insort(self._sorted, seconds)

    def quantile(self, share: float) -> float | None:
        """The time within which this share (0 to 1) was done; None where none is known."""
        if not self._sorted:
            return None
        return self._sorted[min(int(share * len(self._sorted)), len(self._sorted) - 1)]

    def p95(self) -> float | None:
        """None as long as too few times are known."""
        return None if len(self._sorted) < _ENOUGH else self.quantile(0.95)
