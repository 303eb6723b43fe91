"""Names in expressions, and those that there are."""

from __future__ import annotations

import pytest

from deploy.expressions import known, mistakes, used


def test_every_metric_is_known_by_the_names_it_is_scraped_by() -> None:
    """A counter's ends in ``_total``; a histogram has three."""
    names = known()
    assert names["antiphon_sessions"] == frozenset()
    assert names["antiphon_replies_total"] == {"trigger", "status"}
    assert {"antiphon_stage_seconds_bucket", "antiphon_stage_seconds_count"} <= names.keys()
    assert "antiphon_replies" not in names


def test_what_an_expression_asks_for_is_found() -> None:
    """Metrics with and without matchers."""
    expr = 'sum(antiphon_a{x=~"$y",z!="}"}) / antiphon_b'
    assert used(expr).keys() == {"antiphon_a", "antiphon_b"}
    assert used(expr)["antiphon_a"] >= {"x", "z"}


@pytest.mark.parametrize(
    "expr",
    [
        "antiphon_nothing",
        "rate(antiphon_replies[5m])",
        'antiphon_replies_total{stage="x"}',
        "sum by (stage) (antiphon_replies_total)",
    ],
)
def test_what_there_is_not_is_a_mistake(expr: str) -> None:
    """A metric, a label of a matcher, a label of a grouping."""
    assert list(mistakes(expr))


def test_what_there_is_is_none() -> None:
    """Also labels that come with scraping."""
    expr = 'sum by (le, job, trigger) (antiphon_response_seconds_bucket{instance="a"})'
    assert list(mistakes(expr)) == []
