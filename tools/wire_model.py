"""The wire as one JSON Schema, from which schema, AsyncAPI, TypeScript and tables are made.

Everything is read from the message classes: names, fields, defaults, ranges, docstrings. What
msgspec's own schema cannot know is added here: that the server always sends every field but
those that are unset by default, what a field the decoder passes through ought to look like,
and which default counts for a key that a client never sends.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from antiphon_protocol import session_config, voice_agent

Schema = dict[str, Any]

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

LIMITS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")

_REF = "#/$defs/{name}"


def tag(kind: type[Struct]) -> str:
    """The value of a message's ``type``."""
    return str(kind.__struct_config__.tag)


def markdown(docstring: str) -> str:
    """A docstring as Markdown: paragraphs on one line, code in single backticks."""
    paragraphs = re.split(r"\n\s*\n", docstring.strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs).replace("``", "`")


def summary(schema: Schema) -> str:
    """The first paragraph of a type's description."""
    return str(schema["description"]).split("\n\n", maxsplit=1)[0]


@cache
def definitions() -> dict[str, Schema]:
    """Every struct of the wire by name, as JSON Schema 2020-12 with refs to ``#/$defs/NAME``."""
    shapes = _shapes()
    (_, _, *shape_schemas), structs = msgspec.json.schema_components(
        [voice_agent.FromClient, voice_agent.FromServer, *shapes.values()], ref_template=_REF
    )
    for (owner, name), shape in zip(shapes, shape_schemas, strict=True):
        structs[owner]["properties"][name] |= shape
    from_clients = _reachable({kind.__name__ for kind in CLIENT_MESSAGES}, structs)
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
    found = {}
    for kind in vars(session_config).values():
        if not (isinstance(kind, type) and issubclass(kind, Struct) and kind is not Struct):
            continue
        for name, hint in get_type_hints(kind, include_extras=True).items():
            for note in get_args(hint)[1:] if get_origin(hint) is Annotated else ():
                if isinstance(note, Meta) and "shape" in (note.extra or {}):
                    found[kind.__name__, name] = (note.extra or {})["shape"]
    return found


def references(schema: Any) -> set[str]:
    """The names of the structs a schema refers to."""
    if isinstance(schema, list):
        return set().union(*map(references, schema))
    if not isinstance(schema, dict):
        return set()
    own = {schema["$ref"].rsplit("/", 1)[-1]} if isinstance(schema.get("$ref"), str) else set()
    return own.union(*map(references, schema.values()))


def _reachable(names: set[str], structs: dict[str, Schema]) -> set[str]:
    seen: set[str] = set()
    while names:
        seen |= names
        names = set().union(*(references(structs[name]) for name in names)) - seen
    return seen


def _finish(name: str, schema: Schema, *, always_complete: bool) -> None:
    schema["description"] = markdown(schema["description"])
    effective = EFFECTIVE.get(name)
    unset = _unset_by_default(name)
    for field, value in schema["properties"].items():
        if len(value.get("enum", ())) == 1:
            value["const"] = value.pop("enum")[0]
        _give_limits_to_their_type(value)
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


def _give_limits_to_their_type(value: Schema) -> None:
    """Moves the limits of a nullable field to where its type is: strict validators want that."""
    for option in value.get("anyOf", ()):
        if option != {"type": "null"}:
            option.update({key: value.pop(key) for key in LIMITS if key in value})


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
