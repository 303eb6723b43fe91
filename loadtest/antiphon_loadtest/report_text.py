"""The report on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from antiphon.terminal import Terminal, figure
from antiphon_loadtest import objectives
from antiphon_loadtest.objectives import Objective

_LABELS = {
    "response": "response",
    "connect": "connect to ready",
    "barge-in": "voice to silence",
    "resume": "resume",
}


def show(terminal: Terminal, report: dict[str, Any]) -> None:
    """The whole report: each run, and what was asked for."""
    terminal.line()
    for run in report["runs"][-1:]:
        terminal.heading(
            report["profile"],
            f"{run['callers']} callers, {run['workers']} workers, {report['url']}",
        )
        _show_run(terminal, run)
    if report["find_capacity"]:
        _show_search(terminal, report)
    terminal.line()
    objectives.show(terminal, objectives_of(report["runs"]))
    for warning in report["warnings"]:
        terminal.line(f"  {terminal.paint('warning', 'yellow')}  {warning}")


def objectives_of(runs: Sequence[dict[str, Any]]) -> list[Objective]:
    """Those of the last run."""
    return [
        Objective(one["name"], one["limit"], one["measured"], _unit(one["name"]))
        for run in runs[-1:]
        for one in run["objectives"]
    ]


def _unit(name: str) -> str:
    if name.startswith(("errors", "late")):
        return "%"
    return "MB" if name.startswith("memory") else "ms"


def _show_run(terminal: Terminal, run: dict[str, Any]) -> None:
    rows = [
        [_LABELS[kind], str(times["count"]), *(figure(times[name]) for name in _SHOWN)]
        for kind, times in run["times_ms"].items()
        if times["count"]
    ]
    if rows:
        terminal.table(["ms", "count", *_SHOWN], rows)
        terminal.line()
    counts = run["counts"]
    terminal.line(
        f"  {counts.get('calls', 0)} calls begun, {counts.get('turns', 0)} of "
        f"{counts.get('asked', 0)} turns answered, {run['mean_callers']:g} in a call on average"
    )
    pieces, late = counts.get("pieces", 0), counts.get("late", 0)
    terminal.line(
        f"  {pieces} pieces of sound, {late} late ({counts.get('gap_ms', 0)} ms of gaps), "
        f"{counts.get('blocked', 0)} frames that the network did not take"
    )
    if run["cpu_ms"] is not None:
        terminal.line(f"  server CPU {run['cpu_ms']:g} ms per session and second")
    if run["memory_mb"] is not None:
        terminal.line(f"  server memory {run['memory_mb']:g} MB per session")
    for kind, count in run["errors"].items():
        terminal.line(f"  {terminal.paint(f'{count:>6}', 'red')}  {kind}")


_SHOWN = ("p50", "p90", "p95", "p99", "max")


def _show_search(terminal: Terminal, report: dict[str, Any]) -> None:
    terminal.line()
    rows = [
        [
            f"{run['callers']} callers",
            _or_dash(run["times_ms"]["response"].get("p50")),
            _or_dash(run["times_ms"]["response"].get("p99")),
            _or_dash(run["errors_percent"]),
            _or_dash(run["late_percent"]),
            _or_dash(run["cpu_ms"]),
            "held" if run["held"] else "did not hold",
        ]
        for run in sorted(report["runs"], key=lambda run: run["callers"])
    ]
    terminal.table(["load", "p50 ms", "p99 ms", "errors %", "late %", "cpu ms", ""], rows)
    terminal.line()
    found = f"{report['capacity']} callers held the objective"
    terminal.line(f"  {terminal.paint(found, 'bold')}{report['capacity_note']}")


def _or_dash(number: float | None) -> str:
    return "-" if number is None else figure(number)
