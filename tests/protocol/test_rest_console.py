"""What the console is told."""

from __future__ import annotations

import inspect

import msgspec
import pytest

from antiphon_protocol import rest_console

BODIES = [
    kind
    for _, kind in inspect.getmembers(rest_console, inspect.isclass)
    if kind.__module__ == rest_console.__name__
]


@pytest.mark.parametrize("kind", BODIES, ids=lambda kind: kind.__name__)
def test_every_body_and_field_says_what_it_means(kind: type[msgspec.Struct]) -> None:
    """In the schema, from which documents are made."""
    _, definitions = msgspec.json.schema_components([kind])
    schema = definitions[kind.__name__]
    assert schema["description"]
    assert all(value.get("description") for value in schema["properties"].values())


@pytest.mark.parametrize("kind", BODIES, ids=lambda kind: kind.__name__)
def test_what_is_null_is_spelled_out(kind: type[msgspec.Struct]) -> None:
    """A page need not ask whether a field is there."""
    assert not kind.__struct_config__.omit_defaults


def test_a_key_needs_nothing_but_a_name() -> None:
    """The rest is as the command has it."""
    asked = msgspec.json.decode(b'{"name": "page"}', type=rest_console.KeyRequest)
    assert (asked.account, asked.scopes, asked.origins) == ("default", None, ())


def test_times_are_named_as_in_the_query() -> None:
    """``from`` is no name for a field in Python."""
    names = {field.encode_name for field in msgspec.structs.fields(rest_console.Latency)}
    assert names == {"step_seconds", "from", "to", "stages"}
