"""As much of JSON Schema as can be filled by voice."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon_providers.local.dialogue.schema import fillable, narrowed, objection, type_of


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        (3, {"type": "integer", "minimum": 1, "maximum": 3}),
        (3.0, {"type": "integer"}),
        ("a", {"enum": ["a", "b"]}),
        (None, {"type": ["string", "null"]}),
        (0.3, {"multipleOf": 0.1}),
        (["a"], {"type": "array", "items": {"type": "string"}, "minItems": 1}),
        ({"a": 1}, {"type": "object", "properties": {"a": {}}, "required": ["a"]}),
        (1, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ("x", True),
        ("x", {"minimum": "nonsense", "required": 7, "pattern": 9, "enum": "no list"}),
    ],
)
def test_a_valid_value_meets_no_objection(value: Any, schema: Any) -> None:
    """Keywords that are no keywords, of the wrong type, constrain nothing."""
    assert objection(value, schema) is None


@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        (0, {"minimum": 1}, "at least 1"),
        (11, {"maximum": 10}, "at most 10"),
        (1, {"exclusiveMinimum": 1}, "more than 1"),
        (7, {"multipleOf": 5}, "a multiple of 5"),
        (True, {"type": "integer"}, "a whole number"),
        (1, {"enum": [True]}, "one of True"),
        ("c", {"enum": ["a", "b"]}, "one of a or b"),
        ("ab", {"maxLength": 1}, "at most 1 characters"),
        ("x", {"pattern": "\\d"}, "a different form"),
        (["a", "a"], {"uniqueItems": True}, "different ones"),
        ([], {"minItems": 1}, "at least 1 of them"),
        ({}, {"required": ["street"]}, "street"),
        ({"b": 1}, {"additionalProperties": False}, "something I cannot take by voice"),
        (1, {"oneOf": [{"type": "integer"}, {"minimum": 0}]}, "something else"),
        (1, {"$ref": "#"}, "something I cannot take by voice"),
        (1, False, "something I cannot take by voice"),
        (5, {"minimum": 10**400}, "at least inf"),
    ],
)
def test_an_objection_says_what_was_expected(value: Any, schema: Any, expected: str) -> None:
    """The words follow ``I need``."""
    assert objection(value, schema) == expected


def test_the_first_alternative_that_is_not_null_is_asked_for() -> None:
    """``anyOf`` with null is how many tools write an optional value."""
    shape = narrowed({"anyOf": [{"type": "null"}, {"type": "integer"}], "title": "Count"})
    assert (type_of(shape), shape["title"]) == ("integer", "Count")
    assert type_of({"type": ["null", "number"]}) == "number"
    assert type_of({"type": [1, {}]}) == "string"


def test_endless_nesting_is_refused() -> None:
    """A schema deeper than anybody would answer is not followed."""
    deep: dict[str, Any] = {}
    for _ in range(2_000):
        deep = {"items": deep}
    assert not fillable(deep)
    assert objection([[[[[[[[]]]]]]]], deep) is not None
