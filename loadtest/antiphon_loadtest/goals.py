"""What a load has to keep, as it is written: "response p99 <= 1200ms, errors <= 0.5%"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from antiphon.errors import AntiphonError
from antiphon_loadtest.figures import rank
from antiphon_loadtest.objectives import Objective
from antiphon_loadtest.record import Record

TIMES = ("response", "connect", "barge-in", "resume")
SHARES = ("errors", "late frames")
COSTS = {"cpu per session": "ms", "memory per session": "MB"}
DEFAULT = "response p99 <= 1500ms, errors <= 0.5%, late frames <= 0.1%"

_WRITTEN = re.compile(
    r"(?P<metric>[a-z][a-z -]*?)(?:\s+(?P<rank>p\d{1,2}(?:\.\d+)?|max))?\s*(?:<=|<)\s*"
    r"(?P<limit>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|%|mb)?"
)
_PERCENT = 100.0
_CLEARLY = 3.0
"""So many times over a limit, nobody waits for the end of the run."""
_ENOUGH = 20
"""Values before which nothing is clear."""


class BadObjective(AntiphonError):
    """An objective that cannot be understood; the text says what can."""


class Goal(Struct, frozen=True):
    """A limit on one metric; ``share`` is the percentile, 1 for the worst, None for a share."""

    metric: str
    share: float | None
    limit: float
    unit: str

    @property
    def name(self) -> str:
        """As it is written."""
        if self.share is None:
            return self.metric
        return f"{self.metric} {'max' if self.share == 1 else f'p{100 * self.share:g}'}"


def parse(text: str) -> list[Goal]:
    """The limits in a text, separated by commas. Raises ``BadObjective``."""
    return [_parse_one(part.strip()) for part in text.split(",")]


def _parse_one(text: str) -> Goal:
    found = _WRITTEN.fullmatch(text.lower())
    if found is None:
        raise BadObjective(f"'{text}' is not an objective; write it like: {DEFAULT}")
    metric, ranked, unit = found["metric"], found["rank"], found["unit"]
    limit = float(found["limit"])
    if metric in TIMES:
        return _of_time(text, metric, ranked, limit, unit)
    wanted = "%" if metric in SHARES else COSTS.get(metric)
    if wanted is None:
        known = ", ".join((*TIMES, *SHARES, *COSTS))
        raise BadObjective(f"'{metric}' in '{text}' is not measured; there are: {known}")
    if ranked is not None or unit not in (wanted.lower(), None):
        raise BadObjective(f"'{text}': {metric} is in {wanted}: {metric} <= 1{wanted}")
    return Goal(metric, None, limit, wanted)


def _of_time(text: str, metric: str, ranked: str | None, limit: float, unit: str | None) -> Goal:
    if ranked is None or unit not in ("ms", "s"):
        raise BadObjective(f"'{text}' needs a percentile and a unit: {metric} p99 <= 1200ms")
    share = 1.0 if ranked == "max" else float(ranked[1:]) / _PERCENT
    if not share:
        raise BadObjective(f"'{text}': p0 is nobody; write p50, p95, p99, p99.9 or max")
    return Goal(metric, share, limit * (1000 if unit == "s" else 1), "ms")


def measured(goal: Goal, record: Record) -> float | None:
    """The number a goal is about; None where nothing was measured."""
    if goal.metric == "errors":
        return 100 * record.errors.total() / record.attempts if record.attempts else None
    if goal.metric == "late frames":
        pieces = record.counts["pieces"]
        return 100 * record.counts["late"] / pieces if pieces else None
    if goal.metric == "cpu per session":
        return record.cpu_ms
    if goal.metric == "memory per session":
        return record.memory_mb
    numbers = record.numbers(goal.metric)
    return rank(numbers, goal.share or 1.0) if numbers else None


def judge(goals: Sequence[Goal], record: Record) -> list[Objective]:
    """Which goals were met."""
    return [Objective(one.name, one.limit, measured(one, record), one.unit) for one in goals]


def clearly_missed(goals: Sequence[Goal], record: Record) -> bool:
    """Whether so much is already wrong that the rest of the run cannot make it good."""
    for goal in goals:
        number = measured(goal, record)
        if number is None or goal.metric in COSTS:
            continue
        known = len(record.numbers(goal.metric)) if goal.metric in TIMES else record.attempts
        least = _CLEARLY * goal.limit if goal.limit else 5.0
        if known >= _ENOUGH and number > least:
            return True
    return False
