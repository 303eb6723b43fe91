"""What is added to msgspec's own JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Struct

from antiphon_protocol.json_schema import (
    Schema,
    give_limits_to_their_type,
    markdown,
    reachable,
    references,
    shapes,
    single_values_are_constants,
)
from antiphon_protocol.units import says, shaped

STRUCTS: dict[str, Schema] = {
    "A": {"properties": {"b": {"$ref": "#/$defs/B"}, "x": {"type": "string"}}},
    "B": {"properties": {"cs": {"type": "array", "items": {"$ref": "#/$defs/C"}}}},
    "C": {"properties": {"a": {"anyOf": [{"$ref": "#/$defs/A"}, {"type": "null"}]}}},
    "D": {"properties": {}},
}


class _Example(Struct):
    """A field with a shape, and one without."""

    free: Annotated[Any, shaped("Free.", dict[str, int])] = None
    plain: Annotated[str, says("Plain.")] = ""


def test_a_docstring_becomes_markdown() -> None:
    """Paragraphs on one line each, code in single backticks."""
    assert markdown("\n  First ``code``\n  goes on.\n\n  Second.\n") == (
        "First `code` goes on.\n\nSecond."
    )
    assert markdown("") == ""


def test_references_are_found_wherever_they_are() -> None:
    """In fields, lists and unions."""
    assert [references(schema) for schema in STRUCTS.values()] == [{"B"}, {"C"}, {"A"}, set()]
    assert references("#/$defs/A") == set()


def test_what_can_be_reached_is_found_once() -> None:
    """Also in a circle."""
    assert reachable({"B"}, STRUCTS) == {"A", "B", "C"}
    assert reachable({"D"}, STRUCTS) == {"D"}
    assert reachable(set(), STRUCTS) == set()


def test_shapes_of_fields_are_found_by_name() -> None:
    """Where the decoder passes them through."""
    assert shapes(_Example) == {"free": dict[str, int]}


def test_limits_go_to_the_type_they_are_about() -> None:
    """Null has none."""
    value = {"anyOf": [{"type": "integer"}, {"type": "null"}], "minimum": 1, "description": "d"}
    give_limits_to_their_type(value)
    assert value == {
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}], "description": "d",
    }  # fmt: skip
    plain = {"type": "integer", "minimum": 1}
    give_limits_to_their_type(plain)
    assert plain == {"type": "integer", "minimum": 1}


def test_one_value_is_a_constant() -> None:
    """Several are a choice."""
    one: Schema = {"enum": ["a"]}
    two: Schema = {"enum": ["a", "b"]}
    single_values_are_constants(one)
    single_values_are_constants(two)
    assert (one, two) == ({"const": "a"}, {"enum": ["a", "b"]})
