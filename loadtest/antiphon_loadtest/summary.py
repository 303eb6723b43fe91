"""A run in numbers, as plain data: what every form of the report is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from antiphon_loadtest import objectives
from antiphon_loadtest.figures import rank
from antiphon_loadtest.goals import TIMES, Goal, judge
from antiphon_loadtest.notes import Sample
from antiphon_loadtest.record import Record

BINS = 12
"""Points of a curve: more are noise, fewer hide the bend."""
SHARES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "max": 1.0}


def spread(numbers: Iterable[float]) -> dict[str, float]:
    """Percentiles of some, to a tenth; of none, only their count."""
    ranked = sorted(numbers)
    found: dict[str, float] = {"count": len(ranked)}
    if ranked:
        found |= {name: round(rank(ranked, share), 1) for name, share in SHARES.items()}
    return found


def summary(record: Record, goals: Sequence[Goal]) -> dict[str, Any]:
    """One run."""
    judged = judge(goals, record)
    pieces, attempts = record.counts["pieces"], record.attempts
    return {
        "callers": record.callers,
        "workers": record.workers,
        "mean_callers": round(record.mean_callers, 1),
        "held": objectives.exit_code(judged) == 0,
        "objectives": objectives.as_json(judged),
        "times_ms": {kind: spread(record.numbers(kind)) for kind in TIMES},
        "counts": dict(record.counts),
        "errors": dict(record.errors.most_common()),
        "errors_percent": _percent(record.errors.total(), attempts),
        "late_percent": _percent(record.counts["late"], pieces),
        "cpu_ms": _rounded(record.cpu_ms, 2),
        "memory_mb": _rounded(record.memory_mb, 3),
        "bottleneck": record.bottleneck,
        "interrupted": record.interrupted,
        "over_load": over_load(record),
        "over_time": over_time(record),
        "server": server(record),
    }


def over_load(record: Record) -> list[dict[str, float]]:
    """Response percentiles by how many callers were in a call."""
    return _binned(record.samples, "callers", lambda sample: float(sample[3]))


def over_time(record: Record) -> list[dict[str, float]]:
    """The same by seconds, and the load and the errors at the time."""
    points = _binned(record.samples, "at", lambda sample: sample[1] - record.began_at)
    end = max((moment.at for moment in record.moments), default=0.0)
    size = max(1.0, end / 60)
    slots: dict[int, dict[str, float]] = {}
    for moment in record.moments:
        slot = slots.setdefault(int(moment.at / size), {"errors": 0, "lag_ms": 0.0})
        slot["at"] = round(moment.at, 1)
        slot["callers"] = moment.callers
        slot["errors"] += moment.errors
        slot["lag_ms"] = round(max(slot["lag_ms"], moment.lag_ms), 1)
    return sorted([*points, *slots.values()], key=lambda point: point["at"])


def _binned(samples: Sequence[Sample], name: str, place: Any) -> list[dict[str, float]]:
    placed = sorted((place(one), one[2]) for one in samples if one[0] == "response")
    if not placed:
        return []
    low, high = placed[0][0], placed[-1][0]
    size = max(1.0, (high - low) / BINS)
    bins: dict[int, list[tuple[float, float]]] = {}
    for at, ms in placed:
        bins.setdefault(min(BINS - 1, int((at - low) / size)), []).append((at, ms))
    return [
        {name: round(sum(at for at, _ in one) / len(one), 1), **spread(ms for _, ms in one)}
        for _, one in sorted(bins.items())
    ]


def server(record: Record) -> list[dict[str, float]]:
    """CPU in percent of a core and memory in MB, over time, with each session's share."""
    points = []
    for before, one in zip(record.spent, record.spent[1:], strict=False):
        at = one.at - record.began_at
        cpu = (one.cpu_s - before.cpu_s) / max(1e-6, one.at - before.at)
        callers = next((m.callers for m in reversed(record.moments) if m.at <= at), 0)
        point = {"at": round(at, 1), "cpu": round(100 * cpu, 1), "memory": one.memory / 1e6}
        if callers:
            grown = one.memory - (record.idle or record.spent[0]).memory
            point["cpu_ms"] = round(1000 * cpu / callers, 2)
            point["memory_mb"] = round(max(0.0, grown) / 1e6 / callers, 3)
        points.append(point)
    return points


def _percent(part: float, whole: float) -> float | None:
    return round(100 * part / whole, 3) if whole else None


def _rounded(number: float | None, digits: int) -> float | None:
    return None if number is None else round(number, digits)
