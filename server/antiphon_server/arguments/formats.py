"""What ``format`` asks of an argument; a format that is not listed asks nothing.

A little more lenient than the standards where speech is less precise than they are: a time may
lack its seconds and its zone, a telephone number may be grouped as its speaker grouped it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, time
from typing import Any
from urllib.parse import urlsplit

from jsonschema import FormatChecker

LONGEST = 2_048
"""Characters; nothing that has a format is longer."""

_EMAIL = re.compile(r"[^\s@\"(),:;<>\[\\\]]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W_]{2,63}")
_HOST = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\.?")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d{2}:?\d{2})?")
_DURATION = re.compile(
    r"P(?=\d|T\d)(?:\d+W|(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)"
)
_PHONE = re.compile(r"\+?[\d\s().\-/]{5,40}(?:\s*(?:x|ext\.?)\s*\d{1,6})?")
_PHONE_DIGITS = range(5, 16)
"""E.164 has at most 15; five are a short local number."""

DESCRIBED = {
    "date": "a date such as 2026-03-01",
    "time": "a time such as 14:30",
    "date-time": "a date and time such as 2026-03-01T14:30:00Z",
    "duration": "a duration such as PT1H30M",
    "email": "an email address such as sam@example.com",
    "idn-email": "an email address such as sam@example.com",
    "phone": "a telephone number such as +1 415 555 0100",
    "uri": "a web address such as https://example.com",
    "url": "a web address such as https://example.com",
    "hostname": "a host name such as example.com",
    "ipv4": "an address such as 192.0.2.1",
    "ipv6": "an address such as 2001:db8::1",
    "uuid": "a UUID",
}
"""For the model."""

PHONES = ("phone", "phone-number", "tel", "telephone", "e164")
"""No standard has one, and schemas do."""


def _is_time(value: str) -> bool:
    if _TIME.fullmatch(value) is None:
        return False
    time.fromisoformat(value.upper())
    return True


def _is_date_time(value: str) -> bool:
    day, mark, clock = value.replace(" ", "T", 1).upper().partition("T")
    if not mark or _DAY.fullmatch(day) is None or _TIME.fullmatch(clock) is None:
        return False
    datetime.fromisoformat(f"{day}T{clock}")
    return True


def _is_uri(value: str) -> bool:
    return _URI.fullmatch(value) is not None and bool(urlsplit(value).scheme)


def _is_phone(value: str) -> bool:
    digits = sum(letter.isdecimal() for letter in value)
    return _PHONE.fullmatch(value.strip()) is not None and digits in _PHONE_DIGITS


def _like(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


_OURS: dict[str, Callable[[str], bool]] = {
    "time": _is_time,
    "date-time": _is_date_time,
    "duration": _like(_DURATION),
    "email": _like(_EMAIL),
    "idn-email": _like(_EMAIL),
    "hostname": _like(_HOST),
    "uri": _is_uri,
    "url": _is_uri,
    **dict.fromkeys(PHONES, _is_phone),
}


def _of_text(check: Callable[[str], bool]) -> Callable[[Any], bool]:
    """The check for values that are texts; others have no format."""
    return lambda value: not isinstance(value, str) or (len(value) <= LONGEST and check(value))


def _formats() -> FormatChecker:
    checker = FormatChecker(("date", "ipv4", "ipv6", "uuid"))
    for name, check in _OURS.items():
        checker.checks(name, raises=ValueError)(_of_text(check))
    return checker


FORMATS = _formats()
"""For a validator of ``jsonschema``."""
