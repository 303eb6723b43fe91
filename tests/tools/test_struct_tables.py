"""Structs as tables."""

from __future__ import annotations

from struct_tables import described, fields_table, linked

REF = {"$ref": "#/$defs/Part"}
SCHEMA = {
    "description": "A thing.",
    "properties": {
        "type": {"const": "thing"},
        "word": {"type": "string", "maxLength": 3, "default": "a", "description": "One | two."},
        "part": {"anyOf": [REF, {"type": "null"}], "description": "A part."},
    },
    "required": ["type", "part"],
}


def test_a_field_has_a_row() -> None:
    """With its type, default and range; what only tells messages apart has none."""
    rows = fields_table(SCHEMA).splitlines()
    assert rows[3:] == [
        '| `word` | `string` | no | `"a"` | at most 3 characters | One \\| two. |',
        "| `part` | `Part \\| null` ([Part](#part)) | yes |  |  | A part. |",
    ]


def test_a_struct_without_fields_says_so() -> None:
    """There is no empty table."""
    assert fields_table({"properties": {"type": {"const": "x"}}}) == "\nNo fields.\n"


def test_a_struct_has_a_heading_that_links_lead_to() -> None:
    """The anchor is the name in small letters."""
    assert described("Thing", SCHEMA).startswith("### Thing\n\nA thing.\n\n| Field |")
    assert linked(REF) == "`Part` ([Part](#part))"
