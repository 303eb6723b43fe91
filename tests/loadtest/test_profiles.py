"""How a load comes about."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_loadtest.behaviour import Behaviour
from antiphon_loadtest.profiles import PROFILES, share


@given(
    name=st.sampled_from(sorted(PROFILES)), count=st.integers(1, 500), seconds=st.floats(0.1, 1e5)
)
def test_every_caller_begins_once_and_in_time(name: str, count: int, seconds: float) -> None:
    """As many starts as callers, in order, the first at once, all before the end."""
    starts = PROFILES[name].starts(count, seconds)
    assert len(starts) == count
    assert starts == sorted(starts)
    assert starts[0] == 0
    assert starts[-1] < seconds


@given(count=st.integers(0, 100), workers=st.integers(1, 8))
def test_the_workers_share_all_callers(count: int, workers: int) -> None:
    """None twice, none left out, and no worker with two more than another."""
    parts = [share([float(n) for n in range(count)], one, workers) for one in range(workers)]
    assert sorted(number for part in parts for number, _ in part) == list(range(count))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_storm_comes_within_a_second_and_a_ramp_takes_its_time() -> None:
    """The two ends of how fast a load may come."""
    assert PROFILES["storm"].starts(100, 60)[-1] < 1
    assert PROFILES["ramp"].starts(10, 100)[5] == pytest.approx(45)


def test_mixed_has_all_kinds_of_callers_and_soak_short_calls() -> None:
    """Whatever was asked for."""
    mixed = PROFILES["mixed"].behaves(Behaviour(0, 0, 0, 0))
    assert min(mixed.barge_in, mixed.drop, mixed.tool, mixed.idle) > 0
    assert PROFILES["soak"].behaves(Behaviour(turns=(2, 9))).turns == (1, 3)
