"""The session object."""

from __future__ import annotations

from typing import Any, get_type_hints

import msgspec
import pytest
from msgspec import UNSET, Struct

from antiphon_protocol import session_config as config
from antiphon_protocol.codec import decode_client
from antiphon_protocol.errors import InvalidFormat
from antiphon_protocol.session_config import SessionConfig, SessionUpdate, Tool
from antiphon_protocol.voice_agent import UpdateSession

PAIRS = [
    (config.SessionUpdate, config.SessionConfig),
    (config.InputUpdate, config.InputConfig),
    (config.OutputUpdate, config.OutputConfig),
    (config.TurnDetectionUpdate, config.TurnDetection),
    (config.AudioFormatUpdate, config.AudioFormat),
    (config.ToolUpdate, config.Tool),
]


def _update(session: Any) -> SessionUpdate:
    frame = msgspec.json.encode({"type": "session.update", "session": session})
    message = decode_client(frame)
    assert isinstance(message, UpdateSession)
    assert message.session is not None
    return message.session


def test_the_echo_has_every_key_of_the_hosted_one() -> None:
    """Section 2.3: clients read this object; a missing key would break them."""
    whole = SessionConfig(id="sess_1", tools=(Tool(name="f"),))
    echo = msgspec.json.decode(msgspec.json.encode(whole))
    assert set(echo) == {
        "id", "system_prompt", "greeting", "input", "output", "tools", "llm",
        "pre_connect_requests",
    }  # fmt: skip
    assert echo["input"] == {
        "type": "audio",
        "format": {"encoding": "audio/pcm", "sample_rate": 24_000},
        "turn_detection": None,
        "keyterms": None,
        "transcription_mode": None,
        "continuous_partials": None,
        "transcription_prompt": None,
        "language_codes": None,
        "voice_focus": None,
        "voice_focus_threshold": None,
    }
    assert echo["output"] == {
        "type": "audio",
        "voice": "anna",
        "format": {"encoding": "audio/pcm", "sample_rate": 24_000},
        "volume": None,
    }
    assert echo["tools"] == [
        {
            "name": "f",
            "type": "function",
            "description": "",
            "parameters": {},
            "timeout_seconds": 120,
            "execution_mode": "interactive",
            "http": None,
            "response_instructions": None,
            "deployment_id": None,
            "session_update": None,
            "image_tag": None,
        }
    ]


def test_turn_detection_has_the_defaults_of_the_hosted_schema() -> None:
    """Section 3.2."""
    assert msgspec.to_builtins(config.TurnDetection()) == {
        "type": None,
        "vad_threshold": 0.5,
        "min_silence": 1000,
        "max_silence": 3000,
        "interrupt_response": True,
        "interruption_delay": None,
        "uninterruptible_turns": (),
    }


@pytest.mark.parametrize(("sent", "effective"), PAIRS, ids=lambda kind: kind.__name__)
def test_what_a_client_may_send_has_a_place_in_the_configuration(
    sent: type[Struct], effective: type[Struct]
) -> None:
    """Keys without one are those that never become configuration of a socket's session."""
    elsewhere = {"agent_id", "webhook", "dtmf_collected_arguments"}
    assert set(sent.__struct_fields__) - elsewhere <= set(effective.__struct_fields__)


@pytest.mark.parametrize("sent", [kind for kind, _ in PAIRS], ids=lambda kind: kind.__name__)
def test_null_is_accepted_for_every_optional_key_but_greeting(sent: type[Struct]) -> None:
    """Real clients send null for what they do not set (section 9, row 18)."""
    required = {"name": "f", "type": "function"} if sent is config.ToolUpdate else {}
    for field in msgspec.structs.fields(sent):
        if field.name in required or (sent, field.name) == (SessionUpdate, "greeting"):
            continue
        value = msgspec.convert(required | {field.name: None}, sent)
        assert getattr(value, field.name) is None


def test_a_null_greeting_is_a_shape_error() -> None:
    """The hosted service refuses it with ``invalid_format`` and stays open (section 3.1)."""
    with pytest.raises(InvalidFormat, match=r"^Invalid message format for type 'session.update'$"):
        _update({"greeting": None})


@pytest.mark.parametrize("key", ["voice", "language", "model", "turn_detection", "config"])
def test_an_unknown_key_of_the_session_is_refused(key: str) -> None:
    """Section 3: only the nine keys of the schema may be at the top level."""
    with pytest.raises(InvalidFormat, match=r"^Invalid message format for type 'session.update'$"):
        _update({key: "x"})


def test_unknown_keys_further_inside_are_ignored() -> None:
    """Section 9, row 17: inside input, output and tools."""
    session = _update(
        {
            "input": {"gain": 1, "turn_detection": {"model": "x"}},
            "output": {"speed": 2},
            "tools": [{"type": "function", "name": "f", "http": {"url": "u"}}],
        }
    )
    assert session.input == config.InputUpdate(turn_detection=config.TurnDetectionUpdate())
    assert session.output == config.OutputUpdate()
    assert session.tools == (config.ToolUpdate("f", "function"),)


def test_an_absent_key_is_told_from_null() -> None:
    """Absent keeps the value, null sets the default."""
    session = _update({"output": {"volume": None}})
    assert isinstance(session.output, config.OutputUpdate)
    assert session.output.volume is None
    assert session.output.voice is UNSET
    assert session.tools is UNSET


@pytest.mark.parametrize(
    "session",
    [
        {"input": {"keyterms": "word"}},
        {"input": {"keyterms": [1]}},
        {"input": {"transcription_mode": "fast"}},
        {"input": {"turn_detection": {"min_silence": "320"}}},
        {"input": {"turn_detection": {"uninterruptible_turns": ["all"]}}},
        {"output": {"volume": "loud"}},
        {"output": []},
        {"tools": {"type": "function", "name": "f"}},
        {"tools": [{"name": "f"}]},
        {"tools": [{"type": "function"}]},
        {"tools": [{"type": "mcp", "name": "f"}]},
        {"system_prompt": 7},
        {"agent_id": 7},
        "text",
        [],
    ],
    ids=str,
)
def test_a_field_of_the_wrong_shape_is_refused(session: Any) -> None:
    """Missing and mistyped fields are ``invalid_format`` with one text (section 2.1)."""
    with pytest.raises(InvalidFormat, match=r"^Invalid message format for type 'session.update'$"):
        _update(session)


@pytest.mark.parametrize(
    "session",
    [
        {"input": {"format": "audio/pcm"}},
        {"output": {"format": {"encoding": "audio/mp3"}}},
        {"llm": [{"model": "x"}]},
        {"webhook": {"nonsense": True}},
        {"tools": [{"type": "function", "name": "f", "parameters": {"properties": 1}}]},
        {"output": {"volume": 1000}, "input": {"turn_detection": {"min_silence": 1}}},
    ],
    ids=str,
)
def test_what_has_an_answer_of_its_own_passes_the_decoder(session: Any) -> None:
    """These are ``invalid_value`` or ``invalid_webhook`` with a path, which the server says."""
    assert isinstance(_update(session), SessionUpdate)


def test_the_least_a_webhook_must_have_converts_and_more_does_not() -> None:
    """Section 3.1: extra keys are forbidden there."""
    least = {"url": "https://example.org", "events": ["session.started"]}
    assert msgspec.convert(least, config.Webhook).secret is None
    for bad in (least | {"retries": 3}, {"url": "u"}, least | {"events": ["session.paused"]}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(bad, config.Webhook)


def test_a_tool_is_sent_without_the_keys_nobody_set() -> None:
    """An update stays small; the server fills in the defaults."""
    assert msgspec.json.encode(config.ToolUpdate("f", "function")) == (
        b'{"name":"f","type":"function"}'
    )


def test_the_voices_are_listed_in_the_order_of_the_error_message() -> None:
    """Clients parse the list after ``one of:``; it is sorted (section 3.4)."""
    assert list(config.VOICES) == sorted(config.VOICES)
    assert len(config.VOICES) == 18
    assert config.DEFAULT_VOICE in config.VOICES
    assert list(config.FORMER_VOICES) == sorted(set(config.FORMER_VOICES) - set(config.VOICES))


def test_the_frozen_paths_lead_to_fields() -> None:
    """A path that names no field would freeze nothing."""
    for path in config.IMMUTABLE_PATHS:
        kind: Any = SessionConfig
        for name in path.split("."):
            assert name in kind.__struct_fields__
            kind = get_type_hints(kind)[name]
