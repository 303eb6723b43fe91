"""Stage times in a few bytes, and percentiles of them that are right to 3 %."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.call import timeline as t
from antiphon_server.store.stage_times import (
    BUCKETS,
    SHARES,
    STAGES,
    WIDTH,
    Span,
    bucket,
    middle_ms,
    packed,
    percentiles,
)

DAY = Span(1_000_000.0, 3_600.0, 24)


@given(st.floats(min_value=0.1, max_value=95_000))
def test_a_bucket_stands_for_a_time_to_three_percent(ms: float) -> None:
    """Whatever the time, from a tenth of a millisecond to a minute and a half."""
    assert middle_ms(bucket(ms)) == pytest.approx(ms, rel=0.03)


@pytest.mark.parametrize("ms", [0.0, -1.0, 1e-9, 0.1])
def test_what_takes_no_time_is_in_the_first_bucket(ms: float) -> None:
    """Which is not the one that means: there was none."""
    assert bucket(ms) == 1


def test_what_takes_forever_is_in_the_last_bucket() -> None:
    """It is a byte."""
    assert bucket(1e12) == BUCKETS - 1


def test_every_stage_of_the_timeline_has_its_place() -> None:
    """In an order that is stored: a new one comes last, and there is room for 16."""
    assert set(STAGES) == set(t.STAGES)
    assert STAGES[0] == t.ENDPOINTING
    assert STAGES[9] == t.RESPONSE
    assert len(STAGES) <= WIDTH - 2


def test_percentiles_are_those_of_the_times_to_five_percent() -> None:
    """Of a thousand turns of one hour, for each stage by itself."""
    chance = random.Random(7)  # noqa: S311 - no secrets
    times = [chance.lognormvariate(6.5, 0.6) for _ in range(1_000)]
    turns = [(place * 3.0, {t.RESPONSE: ms}) for place, ms in enumerate(times)]
    found = percentiles([(DAY.start, packed(turns))], DAY)
    (point,) = found[t.RESPONSE]
    assert (point.at, point.count) == (DAY.start, 1_000)
    exact = [float(np.quantile(times, share, method="inverted_cdf")) for share in SHARES]
    assert list(point.ms) == pytest.approx(exact, rel=0.05)
    assert list(found) == [t.RESPONSE]


def test_turns_are_counted_in_the_step_in_which_they_began() -> None:
    """A session that goes on across steps has turns in several; what is outside counts nowhere."""
    sessions = [
        (DAY.start - 60, packed([(0, {t.RESPONSE: 1.0}), (61, {t.RESPONSE: 10.0})])),
        (DAY.start + 3_590, packed([(0, {t.RESPONSE: 10.0}), (20, {t.RESPONSE: 100.0})])),
        (DAY.start + 86_390, packed([(0, {t.ENDPOINTING: 5.0}), (10, {t.RESPONSE: 1.0})])),
    ]
    found = percentiles(sessions, DAY)
    assert [(point.at, point.count) for point in found[t.RESPONSE]] == [
        (DAY.start, 2),
        (DAY.start + 3_600, 1),
    ]
    assert [point.at for point in found[t.ENDPOINTING]] == [DAY.start + 82_800]


def test_a_stage_that_a_turn_did_not_have_is_not_counted() -> None:
    """Neither as nothing nor at all."""
    turns = packed([(0, {t.RESPONSE: 700.0}), (1, {t.RESPONSE: 800.0, t.FIRST_TOKEN: 90.0})])
    found = percentiles([(DAY.start, turns)], DAY)
    assert {stage: points[0].count for stage, points in found.items()} == {
        t.RESPONSE: 2,
        t.FIRST_TOKEN: 1,
    }


def test_one_turn_is_every_percentile() -> None:
    """The nearest rank."""
    (point,) = percentiles([(DAY.start, packed([(0, {t.RESPONSE: 700.0})]))], DAY)[t.RESPONSE]
    assert point.ms == pytest.approx((700.0, 700.0, 700.0), rel=0.03)


@pytest.mark.parametrize("sessions", [[], [(DAY.start, b"")]])
def test_no_turns_have_no_percentiles(sessions: list[tuple[float, bytes]]) -> None:
    """And nothing breaks."""
    assert percentiles(sessions, DAY) == {}


@pytest.mark.parametrize("seconds", [-5.0, 70_000.0])
def test_seconds_that_no_session_lasts_fit_all_the_same(seconds: float) -> None:
    """A clock that was set must not cost the summary."""
    assert len(packed([(seconds, {t.RESPONSE: 1.0})])) == WIDTH
