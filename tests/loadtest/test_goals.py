"""What a load has to keep."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_loadtest.goals import DEFAULT, BadObjective, clearly_missed, judge, parse
from loadtest.loading import record


def test_the_default_is_three_limits() -> None:
    """And seconds are milliseconds."""
    assert [(one.name, one.limit, one.unit) for one in parse(DEFAULT)] == [
        ("response p99", 1500, "ms"),
        ("errors", 0.5, "%"),
        ("late frames", 0.1, "%"),
    ]
    assert [(one.name, one.limit) for one in parse("connect max < 1.5s, barge-in p99.9<=2s")] == [
        ("connect max", 1500),
        ("barge-in p99.9", 2000),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not an objective"),
        ("response p99", "not an objective"),
        ("response p99 >= 3ms", "not an objective"),
        ("response <= 3ms", "needs a percentile"),
        ("response p99 <= 3", "needs a percentile and a unit"),
        ("response p0 <= 3ms", "p0 is nobody"),
        ("errors p99 <= 3%", "errors is in %"),
        ("errors <= 3ms", "errors is in %"),
        ("beauty p99 <= 3ms", "there are: response, connect"),
    ],
)
def test_what_cannot_be_understood_is_said_with_what_can(text: str, said: str) -> None:
    """The message names the part that is wrong."""
    with pytest.raises(BadObjective, match=said):
        parse(text)


@given(text=st.text(max_size=40))
def test_no_text_breaks_the_parser(text: str) -> None:
    """Goals or a ``BadObjective``."""
    with suppress(BadObjective):
        assert parse(text)


def test_goals_are_judged_by_what_was_measured() -> None:
    """A number that was not measured is missed."""
    goals = parse("response p50 <= 10ms, response max <= 10ms, errors <= 5%, late frames <= 1%")
    made = record(5.0, 6.0, 40.0, calls=1, asked=9, pieces=100, late=2)
    assert [one.met for one in judge(goals, made)] == [True, False, True, False]
    made.errors["no answer"] = 1
    assert not judge(goals, made)[2].met
    assert [one.met for one in judge(goals, record())] == [False] * 4


def test_only_a_clear_failure_ends_a_run_early() -> None:
    """Far beyond the limit, with enough values to know."""
    goals = parse("response p99 <= 10ms, errors <= 1%")
    assert not clearly_missed(goals, record(*[11.0] * 50))
    assert not clearly_missed(goals, record(*[99.0] * 5))
    assert clearly_missed(goals, record(*[99.0] * 50))
