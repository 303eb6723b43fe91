"""What msgspec's own JSON Schema lacks, for every document that is made from it."""

from __future__ import annotations

import re
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from msgspec import Meta, Struct

Schema = dict[str, Any]

LIMITS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern")


def markdown(docstring: str) -> str:
    """A docstring as Markdown: paragraphs on one line, code in single backticks."""
    paragraphs = re.split(r"\n\s*\n", docstring.strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).replace("``", "`")


def references(schema: Any) -> set[str]:
    """The names of the structs a schema refers to."""
    if isinstance(schema, list):
        return set().union(*map(references, schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema["$ref"].rsplit("/", 1)[-1]} if isinstance(schema.get("$ref"), str) else set()
    return own.union(*map(references, schema.values()))


def reachable(names: set[str], structs: dict[str, Schema]) -> set[str]:
    """These structs and all they refer to."""
    seen: set[str] = set()
    while names:
        seen |= names
        names = set().union(*(references(structs[name]) for name in names)) - seen
    return seen


def shapes(kind: type[Struct]) -> dict[str, Any]:
    """The type of each field that the decoder passes through (``units.shaped``), by its name."""
    found = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        for note in get_args(hint)[1:] if get_origin(hint) is Annotated else ():
            if isinstance(note, Meta) and "shape" in (note.extra or {}):
                found[name] = (note.extra or {})["shape"]
    return found


def give_limits_to_their_type(value: Schema) -> None:
    """Moves the limits of a nullable field to where its type is: strict validators want that."""
    for option in value.get("anyOf", ()):
        if option != {"type": "null"}:
            option.update({key: value.pop(key) for key in LIMITS if key in value})


def single_values_are_constants(value: Schema) -> None:
    """An enumeration of one value is that value."""
    if len(value.get("enum", ())) == 1:
        value["const"] = value.pop("enum")[0]
