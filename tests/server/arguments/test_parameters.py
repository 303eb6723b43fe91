"""Of a schema that is broken in places, the rest is used."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from antiphon_server.arguments.parameters import (
    DEEPEST,
    MOST_COMPLAINTS,
    compiled,
    read_parameters,
    usable,
)
from server.arguments.schema_strategies import HOSTILE, SCHEMAS


@given(SCHEMAS)
def test_a_right_schema_stays_as_it_is(schema: dict[str, Any]) -> None:
    """And nobody complains."""
    read = read_parameters(schema)
    assert (read.schema, read.complaints) == (schema, ())


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("type", "str"),
        ("type", []),
        ("type", [7]),
        ("required", True),
        ("required", "name"),
        ("required", ["a", 1]),
        ("enum", "red"),
        ("minimum", "1"),
        ("maximum", True),
        ("exclusiveMinimum", True),
        ("multipleOf", 0),
        ("multipleOf", -1),
        ("minLength", -1),
        ("maxItems", 1.5),
        ("maxItems", float("inf")),
        ("pattern", "("),
        ("pattern", 7),
        ("format", 7),
        ("uniqueItems", "yes"),
        ("properties", []),
        ("items", "string"),
        ("allOf", {}),
        ("anyOf", []),
        ("not", 7),
        ("dependentRequired", {"a": "b"}),
        ("$ref", "https://example.com/schema"),
        ("$ref", 7),
        ("unevaluatedProperties", False),
    ],
)
def test_a_keyword_that_cannot_be_used_is_left_out_and_named(keyword: str, value: Any) -> None:
    """With its path; its neighbours stay."""
    read = read_parameters({"properties": {"x": {keyword: value, "title": "X"}}})
    assert read.schema == {"properties": {"x": {"title": "X"}}}
    (complaint,) = read.complaints
    assert complaint.startswith(f"'properties.x.{keyword}' ")


def test_a_place_that_holds_no_schema_allows_everything() -> None:
    """``{"city": "string"}`` is a common slip."""
    read = read_parameters({"properties": {"city": "string", "n": {"type": "integer"}}})
    assert read.schema == {"properties": {"city": True, "n": {"type": "integer"}}}
    assert len(read.complaints) == 1


def test_limits_that_are_switches_belong_to_draft_4() -> None:
    """Only there."""
    limit = {"exclusiveMaximum": True}
    assert usable({"$schema": "http://json-schema.org/draft-04/schema#"} | limit) == []
    assert len(usable(limit)) == 1


def test_properties_may_have_the_names_of_keywords() -> None:
    """``id``, ``$schema`` and ``type`` are names like others."""
    named = {"id": {"type": "string"}, "$schema": {"type": "string"}, "type": {"type": "string"}}
    assert read_parameters({"properties": named}).schema == {"properties": named}


def test_values_are_no_schemas() -> None:
    """What stands in ``enum``, ``const``, ``default`` and ``examples`` is not read as one."""
    schema = {
        "enum": [{"type": "x"}],
        "const": {"required": 1},
        "default": {"pattern": "("},
        "examples": [{"$id": "x"}],
    }
    assert read_parameters(schema) == type(read_parameters({}))(schema)


def test_what_no_draft_knows_is_kept_without_a_word() -> None:
    """It may be what a reference points to, or somebody's own note."""
    schema = {"x-note": {"type": "whatever"}, "nullable": True, "title": "T"}
    read = read_parameters(schema)
    assert read.complaints == ()
    assert read.schema == {"x-note": {}, "nullable": True, "title": "T"}


def test_patterns_that_name_properties_must_be_usable_too() -> None:
    """Each for itself."""
    read = read_parameters({"patternProperties": {"(": {}, "^a": {"type": "string"}}})
    assert read.schema == {"patternProperties": {"^a": {"type": "string"}}}
    assert len(read.complaints) == 1


def test_what_is_too_deep_is_not_checked() -> None:
    """Nobody writes sixty levels by hand."""
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(DEEPEST + 10):
        schema = {"items": schema}
    assert len(usable(schema)) == 1


def test_complaints_are_few() -> None:
    """However much is wrong."""
    assert len(usable({"properties": {str(n): n for n in range(500)}})) == MOST_COMPLAINTS


def test_a_pattern_is_compiled_within_bounds() -> None:
    """Counted groups multiply what is counted in them."""
    assert compiled(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}") is not None
    assert compiled(r"[\w.+-]{1,64}@[\w-]{1,255}\.[a-z]{2,63}") is not None
    assert compiled(r"\p{Lu}\p{Ll}+") is not None
    for hostile in ("(a{1000}){1000}", "((a{99}){99}){99}", "a{30000}", "(" * 900, "a{20000}" * 9):
        assert compiled(hostile) is None


def test_all_patterns_of_a_schema_are_compiled_within_bounds() -> None:
    """Of a hundred and fifty ordinary ones each is used; of many costly ones, a few."""
    ordinary = {f"p{n}": {"pattern": rf"[A-Z]{{2}}-\d{{{n}}}"} for n in range(150)}
    assert usable({"properties": ordinary}) == []
    costly = {f"p{n}": {"pattern": f"(a{{19999}}){n}"} for n in range(500)}
    read = read_parameters({"properties": costly}).schema["properties"]
    assert 0 < sum("pattern" in one for one in read.values()) < 10
    read = read_parameters({"patternProperties": {one["pattern"]: {} for one in costly.values()}})
    assert 0 < len(read.schema["patternProperties"]) < 10


@given(HOSTILE)
def test_any_object_can_be_read(schema: dict[str, Any]) -> None:
    """And what was read needs no second reading."""
    read = read_parameters(schema)
    assert len(read.complaints) <= MOST_COMPLAINTS
    draft4 = {"$schema": schema["$schema"]} if isinstance(schema.get("$schema"), str) else {}
    assert read_parameters(draft4 | read.schema) == type(read)(read.schema)
