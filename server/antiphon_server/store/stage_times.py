"""The stage times of a session's turns in a few bytes, and their percentiles over time. Pure.

A turn is 18 bytes: two for the seconds since the session began, little-endian, and one for each
of up to 16 stages, 0 where the turn had none. The one is the number of a bucket; buckets are
5.6 % wide, so that a percentile is right to 3 %.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct

from antiphon_server.call import timeline as t

STAGES = (
    t.ENDPOINTING,
    t.VOICE_ACTIVITY,
    t.SPEECH_TO_TEXT,
    t.TURN_DETECTION,
    t.FIRST_TOKEN,
    t.FIRST_SENTENCE,
    t.FIRST_AUDIO,
    t.SPOKEN_ANSWER,
    t.OVERHEAD,
    t.RESPONSE,
)
"""By their place in a turn, which is stored: one that is new comes last."""

LEAST_MS = 0.1
RATIO = 1.056
BUCKETS = 256
"""The last one begins at 99 s: no stage is given as long."""
WIDTH = 18
MOST_SECONDS = 65_535
SHARES = (0.5, 0.95, 0.99)


class Span(Struct, frozen=True):
    """So many steps of time from ``start`` on, in Unix seconds and seconds."""

    start: float
    step: float
    points: int


class Point(Struct, frozen=True):
    """One step's turns."""

    at: float
    count: int
    ms: tuple[float, ...]
    """Percentiles, for each of ``SHARES``."""


def bucket(ms: float) -> int:
    """The number of a time's bucket, from 1 on."""
    if ms <= LEAST_MS:
        return 1
    return min(BUCKETS - 1, 1 + round(math.log(ms / LEAST_MS) / math.log(RATIO)))


def middle_ms(number: int) -> float:
    """What a bucket stands for."""
    return float(LEAST_MS * RATIO ** (number - 1))


def packed(turns: Iterable[tuple[float, dict[str, float]]]) -> bytes:
    """Turns, each with the seconds since the session began and its stages in milliseconds."""
    rows = bytearray()
    for seconds, stages in turns:
        row = bytearray(WIDTH)
        row[:2] = max(0, min(MOST_SECONDS, int(seconds))).to_bytes(2, "little")
        for place, stage in enumerate(STAGES, 2):
            if stage in stages:
                row[place] = bucket(stages[stage])
        rows += row
    return bytes(rows)


def percentiles(sessions: Sequence[tuple[float, bytes]], span: Span) -> dict[str, list[Point]]:
    """Of each stage, the steps in which there were turns that had it.

    ``sessions`` are when each began (Unix seconds) and its packed turns.
    """
    rows = np.frombuffer(b"".join(turns for _, turns in sessions), np.uint8).reshape(-1, WIDTH)
    began = np.repeat(
        np.array([at for at, _ in sessions], np.float64),
        np.array([len(turns) // WIDTH for _, turns in sessions], np.int64),
    )
    seconds = rows[:, 0].astype(np.float64) + 256.0 * rows[:, 1]
    steps = np.floor((began + seconds - span.start) / span.step).astype(np.int64)
    inside = (steps >= 0) & (steps < span.points)
    rows, steps = rows[inside], steps[inside]
    found: dict[str, list[Point]] = {}
    for place, stage in enumerate(STAGES, 2):
        counts = np.bincount(
            steps * BUCKETS + rows[:, place], minlength=span.points * BUCKETS
        ).reshape(span.points, BUCKETS)
        counts[:, 0] = 0
        sums = counts.cumsum(axis=1)
        points = [_point(span, int(step), sums[step]) for step in np.flatnonzero(sums[:, -1])]
        if points:
            found[stage] = points
    return found


def _point(span: Span, step: int, sums: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Point:
    count = int(sums[-1])
    ranks = [max(1, math.ceil(share * count)) for share in SHARES]
    numbers = np.searchsorted(sums, ranks)
    ms = tuple(round(middle_ms(int(number)), 1) for number in numbers)
    return Point(span.start + step * span.step, count, ms)
