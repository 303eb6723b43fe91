"""The messages as JSON Schema 2020-12."""

from __future__ import annotations

import json

from wire_model import Schema, definitions, unions

PATH = "docs/reference/voice_agent.schema.json"


def outputs() -> dict[str, str]:
    """The schema file."""
    return {PATH: json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"}


def schema() -> Schema:
    """One document: a frame is a client's or the server's message."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:antiphon:voice-agent",
        "title": "Voice agent messages",
        "description": (
            "Every message of `/v1/ws`. Validate against `#/$defs/ClientMessage` or "
            "`#/$defs/ServerMessage`."
        ),
        "oneOf": [{"$ref": "#/$defs/ClientMessage"}, {"$ref": "#/$defs/ServerMessage"}],
        "$defs": unions() | definitions(),
    }
