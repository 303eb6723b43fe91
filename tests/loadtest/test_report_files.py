"""The report in files."""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import pytest

from antiphon_loadtest.options import CannotWrite
from antiphon_loadtest.report_files import check, table, write
from loadtest.reports import report


def test_each_file_that_was_asked_for_is_written(tmp_path: Path) -> None:
    """And no other."""
    options = argparse.Namespace(json=tmp_path / "a", csv=tmp_path / "b", html=None)
    check(options)
    write(options, report())
    assert json.loads((tmp_path / "a").read_text("utf-8"))["profile"] == "ramp"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_the_table_has_a_row_for_each_run() -> None:
    """With nothing where nothing was measured."""
    rows = list(csv.DictReader(table(report(search=True)).splitlines()))
    assert [row["response_p50_ms"] for row in rows] == ["645.0", "1935.0"]
    assert rows[0]["cpu_ms"] == ""


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Before the run where that can be known, after it where it cannot."""
    nowhere = argparse.Namespace(json=None, csv=tmp_path / "no" / "a", html=None)
    with pytest.raises(CannotWrite, match="there is no folder"):
        check(nowhere)
    with pytest.raises(CannotWrite):
        write(argparse.Namespace(json=None, csv=tmp_path, html=None), report())
