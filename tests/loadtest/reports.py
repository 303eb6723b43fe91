"""A report as the command makes it, for the tests of its forms."""

from __future__ import annotations

from typing import Any

from antiphon_loadtest.goals import parse
from antiphon_loadtest.summary import summary
from loadtest.loading import record


def report(*, search: bool = False) -> dict[str, Any]:
    """Of one run, or of a search with two."""
    runs = []
    for scale in (1.0, 3.0) if search else (1.0,):
        made = record(*(scale * ms for ms in range(400, 900, 5)), calls=9, asked=100, pieces=5000)
        made.errors["connecting: at_capacity"] = 2
        runs.append(summary(made, parse("response p99 <= 1000ms, errors <= 1%")))
    return {
        "tool": "antiphon-loadtest 0", "started": "2026-01-01T00:00:00+00:00",
        "url": "ws://<host>/v1/ws", "profile": "ramp", "duration_s": 60.0, "seed": 0,
        "objective": "response p99 <= 1000ms", "find_capacity": search,
        "capacity": 10 if search else None, "capacity_note": "; 20 did not" if search else "",
        "warnings": ["the load tool was the bottleneck"], "runs": runs,
    }  # fmt: skip
