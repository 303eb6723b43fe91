"""Hedging cuts the slowest replies, at few extra calls."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from hedging.__main__ import main
from hedging.drawing import drawing
from hedging.experiment import BROAD_CASES, CASES, measure, measure_all, table

REQUESTS = 3_000


def test_a_quick_standby_cuts_the_95th_percentile_by_35_percent_at_10_percent_extra_calls() -> None:
    """Of a model with p50 0.6 s, p95 1.6 s and p99 3 s; the median does not suffer."""
    first, itself, quick = measure_all(REQUESTS)
    assert quick.cut(first) >= 0.35
    assert itself.cut(first) >= 0.1
    assert all(outcome.extra <= 0.1 for outcome in (first, itself, quick))
    assert first.extra == 0
    assert quick.quantile(0.5) == pytest.approx(first.quantile(0.5), rel=0.02)


def test_a_budget_of_10_percent_does_not_do_much_where_30_percent_are_slow() -> None:
    """It is kept to all the same, and what it saves is no loss."""
    first, itself, quick = measure_all(REQUESTS, BROAD_CASES)
    assert all(round(outcome.extra, 9) <= 0.1 for outcome in (itself, quick))
    assert 0 <= quick.cut(first) < 0.35


def test_the_figures_are_the_same_each_time() -> None:
    """Whoever runs the command gets them."""
    again = [measure(CASES[2], 300) for _ in range(2)]
    assert again[0] == again[1]
    assert measure(CASES[2], 300, seed=1) != again[0]


def test_the_drawing_is_an_svg_with_a_curve_for_each_case() -> None:
    """And tells its figures in words."""
    outcomes = measure_all(300)
    picture = ET.fromstring(drawing(outcomes))  # noqa: S314 - drawn by us
    tag = "{http://www.w3.org/2000/svg}"
    assert len(picture.findall(f"{tag}polyline")) == 3
    told = picture.findtext(f"{tag}desc") or ""
    assert all(outcome.case.name in told for outcome in outcomes)
    assert len(table(outcomes).splitlines()) == 4


def test_the_command_shows_draws_and_judges(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its exit status says whether the objective is met."""
    svg = tmp_path / "hedging.svg"
    assert main(["--requests", "2000", "--svg", str(svg)]) == 0
    assert svg.read_text("utf-8").startswith("<svg")
    shown = capsys.readouterr().out
    assert "extra calls" in shown
    assert shown.endswith("met\n")
