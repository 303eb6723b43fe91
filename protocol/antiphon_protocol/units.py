"""Numbers with their unit and their range in the type.

A range is *declared* here and *checked* by ``antiphon_protocol.ranges``, not by the decoder:
the wire answers a message of the wrong shape with ``invalid_format`` and a value out of range
with ``invalid_value`` and its path, so the two must be told apart by type, never by reading
the text of a decoder's error.
"""

from __future__ import annotations

from typing import Any

from msgspec import Meta


def ranged(
    description: str,
    *,
    ge: float | None = None,
    le: float | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    min_items: int | None = None,
    max_items: int | None = None,
    pattern: str | None = None,
) -> Meta:
    """A field's meaning and its limits, all inclusive; they reach the schema and the docs.

    ``*_length`` counts characters of a string, ``*_items`` entries of a list. ``pattern`` is a
    regular expression that JavaScript and Python read alike, with ``^`` and ``$``; the REST API
    checks it, ``antiphon_protocol.ranges`` does not.
    """
    limits = {
        "minimum": ge,
        "maximum": le,
        "minLength": min_length,
        "maxLength": max_length,
        "minItems": min_items,
        "maxItems": max_items,
    }
    schema: dict[str, Any] = {key: value for key, value in limits.items() if value is not None}
    extra: dict[str, Any] = {"limits": schema}
    if pattern is not None:
        extra["pattern"] = pattern
        schema = schema | {"pattern": pattern}
    return Meta(description=description, extra_json_schema=schema, extra=extra)


def says(description: str) -> Meta:
    """A field's meaning, for the schema and the docs."""
    return Meta(description=description)


def one_of(description: str, values: tuple[str, ...]) -> Meta:
    """A string with known values, for the schema and the docs.

    The decoder takes any string, so that a value added later does not make an old client
    drop the message.
    """
    return Meta(description=description, extra_json_schema={"enum": list(values)})


def shaped(description: str, shape: Any) -> Meta:
    """A field the decoder passes through as plain JSON, and the type it ought to have.

    The server converts it itself where the wire wants an answer of its own for a wrong shape
    (``Audio format must be a JSON object``, ``invalid_webhook``); schema and docs show
    ``shape``.
    """
    return Meta(description=description, extra={"shape": shape})
