"""Times to the first token, as a table of quantiles tells them."""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from itertools import pairwise

from msgspec import Struct


class Latencies(Struct, frozen=True):
    """A distribution: ``(share, seconds)``, shares from 0 to 1, rising.

    Between two of them the logarithm of the time rises evenly.
    """

    name: str
    quantiles: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        rising = all(a < b and x < y for (a, x), (b, y) in pairwise(self.quantiles))
        if not rising or self.quantiles[0][0] != 0 or self.quantiles[-1][0] != 1:
            raise ValueError("quantiles must rise, from a share of 0 to one of 1")

    def at(self, share: float) -> float:
        """The time in seconds that this share (0 to 1) does not exceed."""
        above = bisect_right([known for known, _ in self.quantiles], share)
        if above == len(self.quantiles):
            return self.quantiles[-1][1]
        (low, before), (high, after) = self.quantiles[above - 1 : above + 1]
        part = (share - low) / (high - low)
        return math.exp(math.log(before) + part * (math.log(after) - math.log(before)))

    def draw(self, chance: random.Random) -> float:
        """One time in seconds."""
        return self.at(chance.random())


HOSTED = Latencies(
    "a large hosted model",
    (
        (0, 0.38),
        (0.05, 0.45),
        (0.25, 0.53),
        (0.5, 0.6),
        (0.75, 0.68),
        (0.9, 0.75),
        (0.95, 1.6),
        (0.99, 3.0),
        (1, 8.0),
    ),
)
"""A narrow body and a heavy tail, as models behind a queue have: p50 0.6, p95 1.6, p99 3 s.

Only these three are given; the body between them is an assumption, and ``BROAD`` is another.
"""

BROAD = Latencies(
    "one that is slow by degrees",
    (
        (0, 0.15),
        (0.05, 0.22),
        (0.25, 0.4),
        (0.5, 0.6),
        (0.75, 0.9),
        (0.9, 1.29),
        (0.95, 1.6),
        (0.99, 3.0),
        (1, 8.0),
    ),
)
"""The same p50, p95 and p99 with a log-normal body: 31 % take longer than 0.8 s."""

QUICK = Latencies(
    "a small quick one",
    (
        (0, 0.12),
        (0.05, 0.15),
        (0.25, 0.18),
        (0.5, 0.22),
        (0.75, 0.27),
        (0.9, 0.36),
        (0.95, 0.5),
        (0.99, 1.0),
        (1, 2.0),
    ),
)
"""What serves as a standby for voice: it knows less and begins sooner."""
