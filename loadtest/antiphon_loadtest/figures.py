"""Numbers people compare: percentiles, and their drawing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from antiphon.terminal import BAR, Terminal, figure


class Percentiles(Struct, frozen=True):
    """What is typical (p50), what one in twenty exceeds (p95) and the worst; milliseconds."""

    count: int
    p50: float
    p95: float
    worst: float


def percentiles(numbers: Iterable[float]) -> Percentiles | None:
    """Of measured values, by nearest rank: each is a value that was measured. None of none."""
    ranked = sorted(numbers)
    if not ranked:
        return None
    return Percentiles(len(ranked), rank(ranked, 0.5), rank(ranked, 0.95), ranked[-1])


def rank(numbers: Iterable[float], share: float) -> float:
    """The measured value that such a share of all, up to 1, does not exceed; of some."""
    ranked = sorted(numbers)
    return ranked[math.ceil(share * len(ranked)) - 1]


def draw(terminal: Terminal, rows: Mapping[str, Percentiles]) -> None:
    """A table of percentiles with a bar each, all to one scale.

    A bar is solid up to p50, shaded up to p95, and ends with a mark at the worst.
    """
    longest = max((row.worst for row in rows.values()), default=0.0)
    width = max((len(label) for label in rows), default=0)
    head = f"  {''.ljust(width)}  {'p50':>7}  {'p95':>7}  {'max':>7}  ms"
    terminal.line(terminal.paint(head, "dim"))
    for label, row in rows.items():
        numbers = "  ".join(f"{figure(number):>7}" for number in (row.p50, row.p95, row.worst))
        drawn = range_bar(row, longest)
        terminal.line(f"  {label.ljust(width)}  {numbers}  {terminal.paint(drawn, 'cyan')}")


def range_bar(row: Percentiles, longest: float, columns: int = BAR) -> str:
    """One bar; every part is as long as its share of the longest."""
    if longest <= 0:
        return ""
    solid, shaded, end = (
        round(columns * number / longest) for number in (row.p50, row.p95, row.worst)
    )
    bar = "█" * solid + "▒" * (shaded - solid)
    return f"{bar}{'─' * (end - shaded - 1)}┤" if end > shaded else bar


def as_json(row: Percentiles | None) -> dict[str, Any] | None:
    """Percentiles as plain data, to a tenth of a millisecond."""
    if row is None:
        return None
    return {
        "count": row.count,
        "p50": round(row.p50, 1),
        "p95": round(row.p95, 1),
        "max": round(row.worst, 1),
    }
