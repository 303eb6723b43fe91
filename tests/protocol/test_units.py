"""Declarations of meaning and range."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Struct

from antiphon_protocol.units import one_of, ranged, says, shaped


class Example(Struct):
    """A struct with one field of each kind of declaration."""

    volume: Annotated[float | None, ranged("Percent.", ge=0, le=100)] = None
    words: Annotated[tuple[str, ...], ranged("Words.", min_items=1, max_items=3)] = ()
    secret: Annotated[str, ranged("Secret.", min_length=2, max_length=4)] = ""
    name: Annotated[str, says("Name.")] = ""
    code: Annotated[str, one_of("Code.", ("a", "b"))] = "a"
    shape: Annotated[Any, shaped("Shape.", dict[str, int])] = None
    word: Annotated[str, ranged("Word.", max_length=3, pattern="^[a-z]*$")] = ""


def _schema(field: str) -> dict[str, Any]:
    properties = msgspec.json.schema(Example)["$defs"]["Example"]["properties"]
    return {key: value for key, value in properties[field].items() if key != "default"}


def test_a_range_reaches_the_schema_with_its_meaning() -> None:
    """The docs and the types of other languages are made from the schema."""
    assert _schema("volume").items() >= {
        "description": "Percent.", "minimum": 0, "maximum": 100,
    }.items()  # fmt: skip
    assert _schema("words").items() >= {"minItems": 1, "maxItems": 3}.items()
    assert _schema("secret").items() >= {"minLength": 2, "maxLength": 4}.items()


def test_a_pattern_reaches_the_schema_and_whoever_checks_it() -> None:
    """It is no limit that ``ranges`` compares with."""
    assert _schema("word").items() >= {"maxLength": 3, "pattern": "^[a-z]*$"}.items()
    note = ranged("Word.", max_length=3, pattern="^[a-z]*$")
    assert note.extra == {"limits": {"maxLength": 3}, "pattern": "^[a-z]*$"}


def test_a_limit_that_was_not_given_is_not_in_the_schema() -> None:
    """Null would not be a valid limit."""
    assert ranged("Seconds.", ge=1).extra_json_schema == {"minimum": 1}


def test_a_range_does_not_concern_the_decoder() -> None:
    """A value out of range is ``invalid_value`` later, not ``invalid_format`` now."""
    frame = b'{"volume":101,"words":["a","b","c","d"],"secret":"abcde","code":"z"}'
    decoded = msgspec.json.decode(frame, type=Example)
    assert decoded.volume == 101
    assert decoded.code == "z"


def test_known_values_and_meanings_reach_the_schema() -> None:
    """A string with known values is an enum for the reader only."""
    assert _schema("name") == {"description": "Name.", "type": "string"}
    assert _schema("code") == {"description": "Code.", "enum": ["a", "b"], "type": "string"}


def test_a_shaped_field_takes_any_json_and_remembers_its_shape() -> None:
    """The server answers a wrong shape there with an error of its own."""
    assert msgspec.json.decode(b'{"shape":"text"}', type=Example).shape == "text"
    assert shaped("Shape.", dict[str, int]).extra == {"shape": dict[str, int]}
