"""What kind a value is decides how it is judged."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.arguments.value_kinds import Facts, Kind, facts_of, kind_of, said_as_date


def kind(name: str, value: Any, **schema: Any) -> Kind:
    """Of a value with this name and schema."""
    return kind_of(name, value, facts_of(schema, schema))


@pytest.mark.parametrize(
    ("name", "value", "schema", "expected"),
    [
        ("x", " ", {}, Kind.EMPTY),
        ("email", "unknown", {"format": "email"}, Kind.EMPTY),
        ("order_id", "N/A", {}, Kind.EMPTY),
        ("allergies", "none", {}, Kind.PROSE),
        ("contact", "a@b.com", {}, Kind.EMAIL),
        ("x", "anything", {"format": "email"}, Kind.EMAIL),
        ("x", "123e4567-e89b-12d3-a456-426614174000", {}, Kind.UUID),
        ("when", "2026-03-01", {}, Kind.DATE),
        ("when", "6:30 PM", {}, Kind.DATE),
        ("mobilePhone", "555 0199", {}, Kind.PHONE),
        ("phone_number", "555 0199", {}, Kind.PHONE),
        ("x", "5550199", {"format": "tel"}, Kind.PHONE),
        ("orderId", "abc", {}, Kind.IDENTIFIER),
        ("x", "ORD-10423", {}, Kind.IDENTIFIER),
        ("x", "K7P2XQ", {}, Kind.IDENTIFIER),
        ("x", "ab", {"pattern": "[a-z]{2}"}, Kind.IDENTIFIER),
        ("order_number", 10423, {}, Kind.IDENTIFIER),
        ("page_number", 2, {}, Kind.PROSE),
        ("amount", 10423, {}, Kind.PROSE),
        ("customer_name", "ada", {}, Kind.PERSON),
        ("name", "Ada Lovelace", {}, Kind.PERSON),
        ("name", "shopping list", {}, Kind.PROSE),
        ("product_name", "Big Chair", {}, Kind.PROSE),
        ("note", "Call after 1830 about order 10423", {}, Kind.PROSE),
        ("note", "one two three four", {"pattern": ".*"}, Kind.PROSE),
        ("price", "$1,250.00", {}, Kind.PROSE),
        ("month", "May 2027", {}, Kind.PROSE),
        ("", "x", {}, Kind.PROSE),
    ],
)
def test_the_kind_follows_from_schema_name_and_looks(
    name: str, value: Any, schema: dict[str, Any], expected: Kind
) -> None:
    """In this order; free text is what is left."""
    assert kind(name, value, **schema) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01", (date(2026, 3, 1), None)),
        ("2026-03-01T14:30:00Z", (date(2026, 3, 1), time(14, 30))),
        ("14:30", (None, time(14, 30))),
        ("3/4/26", (date(2026, 3, 4), None)),
        ("31.3.2026", (date(2026, 3, 31), None)),
        ("31/31/2026", None),
        ("25:00", None),
        ("2026-02-30", None),
        ("tomorrow", None),
        ("10423", None),
    ],
)
def test_dates_and_times_are_known_by_their_form(text: str, expected: Any) -> None:
    """Those that exist."""
    said = said_as_date(text)
    bare = (said[0], said[1].replace(tzinfo=None) if said[1] else None) if said else None
    assert bare == expected


def test_what_a_schema_names_itself_is_known() -> None:
    """Choices, constants, defaults and examples, through references; true is not 1."""
    schema = {
        "$defs": {"unit": {"enum": ["C", "F"]}},
        "properties": {"unit": {"$ref": "#/$defs/unit"}, "n": {"default": 1}, "c": {"const": "k"}},
    }
    facts = facts_of(schema, schema)
    assert facts.property("unit").names("F")
    assert facts.property("n").names(1)
    assert not facts.property("n").names(True)
    assert facts.property("c").names("k")
    assert not facts.property("other").names("k")


def test_a_schema_that_refers_to_itself_is_read_once() -> None:
    """And one that refers to nowhere has nothing to say."""
    loop = {"$ref": "#", "anyOf": [{"$ref": "#/anyOf/0"}, {"$ref": "#/nowhere"}]}
    assert isinstance(facts_of(loop, loop), Facts)


@given(st.text(max_size=60))
def test_any_text_has_a_kind(text: str) -> None:
    """Whatever it is."""
    assert isinstance(kind("x", text), Kind)
