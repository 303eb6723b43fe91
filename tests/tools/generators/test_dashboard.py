"""The dashboard is made from a table of panels."""

from __future__ import annotations

import json

import pytest

from generators import dashboard
from generators.dashboard import ROWS, Panel, Query


def test_every_panel_of_the_table_is_in_the_dashboard_in_its_order() -> None:
    """Below the row it belongs to."""
    (text,) = dashboard.outputs().values()
    titles = [panel["title"] for panel in json.loads(text)["panels"]]
    expected = []
    for row, panels in ROWS.items():
        expected += [row, *(panel.title for panel in panels)]
    assert titles == expected


def test_an_expression_is_of_the_servers_that_are_looked_at() -> None:
    """Whether it has matchers or not; a range stays."""
    here = dashboard.HERE
    assert dashboard._here("a{}") == f"a{{{here}}}"
    assert dashboard._here('rate(a{b="c"}[1m])') == f'rate(a{{b="c",{here}}}[1m])'


@pytest.mark.parametrize(
    ("expr", "text"),
    [
        (dashboard.rate("a"), "sum (rate(a{}[$__rate_interval]))"),
        (dashboard.rate("a", "b", 'c="d"'), 'sum by (b) (rate(a{c="d"}[$__rate_interval]))'),
        (
            dashboard.at(0.5, "a", "b"),
            "histogram_quantile(0.5, sum by (le, b) (rate(a_bucket{}[$__rate_interval])))",
        ),
    ],
)
def test_expressions_are_built_from_few_words(expr: str, text: str) -> None:
    """Rates and percentiles."""
    assert expr == text


def test_panels_are_set_from_left_to_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that does not fit begins the next line."""
    panels = tuple(Panel(str(n), (Query("a{}"),), width=10) for n in range(3))
    monkeypatch.setattr(dashboard, "ROWS", {"row": panels})
    places = [panel["gridPos"] for panel in dashboard.dashboard()["panels"]]
    assert [(place["x"], place["y"]) for place in places] == [(0, 0), (0, 1), (10, 1), (0, 9)]
