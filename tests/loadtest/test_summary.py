"""A run in numbers."""

from __future__ import annotations

import json

from antiphon_loadtest.goals import parse
from antiphon_loadtest.record import Record
from antiphon_loadtest.server_watch import Spent
from antiphon_loadtest.summary import spread, summary
from loadtest.loading import record


def test_a_run_is_plain_data() -> None:
    """Everything the report needs, as JSON takes it."""
    made = record(*map(float, range(1, 101)), calls=2, asked=98, pieces=200, late=1)
    made.errors["no answer"] = 1
    made.idle = Spent(100.0, 0.0, 1e6)
    made.spent = [Spent(101.0, 0.0, 1e6), Spent(102.0, 0.1, 2e6)]
    said = json.loads(json.dumps(summary(made, parse("response p99 <= 99ms"))))
    assert said["times_ms"]["response"] == {
        "count": 100, "p50": 50, "p90": 90, "p95": 95, "p99": 99, "max": 100,
    }  # fmt: skip
    assert said["held"] is True
    assert (said["errors_percent"], said["late_percent"]) == (1, 0.5)
    assert said["over_load"][0]["callers"] == 10
    assert said["server"][0]["cpu_ms"] == 10
    assert said["errors"] == {"no answer": 1}


def test_a_run_without_anything_has_no_invented_numbers() -> None:
    """None where nothing was measured, and the objective is missed."""
    said = summary(Record(1, 1, 0.0), parse("response p99 <= 99ms"))
    assert said["errors_percent"] is None
    assert said["over_load"] == said["over_time"] == said["server"] == []
    assert not said["held"]
    assert spread([]) == {"count": 0}
