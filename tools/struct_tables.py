"""Structs as Markdown tables of their fields, for the reference pages."""

from __future__ import annotations

import json

from antiphon_protocol.json_schema import Schema, references
from generators.typescript import range_of, type_of

_HEAD = "| Field | Type | Required | Default | Range | Description |\n|---|---|---|---|---|---|"


def described(name: str, schema: Schema) -> str:
    """A heading, what a struct is, and its fields."""
    return f"### {name}\n\n{schema['description']}\n{fields_table(schema)}"


def fields_table(schema: Schema) -> str:
    """The fields of a struct, without the ``type`` that only says which message it is."""
    fields = {
        name: value
        for name, value in schema["properties"].items()
        if not (name == "type" and "const" in value and "description" not in value)
    }
    if not fields:
        return "\nNo fields.\n"
    rows = [_row(name, value, schema.get("required", ())) for name, value in fields.items()]
    return "\n".join(["", _HEAD, *rows, ""])


def linked(value: Schema) -> str:
    """The type; a struct's name leads to its table."""
    structs = sorted(references(value))
    links = [f"[{name}](#{name.lower()})" for name in structs]
    return f"`{type_of(value)}`" + (f" ({', '.join(links)})" if links else "")


def _row(name: str, value: Schema, required: tuple[str, ...]) -> str:
    default = f"`{json.dumps(value['default'])}`" if "default" in value else ""
    cells = [
        f"`{name}`",
        linked(value),
        "yes" if name in required else "no",
        default,
        range_of(value),
        value.get("description", ""),
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
