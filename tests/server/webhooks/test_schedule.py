"""When there is another attempt, and what a receiver may ask for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.webhooks.schedule import Schedule, asked_wait_s

NOW = 1_790_210_425.5


def test_an_event_is_tried_five_times_within_71_minutes() -> None:
    """Section 9, row 26: exponential; the middle of each wait."""
    waits = [Schedule().wait_s(attempts, 0.5) for attempts in range(1, 6)]
    assert waits == [5.0, 60.0, 600.0, 3600.0, None]


@given(draw=st.floats(0, 1), attempts=st.integers(1, 4))
def test_a_wait_is_a_fifth_longer_or_shorter_at_most(draw: float, attempts: int) -> None:
    """So that a receiver that comes back is not met by everything at once."""
    middle = Schedule().waits_s[attempts - 1]
    wait = Schedule().wait_s(attempts, draw)
    assert wait is not None
    assert 0.8 * middle - 1e-6 <= wait <= 1.2 * middle + 1e-6


@pytest.mark.parametrize(
    ("asked_s", "wait_s"),
    [(None, 5.0), (0.0, 5.0), (4.0, 5.0), (30.0, 30.0), (3600.0, 3600.0), (1e9, 3600.0)],
)
def test_a_receiver_gets_a_longer_wait_but_no_shorter_one(
    asked_s: float | None, wait_s: float
) -> None:
    """Up to an hour; and it gets no attempt more."""
    assert Schedule().wait_s(1, 0.5, asked_s) == wait_s
    assert Schedule().wait_s(5, 0.5, asked_s) is None


@pytest.mark.parametrize(
    ("status", "wish", "seconds"),
    [
        (429, "7", 7.0),
        (503, " 120 ", 120.0),
        (503, "Thu, 24 Sep 2026 00:41:25 GMT", 59.5),
        (503, "Thu, 24 Sep 2026 02:41:25 +0200", 59.5),
        (503, "Thu, 24 Sep 2020 00:41:25 GMT", 0.0),
        (500, "7", None),
        (200, "7", None),
        (503, "", None),
        (503, "soon", None),
        (503, "-7", None),
        (503, "7.5", None),
        (503, "\u0667", None),
        (503, "9" * 400, None),
        (503, "Thu, 99 Sep 99999999999999999999 00:41:25 GMT", None),
    ],
)
def test_seconds_and_dates_are_read_where_they_have_a_meaning(
    status: int, wish: str, seconds: float | None
) -> None:
    """RFC 9110, section 10.2.3; what is neither is no wish."""
    assert asked_wait_s(status, {"retry-after": wish}, NOW) == seconds


def test_no_header_is_no_wish() -> None:
    """Most answers have none."""
    assert asked_wait_s(503, {}, NOW) is None


@given(wish=st.text() | st.from_regex(r"\w{3}, \d+ \w{3} \d+ [\d:]+ [+-]?\w+", fullmatch=True))
def test_whatever_a_receiver_writes_it_harms_nobody(wish: str) -> None:
    """Seconds from now, or nothing."""
    seconds = asked_wait_s(503, {"retry-after": wish}, NOW)
    assert seconds is None or seconds >= 0
