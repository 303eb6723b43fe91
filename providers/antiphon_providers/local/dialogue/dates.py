"""Dates and times of day as they are spoken, found in a sentence.

Conventions where speech is ambiguous: a weekday or a day of the month without more is the
next one that comes; ``11/23`` is month and day; an hour without morning or evening is the one
of a working day (1 to 7 is after noon, 8 to 12 before and at noon).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from msgspec import Struct

from antiphon_providers.local.dialogue.spoken_numbers import numerals, ordinal
from antiphon_providers.local.dialogue.words import clean

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
FEASTS = {
    "christmas eve": (12, 24), "christmas day": (12, 25), "christmas": (12, 25),
    "new years eve": (12, 31), "new year's eve": (12, 31), "new years day": (1, 1),
    "new year's day": (1, 1), "new years": (1, 1), "new year's": (1, 1), "new year": (1, 1),
    "valentines day": (2, 14), "valentine's day": (2, 14), "halloween": (10, 31),
}  # fmt: skip

_MONTH = rf"(?P<month>{'|'.join(MONTHS)}|{'|'.join(m[:3] for m in MONTHS)}|sept)"
_DAY = r"(?P<day>\d{1,2})(?: ?(?:st|nd|rd|th))?"
_YEAR = r"(?: (?P<year>20\d\d))?"
_HOUR = r"(?P<hour>\d{1,2})(?:[: ](?P<minute>\d{2}))?"
_DAYTIME = "in the morning|in the afternoon|in the evening|at night"
_PART = rf"(?: o'?clock)?(?: (?P<half>[ap] ?m|{_DAYTIME}|tonight))?"
_NOON = 12


class FoundDate(Struct, frozen=True):
    """A date and the words that said it, as in the numeral text."""

    value: date
    words: str


class FoundTime(Struct, frozen=True):
    """A time of day and the words that said it, as in the numeral text."""

    value: time
    words: str


def datable(text: str) -> str:
    """The text in which dates and times are found: numerals, dashes and slashes of dates kept."""
    kept = re.sub(r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b", r" isodate \1 \2 \3 ", clean(text))
    kept = re.sub(r"\b(\d{1,2})/(\d{1,2})(?:/(20\d\d))?\b", r" slashdate \1 \2 \3 ", kept)
    kept = re.sub(r"\b([ap])\.\s?m\b\.?", r"\1m", kept, flags=re.IGNORECASE)
    kept = re.sub(r"\bsecond(?= of )", "2nd", kept, flags=re.IGNORECASE)
    return numerals(kept)


def next_date(month: int, day: int, today: date, year: int | None = None) -> date | None:
    """That day, this year or the next one that has it; None for a day that does not exist."""
    for candidate in (year,) if year else range(today.year, today.year + 9):
        try:
            found = date(candidate, month, day)
        except ValueError:
            continue
        if year or found >= today:
            return found
    return None


def _next_weekday(name: str, today: date) -> date:
    ahead = (WEEKDAYS.index(name) - today.weekday() - 1) % 7 + 1
    return today + timedelta(days=ahead)


def _number(match: re.Match[str], group: str) -> int | None:
    return int(match[group]) if match[group] else None


def _of_month(match: re.Match[str], today: date) -> date | None:
    month = next(i for i, name in enumerate(MONTHS, 1) if name.startswith(match["month"][:3]))
    return next_date(month, int(match["day"]), today, _number(match, "year"))


def _of_figures(match: re.Match[str], today: date) -> date | None:
    one, two = int(match["one"]), int(match["two"])
    month, day = (one, two) if one <= 12 else (two, one)  # noqa: PLR2004
    return next_date(month, day, today, _number(match, "year"))


def _coming_day(match: re.Match[str], today: date) -> date | None:
    for ahead in range(62):
        candidate = today + timedelta(days=ahead)
        if candidate.day == int(match["day"]):
            return candidate
    return None


def _iso(match: re.Match[str], today: date) -> date | None:
    return next_date(int(match[2]), int(match[3]), today, int(match[1]))


def _ahead(match: re.Match[str], today: date) -> date | None:
    days = int(match[1]) * (7 if match[2] == "week" else 1)
    return today + timedelta(days=days)


_DATES: tuple[tuple[str, Callable[[re.Match[str], date], date | None]], ...] = (
    (r"isodate (\d{4}) (\d{1,2}) (\d{1,2})", _iso),
    (r"slashdate (?P<one>\d{1,2}) (?P<two>\d{1,2})(?: (?P<year>20\d\d))?", _of_figures),
    (rf"{_MONTH} (?:the )?{_DAY}{_YEAR}(?!\d|:)", _of_month),
    (rf"(?:the )?{_DAY} (?:of )?{_MONTH}{_YEAR}", _of_month),
    (r"(?:the )?day after tomorrow", lambda _, today: today + timedelta(days=2)),
    (r"tomorrow", lambda _, today: today + timedelta(days=1)),
    (r"yesterday", lambda _, today: today - timedelta(days=1)),
    (r"today|tonight|this (?:morning|afternoon|evening)", lambda _, today: today),
    (r"in (\d{1,3}) (day|week)s?", _ahead),
    (r"in a (week)", lambda _, today: today + timedelta(days=7)),
    (rf"(?:on |this |next |coming )*(?P<weekday>{'|'.join(WEEKDAYS)})s?",
     lambda match, today: _next_weekday(match["weekday"], today)),
    (rf"(?P<feast>{'|'.join(FEASTS)})",
     lambda match, today: next_date(*FEASTS[match["feast"]], today)),
    (r"the (?P<day>\d{1,2}) ?(?:st|nd|rd|th)", _coming_day),
)  # fmt: skip
_DATE_PATTERNS = tuple((re.compile(rf"\b(?:{pattern})\b"), read) for pattern, read in _DATES)


def find_date(text: str, today: date) -> FoundDate | None:
    """The first date of the most telling kind that ``datable`` text names."""
    for pattern, read in _DATE_PATTERNS:
        match = pattern.search(text)
        if match and (value := read(match, today)):
            return FoundDate(value, match[0])
    return None


def _on_the_clock(match: re.Match[str]) -> time | None:
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    return _time(hour, minute, match["half"] or "")


def _relative(match: re.Match[str]) -> time | None:
    minutes = {"half": 30, "quarter": 15, "a quarter": 15}.get(match["part"])
    minutes = minutes if minutes is not None else int(match["part"])
    hour = int(match["hour"])
    if match["way"] == "to":
        hour, minutes = (hour - 1) or _NOON, 60 - minutes
    return _time(hour, minutes, match["half"] or "")


def _time(hour: int, minute: int, half: str) -> time | None:
    after_noon = half.startswith("p") or "afternoon" in half or "evening" in half or "night" in half
    before_noon = half.startswith("a") or "morning" in half
    if hour < _NOON and (after_noon or (not before_noon and 1 <= hour <= 7)):  # noqa: PLR2004
        hour += _NOON
    elif hour == _NOON and before_noon:
        hour = 0
    return time(hour, minute) if 0 <= hour < 24 and 0 <= minute < 60 else None  # noqa: PLR2004


_RELATIVE = r"(?:at )?(?P<part>half|a quarter|quarter|\d{1,2}) (?:minutes )?(?P<way>past|to)"
_TIMES: tuple[tuple[str, Callable[[re.Match[str]], time | None]], ...] = (
    (r"(?:at )?(?:noon|midday)", lambda _: time(12)),
    (r"(?:at )?midnight", lambda _: time(0)),
    (rf"{_RELATIVE} {_HOUR}{_PART}", _relative),
    (rf"(?:at |from )?{_HOUR} (?P<half>[ap] ?m|{_DAYTIME})", _on_the_clock),
    (rf"(?:at |from )?(?P<hour>\d{{1,2}}):(?P<minute>\d\d){_PART}", _on_the_clock),
    (r"(?:at )?(?P<hour>\d{1,2})(?P<minute>(?!))? o'?\s?clock(?P<half>(?!))?", _on_the_clock),
    (rf"(?:at |around |about ){_HOUR}{_PART}(?! (?:people|persons|guests))", _on_the_clock),
)
_TIME_PATTERNS = tuple((re.compile(rf"\b(?:{pattern})\b"), read) for pattern, read in _TIMES)
_BARE = re.compile(rf"{_HOUR}{_PART}")


def find_time(text: str) -> FoundTime | None:
    """The time of day that ``datable`` text names; a bare number is none."""
    for pattern, read in _TIME_PATTERNS:
        match = pattern.search(text)
        if match and (value := read(match)):
            return FoundTime(value, match[0])
    return None


def only_time(text: str) -> time | None:
    """The time of day where nothing else was said, bare numbers too."""
    if found := find_time(text):
        return found.value
    match = _BARE.fullmatch(text.strip())
    return _on_the_clock(match) if match else None


def spoken_date(day: date) -> str:
    """``Sunday, November 22nd``."""
    return f"{WEEKDAYS[day.weekday()].title()}, {MONTHS[day.month - 1].title()} {ordinal(day.day)}"


def spoken_time(moment: time | datetime) -> str:
    """``3:05 PM``, ``noon``."""
    if (moment.hour, moment.minute) == (_NOON, 0):
        return "noon"
    if (moment.hour, moment.minute) == (0, 0):
        return "midnight"
    hour = moment.hour % _NOON or _NOON
    minutes = f":{moment.minute:02}" if moment.minute else ""
    return f"{hour}{minutes} {'AM' if moment.hour < _NOON else 'PM'}"
