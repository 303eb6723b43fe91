"""Dates and times of day as they are spoken."""

from __future__ import annotations

from datetime import date, time

import pytest

from antiphon_providers.local.dialogue.dates import (
    datable,
    find_date,
    find_time,
    only_time,
    spoken_time,
)

SUNDAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("today", SUNDAY),
        ("tomorrow evening", date(2026, 11, 23)),
        ("the day after tomorrow", date(2026, 11, 24)),
        ("next Friday", date(2026, 11, 27)),
        ("on Sunday", date(2026, 11, 29)),
        ("in three days", date(2026, 11, 25)),
        ("in 2 weeks", date(2026, 12, 6)),
        ("December 23rd", date(2026, 12, 23)),
        ("the twenty third of December", date(2026, 12, 23)),
        ("the second of January", date(2027, 1, 2)),
        ("March 5 2028", date(2028, 3, 5)),
        ("2026-12-01", date(2026, 12, 1)),
        ("12/24", date(2026, 12, 24)),
        ("24/12", date(2026, 12, 24)),
        ("the 30th", date(2026, 11, 30)),
        ("Christmas", date(2026, 12, 25)),
        ("February 29th", date(2028, 2, 29)),
    ],
)
def test_a_spoken_date_is_understood(said: str, meant: date) -> None:
    """Relative days, weekdays, days of months and feasts are dates; the next one is meant."""
    found = find_date(datable(said), SUNDAY)
    assert found is not None
    assert found.value == meant


@pytest.mark.parametrize("said", ["", "February 30th", "2026-13-45", "99/99", "may I ask", "soon"])
def test_what_is_no_date_is_none(said: str) -> None:
    """Days that do not exist and words that only look like dates are not understood."""
    assert find_date(datable(said), SUNDAY) is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("at 7 pm", time(19)),
        ("7 p.m. please", time(19)),
        ("7:30 in the morning", time(7, 30)),
        ("half past seven", time(19, 30)),
        ("quarter to eight", time(19, 45)),
        ("ten past nine", time(9, 10)),
        ("at noon", time(12)),
        ("midnight", time(0)),
        ("19:45", time(19, 45)),
        ("seven o'clock", time(19)),
        ("12 am", time(0)),
        ("at four", time(16)),
    ],
)
def test_a_spoken_time_is_understood(said: str, meant: time) -> None:
    """An hour without its half of the day is one of a working day."""
    found = find_time(datable(said))
    assert found is not None
    assert found.value == meant


@pytest.mark.parametrize("said", ["", "27 pm", "99 past 7", "90 to 0", "4 people", "7:75"])
def test_what_is_no_time_is_none(said: str) -> None:
    """Hours that do not exist and numbers of other things are not times."""
    assert find_time(datable(said)) is None


def test_a_bare_number_is_a_time_only_as_a_whole_answer() -> None:
    """``seven thirty`` answers ``what time``, but is no time inside a sentence."""
    assert only_time(datable("seven thirty")) == time(19, 30)
    assert find_time(datable("seven thirty")) is None
    assert only_time(datable("four people")) is None


def test_times_are_said_as_people_say_them() -> None:
    """Noon and midnight have names; full hours have no minutes."""
    said = [spoken_time(time(*t)) for t in ((12,), (0,), (15,), (9, 5))]
    assert said == ["noon", "midnight", "3 PM", "9:05 AM"]
