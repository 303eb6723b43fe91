"""Types as JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from msgspec import UNSET, Struct, UnsetType, defstruct

from antiphon_protocol.units import one_of, ranged, says, shaped
from antiphon_server.rest.openapi_schemas import components


class _Inside(Struct, frozen=True):
    """A part of both."""

    word: Annotated[str | None, ranged("A word.", max_length=3, pattern="^a*$")] = None


class _Shape(Struct, frozen=True):
    """What a field ought to be."""

    kind: Annotated[Literal["only"], says("A kind.")] = "only"


class _Taken(Struct, frozen=True):
    """What is taken, in ``code``.

    And more.
    """

    must: Annotated[int, ranged("A must.", ge=1)]
    inside: Annotated[tuple[_Inside, ...], ranged("Parts.", max_items=2)] = ()
    shape: Annotated[Any, shaped("A shape.", _Shape | None)] = UNSET


class _Part(Struct, frozen=True):
    """A part of answers only."""

    number: Annotated[int, says("A number.")] = 0


class _Told(Struct, frozen=True):
    """What is answered."""

    parts: Annotated[dict[str, _Part], says("Parts.")]
    inside: Annotated[_Inside | None, says("A part.")] = None
    events: Annotated[tuple[str, ...], one_of("Events.", ("a", "b"))] = ()
    perhaps: Annotated[str | UnsetType, says("Perhaps.")] = UNSET


class _Short(Struct, frozen=True, omit_defaults=True):
    """An answer that leaves out defaults."""

    always: int
    sometimes: int = 0


SCHEMAS = components({_Taken}, {_Told, _Short})


def test_every_struct_that_can_be_met_is_there() -> None:
    """By its name, also in the shapes of fields that decoders pass through."""
    assert list(SCHEMAS) == ["_Inside", "_Part", "_Shape", "_Short", "_Taken", "_Told"]
    assert SCHEMAS["_Taken"]["description"] == "What is taken, in `code`.\n\nAnd more."


def test_what_is_taken_keeps_its_defaults() -> None:
    """A client needs to send what has none; a part that is answered too is as lenient."""
    assert SCHEMAS["_Taken"]["required"] == ["must"]
    assert SCHEMAS["_Taken"]["properties"]["inside"]["default"] == []
    assert "required" not in SCHEMAS["_Inside"]


def test_what_is_answered_is_whole() -> None:
    """But for what is left out when it is unset, or its default."""
    assert SCHEMAS["_Told"]["required"] == ["parts", "inside", "events"]
    assert SCHEMAS["_Part"]["required"] == ["number"]
    assert "default" not in SCHEMAS["_Part"]["properties"]["number"]
    assert SCHEMAS["_Short"]["required"] == ["always"]


def test_limits_stand_where_their_type_does() -> None:
    """Also of what may be null, and of the entries of a list."""
    assert SCHEMAS["_Inside"]["properties"]["word"]["anyOf"] == [
        {"type": "string", "maxLength": 3, "pattern": "^a*$"},
        {"type": "null"},
    ]
    assert SCHEMAS["_Told"]["properties"]["events"]["items"] == {
        "type": "string", "enum": ["a", "b"],
    }  # fmt: skip
    assert "enum" not in SCHEMAS["_Told"]["properties"]["events"]
    assert SCHEMAS["_Shape"]["properties"]["kind"]["const"] == "only"
    assert SCHEMAS["_Taken"]["properties"]["shape"]["anyOf"][0] == {
        "$ref": "#/components/schemas/_Shape"
    }


def test_two_structs_of_one_name_are_an_error() -> None:
    """One would be described as the other."""
    other = defstruct("_Part", [("word", str)], namespace={"__doc__": "Another."})
    with pytest.raises(ValueError, match="two structs named _Part"):
        components({other}, {_Told})
