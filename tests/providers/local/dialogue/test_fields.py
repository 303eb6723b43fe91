"""What a tool needs to know, and how it asks."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon_providers.interfaces import ToolSpec
from antiphon_providers.local.dialogue.fields import Field, form_of, kind_of, question
from providers.local.dialogue.talking import BOOK, LIGHT, PIZZA


def field(name: str, /, **schema: Any) -> Field:
    """A required field at the top."""
    return Field((name,), schema, schema, True)


@pytest.mark.parametrize(
    ("name", "schema", "asked"),
    [
        ("people", {"type": "integer", "description": "Number of people"}, "How many people?"),
        ("city", {}, "Which city?"),
        ("date", {"format": "date"}, "What date would you like?"),
        ("q", {"description": "What shall I look for?"}, "What shall I look for?"),
        ("size", {"enum": ["s", "m"]}, "Which size would you like: s or m?"),
        ("gift", {"type": "boolean"}, "Is it gift, yes or no?"),
        ("orderId", {"type": "string"}, "What is the order id?"),
        ("toppings", {"type": "array"}, "What are the toppings? You can name several."),
    ],
)
def test_a_question_comes_from_the_description_or_the_name(
    name: str, schema: dict[str, Any], asked: str
) -> None:
    """It is what a person would ask, as far as the schema tells."""
    assert question(field(name, **schema)) == asked


@pytest.mark.parametrize(
    ("name", "schema", "kind"),
    [
        ("when", {"format": "date-time"}, "moment"),
        ("phone_number", {}, "phone"),
        ("customer_name", {}, "name"),
        ("product_name", {}, "text"),
        ("day", {"description": "YYYY-MM-DD"}, "date"),
        ("n", {"type": "integer"}, "integer"),
        ("zip_code", {}, "code"),
        ("x", {"const": 1}, "const"),
        ("x", {"format": 7}, "text"),
    ],
)
def test_a_field_is_listened_for_by_its_format_or_its_name(
    name: str, schema: dict[str, Any], kind: str
) -> None:
    """Where the schema does not say how a string looks, its name does."""
    assert kind_of(field(name, **schema)) == kind


def test_nested_objects_are_asked_leaf_by_leaf() -> None:
    """The required leaf of a required object is a required field with a path."""
    paths = [f.path for f in form_of(PIZZA).fields if f.required]
    assert ("address", "street") in paths
    street = next(f for f in form_of(PIZZA).fields if f.path[-1] == "street")
    assert question(street) == "What is the street of the address?"
    assert all(len(f.path) == 1 for t in (BOOK, LIGHT) for f in form_of(t).fields)


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"properties": None, "required": "x"},
        {"properties": {"a": 7, "b": None}, "required": [1, None, {}]},
        {"type": "array"},
        {"type": {"type": "object"}},
    ],
)
def test_a_schema_that_is_none_has_no_required_field(parameters: dict[str, Any]) -> None:
    """Mistakes in a schema ask the caller for nothing."""
    form = form_of(ToolSpec("t", "", parameters))
    assert not [f for f in form.fields if f.required]
    assert form.obstacle is None


def test_a_required_part_that_cannot_be_spoken_is_an_obstacle() -> None:
    """It is named; an optional one is left out."""
    schema = {"properties": {"x": {"$ref": "#"}, "y": {"not": {}}}, "required": ["x"]}
    assert form_of(ToolSpec("t", "", schema)).obstacle == "x"
    many = {
        "properties": {f"p{i}": {} for i in range(99)},
        "required": [f"p{i}" for i in range(99)],
    }
    assert form_of(ToolSpec("t", "", many)).obstacle == "p24"
