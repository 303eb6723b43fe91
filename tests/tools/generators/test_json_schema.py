"""The JSON Schema file, judged by an independent validator."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from generators.json_schema import schema
from node_tools import NODE, NODE_ROOT
from wire_examples import examples_of
from wire_model import CLIENT_MESSAGES, SERVER_MESSAGES, tag

CLIENT, SERVER, EITHER = "#/$defs/ClientMessage", "#/$defs/ServerMessage", "#"


def _errors(cases: list[tuple[str, Any]]) -> list[list[str]]:
    """What the validator has against each instance."""
    done = subprocess.run(
        [NODE, "validate_schema.mjs"],
        cwd=NODE_ROOT,
        input=json.dumps({"schema": schema(), "cases": cases}),
        capture_output=True,
        check=True,
        text=True,
    )
    errors: list[list[str]] = json.loads(done.stdout)
    return errors


def test_every_example_is_valid_in_its_direction_only() -> None:
    """And in the schema of both directions."""
    cases: list[tuple[str, Any]] = []
    for here, there, kinds in (
        (CLIENT, SERVER, CLIENT_MESSAGES),
        (SERVER, CLIENT, SERVER_MESSAGES),
    ):
        for example in (example for kind in kinds for example in examples_of(kind)):
            cases += [(here, example), (EITHER, example), (there, example)]
    errors = _errors(cases)
    assert [found for found in errors[0::3] + errors[1::3] if found] == []
    assert all(errors[2::3])


def _update(**session: Any) -> tuple[str, Any]:
    return CLIENT, {"type": "session.update", "session": session}


def test_what_the_server_would_refuse_is_invalid() -> None:
    """Wrong types, unknown keys of the session, values out of range, a null greeting."""
    refused = [
        (CLIENT, {"type": "session.start"}),
        (CLIENT, {"type": "session.resume"}),
        (CLIENT, {"type": "input.audio", "audio": 7}),
        _update(voice="alba"),
        _update(greeting=None),
        _update(input={"turn_detection": {"min_silence": 49}}),
        _update(input={"keyterms": ["word"] * 101}),
        _update(input={"format": "audio/pcm"}),
        _update(output={"volume": 101}),
        _update(tools=[{"name": "f"}]),
        _update(tools=[{"type": "function", "name": "f", "timeout_seconds": 0}]),
        _update(webhook={"url": "u", "events": []}),
        (SERVER, {"type": "reply.done", "timestamp": 1.0, "reply_id": "r"}),
        (SERVER, {"type": "session.error", "timestamp": 1.0, "code": "nonsense"}),
    ]
    assert all(_errors(refused))


def test_what_the_server_accepts_is_valid() -> None:
    """Nulls, absent keys, unknown keys inside, both ends of a range."""
    accepted = [
        (CLIENT, {"type": "session.update"}),
        (CLIENT, {"type": "session.update", "session": None, "extra": 1}),
        _update(agent_id=None, input=None, output={"voice": None, "speed": 2}),
        _update(input={"turn_detection": {"min_silence": 50, "max_silence": 10_000}}),
        _update(input={"format": {"encoding": "audio/pcmu"}, "keyterms": None}),
        _update(tools=[{"type": "function", "name": "f", "parameters": None, "http": {}}]),
        (CLIENT, {"type": "tool.result", "call_id": "c", "result": "r", "is_error": None}),
    ]
    assert [found for found in _errors(accepted) if found] == []


def test_the_schema_has_the_fields_of_each_message_and_no_others() -> None:
    """The names are those on the wire."""
    for kind in (*CLIENT_MESSAGES, *SERVER_MESSAGES):
        properties = schema()["$defs"][kind.__name__]["properties"]
        assert set(properties) == {"type", *kind.__struct_fields__}
        assert properties["type"] == {"const": tag(kind)}
