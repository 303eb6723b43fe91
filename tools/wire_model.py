"""The wire as one JSON Schema, from which schema, AsyncAPI, TypeScript and tables are made.

Everything is read from the message classes: names, fields, defaults, ranges, docstrings. What
msgspec's own schema cannot know is added here: that the server always sends every field but
those that are unset by default, what a field the decoder passes through ought to look like,
and which default counts for a key that a client never sends.
"""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

import msgspec
from msgspec import Struct

from antiphon_protocol import session_config, voice_agent
from antiphon_protocol.json_schema import (
    Schema,
    give_limits_to_their_type,
    markdown,
    reachable,
    references,
    shapes,
    single_values_are_constants,
)

__all__ = ["Schema", "markdown", "references"]

CLIENT_MESSAGES: tuple[type[Struct], ...] = get_args(voice_agent.FromClient)
SERVER_MESSAGES: tuple[type[Struct], ...] = get_args(voice_agent.FromServer)

EFFECTIVE: dict[str, type[Struct]] = {
    "SessionUpdate": session_config.SessionConfig,
    "InputUpdate": session_config.InputConfig,
    "OutputUpdate": session_config.OutputConfig,
    "TurnDetectionUpdate": session_config.TurnDetection,
    "AudioFormatUpdate": session_config.AudioFormat,
    "ToolUpdate": session_config.Tool,
}
"""Which struct holds the default of a key that a client never sends."""

_REF = "#/$defs/{name}"


def tag(kind: type[Struct]) -> str:
    """The value of a message's ``type``."""
    return str(kind.__struct_config__.tag)


def summary(schema: Schema) -> str:
    """The first paragraph of a type's description."""
    return str(schema["description"]).split("\n\n", maxsplit=1)[0]


@cache
def definitions() -> dict[str, Schema]:
    """Every struct of the wire by name, as JSON Schema 2020-12 with refs to ``#/$defs/NAME``."""
    of_fields = _shapes()
    (_, _, *shape_schemas), structs = msgspec.json.schema_components(
        [voice_agent.FromClient, voice_agent.FromServer, *of_fields.values()], ref_template=_REF
    )
    for (owner, name), shape in zip(of_fields, shape_schemas, strict=True):
        structs[owner]["properties"][name] |= shape
    from_clients = reachable({kind.__name__ for kind in CLIENT_MESSAGES}, structs)
    for name, schema in structs.items():
        _finish(name, schema, always_complete=name not in from_clients)
    return dict(structs)


def unions() -> dict[str, Schema]:
    """The two unions, told apart by ``type``."""
    return {
        "ClientMessage": _union("What a client may send.", CLIENT_MESSAGES),
        "ServerMessage": _union("What the server may send.", SERVER_MESSAGES),
    }


def _union(description: str, kinds: tuple[type[Struct], ...]) -> Schema:
    refs = {tag(kind): _REF.format(name=kind.__name__) for kind in kinds}
    return {
        "description": description,
        "oneOf": [{"$ref": ref} for ref in refs.values()],
        "discriminator": {"propertyName": "type", "mapping": refs},
    }


def _shapes() -> dict[tuple[str, str], Any]:
    """The type of each field that the decoder passes through, by struct and field name."""
    found: dict[tuple[str, str], Any] = {}
    for kind in vars(session_config).values():
        if isinstance(kind, type) and issubclass(kind, Struct) and kind is not Struct:
            found |= {(kind.__name__, name): shape for name, shape in shapes(kind).items()}
    return found


def _finish(name: str, schema: Schema, *, always_complete: bool) -> None:
    schema["description"] = markdown(schema["description"])
    effective = EFFECTIVE.get(name)
    unset = _unset_by_default(name)
    for field, value in schema["properties"].items():
        single_values_are_constants(value)
        give_limits_to_their_type(value)
        if effective:
            _take_default(field, value, effective)
    if always_complete:
        # The encoder leaves out what is unset, so a reader may rely on every other field.
        schema["required"] = [field for field in schema["properties"] if field not in unset]
        for value in schema["properties"].values():
            value.pop("default", None)
    if not schema["required"]:
        del schema["required"]


def _unset_by_default(name: str) -> set[str]:
    kind = {known.__name__: known for known in SERVER_MESSAGES}.get(name)
    known = () if kind is None else msgspec.structs.fields(kind)
    return {field.encode_name for field in known if field.default is msgspec.UNSET}


def _take_default(field: str, value: Schema, effective: type[Struct]) -> None:
    for known in msgspec.structs.fields(effective):
        if known.name != field:
            continue
        default = known.default
        if known.default_factory is not msgspec.NODEFAULT:
            default = known.default_factory()
        nullable = "anyOf" in value
        if isinstance(default, Struct) or (default is None and not nullable):
            continue
        if default is not msgspec.NODEFAULT:
            value["default"] = msgspec.to_builtins(default)
