"""Every message against the tables of section 2."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest
from msgspec import Struct

from antiphon_protocol.voice_agent import FromClient, FromServer

# Optional fields have a question mark; the order is not meaningful.
CLIENT = {
    "session.update": "session?",
    "session.resume": "session_id last_seq?",
    "session.end": "",
    "input.audio": "audio",
    "tool.result": "call_id result is_error?",
    "reply.create": "instructions?",
    "reply.cancel": "reply_id",
    "conversation.message": "role content",
}

SERVER = {
    "session.ready": "session_id expires_at resume_token config",
    "session.updated": "config",
    "session.ended": "session_duration_seconds audio_duration_seconds",
    "session.error": "code message param? session_id?",
    "input.speech.started": "seq?",
    "input.speech.stopped": "seq?",
    "transcript.user.delta": "item_id text",
    "transcript.user": "item_id text seq?",
    "reply.started": "reply_id item_id seq?",
    "reply.audio": "reply_id data",
    "transcript.agent.delta": "reply_id item_id delta start_ms end_ms",
    "transcript.agent": "reply_id item_id text interrupted seq?",
    "reply.done": "reply_id status seq?",
    "reply.error": (
        "reply_id code message retryable status_code? provider_code? provider_param? seq?"
    ),
    "tool.call": "call_id name arguments args? seq?",
    "turn.timeline": "reply_id trigger stages providers reasons?",  # An extension.
}


def _fields(kind: type[Struct]) -> set[str]:
    return {
        field.name + ("" if field.required else "?")
        for field in msgspec.structs.fields(kind)
        if field.name != "timestamp"
    }


def _described(union: object) -> dict[str, set[str]]:
    return {str(kind.__struct_config__.tag): _fields(kind) for kind in get_args(union)}


def test_the_client_may_send_what_section_2_1_lists() -> None:
    """Types, fields and what may be left out."""
    assert _described(FromClient) == {tag: set(names.split()) for tag, names in CLIENT.items()}


def test_the_server_may_send_what_section_2_2_lists() -> None:
    """Types and fields; third-party clients drop an event that lacks one."""
    assert _described(FromServer) == {tag: set(names.split()) for tag, names in SERVER.items()}


@pytest.mark.parametrize("kind", get_args(FromServer), ids=lambda kind: kind.__name__)
def test_a_server_message_has_a_float_timestamp(kind: type[Struct]) -> None:
    """Section 2: Unix seconds as a float, in every event."""
    (timestamp,) = (f for f in msgspec.structs.fields(kind) if f.name == "timestamp")
    assert msgspec.json.decode(b"1790210425", type=timestamp.type) == 1790210425.0
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'"2026-09-24T00:52:06"', type=timestamp.type)


@pytest.mark.parametrize(
    "kind", [*get_args(FromClient), *get_args(FromServer)], ids=lambda kind: kind.__name__
)
def test_every_message_is_immutable_and_says_what_it_means(kind: type[Struct]) -> None:
    """A message can be handed on without a copy; the docs are made from docstrings."""
    assert kind.__struct_config__.frozen
    assert kind.__doc__


@pytest.mark.parametrize(
    "kind", [*get_args(FromClient), *get_args(FromServer)], ids=lambda kind: kind.__name__
)
def test_every_field_says_what_it_means(kind: type[Struct]) -> None:
    """A table of the reference page without a description would be of no use."""
    _, structs = msgspec.json.schema_components([kind])
    for name, schema in structs.items():
        for field, value in schema["properties"].items():
            is_tag = field == "type" and name == kind.__name__
            assert is_tag or value.get("description"), f"{name}.{field}"
