"""The JSON Schema file, judged by an independent validator."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from antiphon_protocol import codec
from generators.json_schema import schema
from node_tools import NODE, NODE_ROOT
from protocol.wire_strategies import SERVER_MESSAGES
from wire_examples import examples_of
from wire_model import CLIENT_MESSAGES
from wire_model import SERVER_MESSAGES as SERVER_KINDS

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
        (SERVER, CLIENT, SERVER_KINDS),
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


@settings(
    max_examples=3, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(messages=st.lists(SERVER_MESSAGES, min_size=20, max_size=20))
def test_the_schema_knows_every_field_the_server_sends(messages: list[Any]) -> None:
    """Arbitrary values break ranges, but never the names and types of fields."""
    cases = [(SERVER, json.loads(codec.encode(message))) for message in messages]
    strays = {"must have required property", "must NOT have additional properties"}
    for found in _errors(cases):
        assert not [error for error in found for stray in strays if error.startswith(stray)]
