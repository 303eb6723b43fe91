"""The types of the REST API as JSON Schema, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import Struct, inspect

from antiphon_protocol.json_schema import (
    Schema,
    give_limits_to_their_type,
    markdown,
    reachable,
    shapes,
    single_values_are_constants,
)

REF = "#/components/schemas/{name}"


def components(
    taken: Iterable[type[Struct]], answered: Iterable[type[Struct]]
) -> dict[str, Schema]:
    """The schema of every struct that is taken or answered, or is part of one.

    What the server only answers with is whole: all its fields are required. Raises
    ``ValueError`` for two structs of one name.
    """
    roots = sorted({*taken, *answered}, key=lambda kind: kind.__name__)
    structs = _structs(roots)
    _, schemas = msgspec.json.schema_components(structs.values(), ref_template=REF)
    for name, kind in structs.items():
        for field, shape in shapes(kind).items():
            (schema,), more = msgspec.json.schema_components([shape], ref_template=REF)
            schemas[name]["properties"][field] |= schema
            schemas |= {inner: found for inner, found in more.items() if inner not in schemas}
    partial = reachable({kind.__name__ for kind in taken}, schemas)
    for name in schemas:
        _finish(schemas[name], structs[name], is_whole=name not in partial)
    # As a reader gets it: lists where Python has tuples.
    written: dict[str, Schema] = msgspec.json.decode(
        msgspec.json.encode(dict(sorted(schemas.items())))
    )
    return written


def _structs(roots: Iterable[type[Struct]]) -> dict[str, type[Struct]]:
    found: dict[str, type[Struct]] = {}
    for kind in (inner for root in roots for inner in _within(inspect.type_info(root))):
        if found.setdefault(kind.__name__, kind) is not kind:
            raise ValueError(f"there are two structs named {kind.__name__}")
    return found


def _within(known: inspect.Type) -> Iterator[type[Struct]]:
    """Every struct in a type, also in the shapes of fields that decoders pass through."""
    if isinstance(known, inspect.Metadata):
        yield from _within(known.type)
        if "shape" in (known.extra or {}):
            yield from _within(inspect.type_info((known.extra or {})["shape"]))
    elif isinstance(known, inspect.StructType):
        yield known.cls
        for field in known.fields:
            yield from _within(field.type)
    elif isinstance(known, inspect.UnionType):
        for one in known.types:
            yield from _within(one)
    elif isinstance(known, inspect.VarTupleType | inspect.ListType):
        yield from _within(known.item_type)
    elif isinstance(known, inspect.DictType):
        yield from _within(known.value_type)


def _finish(schema: Schema, kind: type[Struct], *, is_whole: bool) -> None:
    schema["description"] = markdown(schema["description"])
    schema.pop("title", None)
    for value in schema["properties"].values():
        _choices_are_of_entries(value)
        single_values_are_constants(value)
        give_limits_to_their_type(value)
    if is_whole:
        schema["required"] = [name for name in schema["properties"] if name in _always(kind)]
        for value in schema["properties"].values():
            value.pop("default", None)
    if not schema.get("required"):
        schema.pop("required", None)


def _choices_are_of_entries(value: Schema) -> None:
    """Moves the values a list may hold to its entries, of which ``units.one_of`` knows nothing."""
    if value.get("type") == "array" and "enum" in value:
        value["items"] = {**value["items"], "enum": value.pop("enum")}


def _always(kind: type[Struct]) -> set[str]:
    """The fields that are in every answer: the encoder leaves out what is unset."""
    fields: Iterable[Any] = msgspec.structs.fields(kind)
    if kind.__struct_config__.omit_defaults:
        return {field.encode_name for field in fields if field.required}
    return {field.encode_name for field in fields if field.default is not msgspec.UNSET}
