"""Answers to values."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from antiphon_providers.local.dialogue.fields import Field
from antiphon_providers.local.dialogue.values import bare, code_in, email_in, phone_in, read_answer

TODAY = date(2026, 11, 22)


def field(name: str, schema: dict[str, Any]) -> Field:
    """A required field at the top."""
    return Field((name,), schema, schema, True)


@pytest.mark.parametrize(
    ("name", "schema", "said", "value"),
    [
        ("n", {"type": "integer"}, "um four please", 4),
        ("n", {"type": "integer"}, "four five two", 452),
        ("n", {"type": "integer"}, "no, five", 5),
        ("n", {"type": "integer"}, "a couple", 2),
        ("x", {"type": "number"}, "two point five", 2.5),
        ("ok", {"type": "boolean"}, "yes please", True),
        ("ok", {"type": "boolean"}, "no thank you", False),
        ("on", {"type": "boolean"}, "turn it off", False),
        ("size", {"enum": ["small", "extra_large"]}, "extra large please", "extra_large"),
        ("size", {"enum": ["kitchen", "bedroom"]}, "the kitchin", "kitchen"),
        ("size", {"enum": [1, 2, 3]}, "two", 2),
        ("size", {"enum": ["alpha", "omega"]}, "the first one", "alpha"),
        ("day", {"format": "date"}, "tomorrow", "2026-11-23"),
        ("at", {"format": "time"}, "half past seven", "19:30"),
        ("at", {"format": "time", "pattern": "\\d{1,2}:\\d{2} [AP]M"}, "7 pm", "7:00 PM"),
        ("at", {"format": "date-time"}, "Friday at noon", "2026-11-27T12:00:00"),
        ("mail", {"format": "email"}, "it's sam dot lee at example dot com", "sam.lee@example.com"),
        ("phone", {}, "plus 44 1632 960 123", "+441632960123"),
        ("city", {}, "in New York please.", "New York"),
        ("name", {}, "my name is sam", "Sam"),
        ("code", {}, "A B one two", "AB12"),
        ("code", {"pattern": "\\d \\d \\d"}, "4 5 2", "4 5 2"),
        ("n", {"type": "string"}, "forty two", "42"),
        ("note", {}, "I'm running late", "I'm running late"),
        ("tags", {"type": "array", "items": {"type": "integer"}}, "one, two and three", [1, 2, 3]),
        ("fruit", {"type": "array", "items": {"type": "string"}}, "apples and pears",
         ["apples", "pears"]),
        ("x", {"const": "fixed"}, "whatever", "fixed"),
    ],
)  # fmt: skip
def test_an_answer_becomes_the_value_its_schema_takes(
    name: str, schema: dict[str, Any], said: str, value: Any
) -> None:
    """What was said is rewritten at most, and valid."""
    reading = read_answer(field(name, schema), said, TODAY)
    assert (reading.value, reading.complaint) == (value, None)


@pytest.mark.parametrize(
    ("schema", "said", "expected"),
    [
        ({"type": "integer", "maximum": 10}, "fifty", "at most 10"),
        ({"type": "integer"}, "lots", "a whole number"),
        ({"type": "integer"}, "two point five", "a whole number"),
        ({"type": "boolean"}, "maybe", "yes or no"),
        ({"enum": ["small", "large"]}, "purple", "one of small or large"),
        ({"format": "email"}, "sam", "an e-mail address, like sam at example dot com"),
        ({"format": "date"}, "whenever", "a date, like next Friday or December 3rd"),
        ({"format": "time"}, "whenever", "a time, like 7:30 PM"),
        ({"format": "phone"}, "12", "a phone number, digit by digit"),
        ({"pattern": "[A-Z]\\d", "examples": ["B7"]}, "hello", "something like B7"),
        ({"type": "array", "items": {"enum": ["ham"]}}, "rocks", "one or more of them"),
    ],
)
def test_an_answer_that_does_not_fit_says_what_would(
    schema: dict[str, Any], said: str, expected: str
) -> None:
    """The complaint is what to ask for."""
    assert read_answer(field("x", schema), said, TODAY).complaint == expected


def test_what_carries_an_answer_is_left_out() -> None:
    """Politeness and phrases like ``that would be`` are no part of it."""
    assert bare("Well, that would be Paris, please.") == "Paris"
    assert bare("please") == "please"
    assert bare("") == ""


def test_addresses_numbers_and_codes_need_what_makes_them_so() -> None:
    """Nothing is found where nothing was said."""
    assert email_in("at dot com") is None
    assert phone_in("nine one one") is None
    assert code_in("no digits here") is None
    assert email_in("a at " * 400) is None
