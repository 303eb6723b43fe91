"""The report in files: JSON, CSV and a page."""

from __future__ import annotations

import argparse
import csv
import io
from pathlib import Path
from typing import Any

from antiphon_loadtest.options import CannotWrite, write_report
from antiphon_loadtest.report_page import page

COLUMNS = (
    "callers", "held", "mean_callers", "calls", "turns", "response_p50_ms", "response_p95_ms",
    "response_p99_ms", "connect_p99_ms", "errors", "errors_percent", "late_percent", "cpu_ms",
    "memory_mb",
)  # fmt: skip


def write(options: argparse.Namespace, report: dict[str, Any]) -> None:
    """Writes those that were asked for. Raises ``CannotWrite``."""
    write_report(options.json, report)
    for path, text in ((options.csv, table(report)), (options.html, page(report))):
        if path is not None:
            _write(path, text)


def check(options: argparse.Namespace) -> None:
    """Raises ``CannotWrite`` for what could not be written in the end: a run takes minutes."""
    for path in (options.json, options.csv, options.html):
        if path is not None and str(path) != "-" and not path.absolute().parent.is_dir():
            raise CannotWrite(f"{path} cannot be written: there is no folder {path.parent}")


def table(report: dict[str, Any]) -> str:
    """One row for each run; empty where nothing was measured."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for run in report["runs"]:
        rows.writerow(["" if one is None else one for one in _row(run)])
    return text.getvalue()


def _row(run: dict[str, Any]) -> list[Any]:
    response, connect = run["times_ms"]["response"], run["times_ms"]["connect"]
    counts = run["counts"]
    return [
        run["callers"], run["held"], run["mean_callers"], counts.get("calls", 0),
        counts.get("turns", 0), response.get("p50"), response.get("p95"), response.get("p99"),
        connect.get("p99"), sum(run["errors"].values()), run["errors_percent"],
        run["late_percent"], run["cpu_ms"], run["memory_mb"],
    ]  # fmt: skip


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {error.strerror}") from error
