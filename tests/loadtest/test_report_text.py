"""The report on a terminal."""

from __future__ import annotations

import io

from antiphon.terminal import Terminal
from antiphon_loadtest.report_text import show
from loadtest.reports import report


def test_a_run_is_shown_with_its_errors_and_objectives() -> None:
    """And with what is wrong with the measurement itself."""
    out = io.StringIO()
    show(Terminal(out), report())
    for text in (
        "ramp  10 callers", "connecting: at_capacity", "met     response p99: 890 ms",
        "missed  errors", "warning  the load tool was the bottleneck", "9 calls begun",
    ):  # fmt: skip
        assert text in out.getvalue()


def test_a_search_ends_with_its_answer() -> None:
    """Below a row for each load."""
    out = io.StringIO()
    show(Terminal(out), report(search=True))
    assert "10 callers held the objective; 20 did not" in out.getvalue()
