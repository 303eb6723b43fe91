"""Applying an update: merged, refused or frozen, with the wire's exact words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.errors import (
    AgentIdNotFirst,
    AgentNotFound,
    ImmutableField,
    InternalError,
    InvalidConfig,
    InvalidFormat,
    InvalidValue,
    InvalidWebhook,
    ProtocolError,
)
from antiphon_protocol.session_config import (
    FORMER_VOICES,
    VOICES,
    AudioFormat,
    InputConfig,
    OutputConfig,
    SessionConfig,
    TurnDetection,
)
from antiphon_server.dialects import session_update
from antiphon_server.dialects.session_update import apply

TOOL = {"type": "function", "name": "f"}
NOTHING = SessionConfig("sess_1")
POLICY = 1008


def _apply(
    session: dict[str, Any],
    current: SessionConfig = NOTHING,
    *,
    first: bool = True,
    former_voices: bool = True,
) -> SessionConfig:
    """As the server does it: through the codec, then merged."""
    frame = msgspec.json.encode({"type": "session.update", "session": session})
    message = codec.decode_client(frame)
    assert isinstance(message, wire.UpdateSession)
    assert message.session is not None
    return apply(current, message.session, first=first, former_voices=former_voices)


def _refused(session: dict[str, Any], **how: Any) -> ProtocolError:
    with pytest.raises(ProtocolError) as refused:
        _apply(session, **how)
    first = how.get("first", True)
    return refused.value.on_first_update() if first else refused.value


# --- merging -------------------------------------------------------------------------------


def test_an_empty_update_is_the_defaults() -> None:
    """Adaptive endpointing, PCM at 24 kHz both ways, the default voice, no tools (2.3)."""
    config = _apply({})
    assert config == NOTHING
    assert config.greeting is None
    assert config.system_prompt == ""
    assert config.input.turn_detection is None
    assert config.input.format == AudioFormat("audio/pcm", 24_000)
    assert config.output.voice == "anna"


def test_keys_that_are_absent_keep_their_value() -> None:
    """Sub-objects merge key by key (section 4.10)."""
    first = _apply(
        {
            "system_prompt": "p",
            "greeting": "Hi.",
            "input": {"keyterms": ["Antiphon"], "transcription_mode": "min_latency"},
            "output": {"voice": "alba", "volume": 80},
            "tools": [TOOL],
        }
    )
    later = _apply({"input": {"keyterms": ["Vespers"]}, "output": {}}, first, first=False)
    assert later.input == msgspec.structs.replace(first.input, keyterms=("Vespers",))
    assert (later.system_prompt, later.greeting) == ("p", "Hi.")
    assert (later.output, later.tools) == (first.output, first.tools)


def test_lists_are_replaced() -> None:
    """Tools and key terms are not added to."""
    first = _apply({"tools": [TOOL, {**TOOL, "name": "g"}], "input": {"keyterms": ["a", "b"]}})
    later = _apply(
        {"tools": [{**TOOL, "name": "h"}], "input": {"keyterms": ["c"]}}, first, first=False
    )
    assert [tool.name for tool in later.tools] == ["h"]
    assert later.input.keyterms == ("c",)
    assert _apply({"tools": []}, later, first=False).tools == ()


def test_null_stands_for_the_default_everywhere() -> None:
    """Section 9, row 18; as Kotlin's and other clients send it."""
    nulls = {
        "agent_id": None,
        "system_prompt": None,
        "llm": None,
        "tools": None,
        "webhook": None,
        "pre_connect_requests": None,
        "input": dict.fromkeys(InputConfig.__struct_fields__),
        "output": dict.fromkeys(OutputConfig.__struct_fields__),
    }
    assert _apply(nulls) == NOTHING
    assert _apply({"input": None, "output": None}) == NOTHING
    tool = {**TOOL, "description": None, "parameters": None, "timeout_seconds": None}
    tool |= {"execution_mode": None, "response_instructions": None, "session_update": None}
    (made,) = _apply({"tools": [tool]}).tools
    assert (made.description, made.parameters, made.timeout_seconds) == ("", {}, 120)
    detection = _apply(
        {"input": {"turn_detection": dict.fromkeys(TurnDetection.__struct_fields__)}}
    ).input.turn_detection
    assert detection is not None
    assert (detection.min_silence, detection.max_silence) == (1000, 3000)


def test_null_takes_a_setting_back() -> None:
    """Volume, turn detection, key terms."""
    first = _apply(
        {"output": {"volume": 50}, "input": {"turn_detection": {}, "keyterms": ["a"]}}
    )
    taken_back = {"output": {"volume": None}, "input": {"turn_detection": None, "keyterms": None}}
    later = _apply(taken_back, first, first=False)
    assert later.output.volume is None
    assert later.input.turn_detection is None
    assert later.input.keyterms is None


def test_unknown_nested_keys_are_ignored() -> None:
    """Section 9, row 17; at the top level they are refused by the codec."""
    session = {
        "input": {"sample_rate": 1, "format": {"encoding": "audio/pcmu", "channels": 1}},
        "output": {"speed": 2},
        "tools": [{**TOOL, "strict": True}],
    }
    assert _apply(session).input.format == AudioFormat("audio/pcmu", 8000)
    with pytest.raises(InvalidFormat, match="Invalid message format for type 'session.update'"):
        _apply({"voice": "alba"})


def test_a_greeting_of_null_is_a_wrong_shape() -> None:
    """The one key for which null is refused, and the socket stays open (4.2)."""
    error = _refused({"greeting": None})
    assert error.code == "invalid_format"
    assert error.close_code is None


# --- refusals with their words -------------------------------------------------------------


@pytest.mark.parametrize(
    ("session", "kind", "message", "param", "close_code"),
    [
        (
            {"agent_id": "agent_1", "greeting": "Hi."},
            InvalidValue,
            "agent_id is mutually exclusive with other session fields",
            "agent_id",
            POLICY,
        ),
        ({"agent_id": "agent_1"}, AgentNotFound, "Agent not found", "agent_id", POLICY),
        (
            {"llm": [{"base_url": "https://example.com", "model": "m"}]},
            InvalidValue,
            "BYO LLM config is not allowed on session.update; define it on a stored agent via "
            "POST /v1/agents",
            "llm",
            POLICY,
        ),
        (
            {"output": {"voice": "nobody"}},
            InvalidValue,
            f"Invalid voice 'nobody'. Must be one of: {', '.join(sorted(VOICES))}",
            "output.voice",
            POLICY,
        ),
        (
            {"input": {"format": "pcm16"}},
            InvalidValue,
            "Audio format must be a JSON object",
            "format",
            POLICY,
        ),
        (
            {"output": {"format": {"encoding": "audio/opus"}}},
            InvalidValue,
            "Invalid encoding 'audio/opus'. Must be one of: audio/pcm, audio/pcmu, audio/pcma",
            "output.format.encoding",
            POLICY,
        ),
        (
            {"tools": [{**TOOL, "parameters": {"properties": []}}]},
            InvalidValue,
            "'tools[0].parameters.properties' must be an object",
            "tools[0].parameters.properties",
            POLICY,
        ),
        (
            {"tools": [TOOL, {**TOOL, "name": "g", "parameters": [1]}]},
            InvalidValue,
            "'tools[1].parameters' must be an object",
            "tools[1].parameters",
            POLICY,
        ),
        (
            {"tools": [{**TOOL, "dtmf_collected_arguments": [{"parameter_name": "pin"}]}]},
            InvalidValue,
            "tool 'f' collects 'pin' from the phone keypad (DTMF), which only exists on "
            "telephony calls",
            "tools[0].dtmf_collected_arguments",
            POLICY,
        ),
        (
            {"tools": [TOOL, TOOL]},
            InvalidValue,
            "'tools[1].name' must be unique: 'f' is taken",
            "tools[1].name",
            POLICY,
        ),
        (
            {"tools": [{**TOOL, "name": " "}]},
            InvalidValue,
            "'tools[0].name' must not be empty",
            "tools[0].name",
            POLICY,
        ),
        (
            {"webhook": {"url": "https://example.com", "events": ["session.started"]}},
            InvalidWebhook,
            "This server sends no webhooks",
            "webhook",
            POLICY,
        ),
        (
            {"input": {"type": "text"}},
            InvalidValue,
            "Text input is not available on this server",
            "input.type",
            POLICY,
        ),
        (
            {"output": {"type": "text"}},
            InvalidValue,
            "Text output is not available on this server",
            "output.type",
            POLICY,
        ),
        (
            {"input": {"turn_detection": {"min_silence": 2000, "max_silence": 1000}}},
            InvalidConfig,
            "'input.turn_detection.max_silence' must be more than 'min_silence'",
            "input.turn_detection.max_silence",
            POLICY,
        ),
        (
            {"input": {"turn_detection": {"min_silence": 1000, "max_silence": 1000}}},
            InvalidConfig,
            "'input.turn_detection.max_silence' must be more than 'min_silence'",
            "input.turn_detection.max_silence",
            POLICY,
        ),
    ],
)
def test_a_bad_first_update_is_refused_in_these_words(
    session: dict[str, Any],
    kind: type[ProtocolError],
    message: str,
    param: str,
    close_code: int,
) -> None:
    """Code, message, param and whether it is fatal (sections 3, 4.2 and 5.1)."""
    error = _refused(session)
    assert type(error) is kind
    assert (error.message, error.param, error.close_code) == (message, param, close_code)


@pytest.mark.parametrize(
    ("session", "path"),
    [
        ({"output": {"volume": 101}}, "output.volume"),
        ({"output": {"volume": -1}}, "output.volume"),
        ({"input": {"keyterms": ["k"] * 101}}, "input.keyterms"),
        ({"input": {"transcription_prompt": "p" * 1751}}, "input.transcription_prompt"),
        ({"input": {"voice_focus_threshold": 1.1}}, "input.voice_focus_threshold"),
        ({"input": {"turn_detection": {"vad_threshold": 2}}}, "input.turn_detection.vad_threshold"),
        ({"input": {"turn_detection": {"min_silence": 49}}}, "input.turn_detection.min_silence"),
        (
            {"input": {"turn_detection": {"min_silence": 20_000}}},
            "input.turn_detection.min_silence",
        ),
        (
            {"input": {"turn_detection": {"max_silence": 10**30}}},
            "input.turn_detection.max_silence",
        ),
        (
            {"input": {"turn_detection": {"interruption_delay": 1001}}},
            "input.turn_detection.interruption_delay",
        ),
        ({"tools": [{**TOOL, "timeout_seconds": 0.5}]}, "tools[0].timeout_seconds"),
        ({"tools": [TOOL, {**TOOL, "name": "g", "timeout_seconds": 301}]}, "tools[1].timeout_seconds"),
        (
            {"tools": [{**TOOL, "response_instructions": {"error": "e" * 501}}]},
            "tools[0].response_instructions.error",
        ),
        ({"tools": [{**TOOL, "name": f"f{n}"} for n in range(65)]}, "tools"),
        (
            {"tools": [{**TOOL, "parameters": {"description": "d" * 40_000}}]},
            "tools[0].parameters",
        ),
        ({"system_prompt": "p" * 131_073}, "system_prompt"),
        ({"greeting": "g" * 131_073}, "greeting"),
        ({"pre_connect_requests": [{}, {}, {}]}, "pre_connect_requests"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_path(session: dict[str, Any], path: str) -> None:
    """``invalid_value``: fatal on the first update, not later (section 9, row 32)."""
    error = _refused(session)
    assert (type(error), error.param, error.close_code) == (InvalidValue, path, POLICY)
    assert f"'{path}' must be" in error.message
    if path != "greeting":
        later = _refused(session, first=False)
        assert (type(later), later.param, later.close_code) == (InvalidValue, path, None)


@pytest.mark.parametrize(
    "session",
    [
        {"output": {"volume": 0}},
        {"output": {"volume": 100}},
        {"input": {"keyterms": ["k"] * 100}},
        {"input": {"transcription_prompt": "p" * 1750}},
        {"input": {"turn_detection": {"min_silence": 50, "max_silence": 10_000}}},
        {"input": {"turn_detection": {"vad_threshold": 0.15, "min_silence": 320}}},
        {"input": {"turn_detection": {"type": "server_vad"}}},
        {"tools": [{**TOOL, "timeout_seconds": 1}]},
        {"tools": [{**TOOL, "timeout_seconds": 300}]},
        {"tools": [{**TOOL, "name": f"f{n}"} for n in range(64)]},
        {"system_prompt": "p" * 131_072},
        {"greeting": ""},
        {"webhook": None},
    ],
)
def test_a_value_at_its_limit_is_accepted(session: dict[str, Any]) -> None:
    """Limits are inclusive, and what old clients send is legal (section 11.1)."""
    _apply(session)


@pytest.mark.parametrize("rate", [8000, 16_000, 48_000, 0, -1, 10**30])
def test_another_rate_of_pcm_is_an_internal_error(rate: int) -> None:
    """Fatal with 1011 on the first update, in either direction (section 4.2), but not silent:
    the message says what to do.
    """
    for direction in ("input", "output"):
        error = _refused({direction: {"format": {"encoding": "audio/pcm", "sample_rate": rate}}})
        assert isinstance(error, InternalError)
        assert error.close_code == 1011
        assert error.message.startswith("Internal service error")
        assert error.param == f"{direction}.format.sample_rate"


@pytest.mark.parametrize("rate", ["24000", 24_000.5, True, [24_000]])
def test_a_rate_that_is_no_number_is_a_wrong_shape(rate: object) -> None:
    """``invalid_format``, and the socket stays open."""
    error = _refused({"input": {"format": {"sample_rate": rate}}})
    assert isinstance(error, InvalidFormat)
    assert error.close_code is None


@pytest.mark.parametrize("encoding", ["audio/pcmu", "audio/pcma"])
@pytest.mark.parametrize("rate", [8000, 24_000, None, "x"])
def test_g711_has_one_rate_whatever_is_sent(encoding: str, rate: object) -> None:
    """``sample_rate`` is ignored and echoed as 8000 (section 7.1)."""
    given = {"encoding": encoding, "sample_rate": rate}
    config = _apply({"input": {"format": given}, "output": {"format": given}})
    assert config.input.format == config.output.format == AudioFormat(encoding, 8000)  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", [7, ["audio/pcm"], {"a": 1}])
def test_an_encoding_of_another_type_is_refused(encoding: object) -> None:
    """Not a crash on what cannot be looked up."""
    assert _refused({"input": {"format": {"encoding": encoding}}}).code == "invalid_value"


def test_names_of_former_voices_are_the_operators_choice() -> None:
    """Accepted by default, refused in strict mode (section 3.4)."""
    for voice in FORMER_VOICES:
        assert _apply({"output": {"voice": voice}}).output.voice == voice
        error = _refused({"output": {"voice": voice}}, former_voices=False)
        assert error.message.startswith(f"Invalid voice '{voice}'. Must be one of: alba, anna, ")


@pytest.mark.parametrize("requests", ["x", {"a": 1}, [1]])
def test_pre_connect_requests_of_another_shape_are_refused(requests: object) -> None:
    """They have no effect here, but their shape is checked."""
    assert _refused({"pre_connect_requests": requests}).code == "invalid_format"


def test_a_long_minimum_moves_the_maximum() -> None:
    """A client that only asks for a long minimum means no contradiction; a later one counts
    from what is there.
    """
    for minimum, maximum in ((5000, 6000), (3000, 4000), (9500, 10_000), (10_000, 10_000)):
        detection = _apply({"input": {"turn_detection": {"min_silence": minimum}}})
        assert detection.input.turn_detection is not None
        assert detection.input.turn_detection.max_silence == maximum
    first = _apply({"input": {"turn_detection": {"min_silence": 400, "max_silence": 800}}})
    later = _apply({"input": {"turn_detection": {"interrupt_response": False}}}, first, first=False)
    assert later.input.turn_detection == TurnDetection(
        min_silence=400, max_silence=800, interrupt_response=False
    )


# --- later updates -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("session", "path"),
    [
        ({"greeting": "Other."}, "greeting"),
        ({"input": {"format": {"encoding": "audio/pcmu"}}}, "input.format"),
        ({"input": {"format": {"sample_rate": 16_000}}}, "input.format"),
        ({"output": {"format": {"encoding": "audio/pcma"}}}, "output.format"),
        ({"output": {"format": {"sample_rate": 8000}}}, "output.format"),
        ({"output": {"voice": "alba"}}, "output.voice"),
        ({"output": {"voice": "nobody"}}, "output.voice"),
    ],
)
def test_what_froze_at_the_first_update_is_refused_later(
    session: dict[str, Any], path: str
) -> None:
    """``immutable_field`` with its words and path; the session goes on, whether or not the new
    value would have been good (section 3.1).
    """
    error = _refused(session, first=False)
    assert type(error) is ImmutableField
    assert error.message == f"'{path}' cannot be changed after the first session.update"
    assert (error.param, error.close_code) == (path, None)


def test_the_same_value_again_is_accepted() -> None:
    """Section 9, row 16: clients resend their whole configuration."""
    whole = {
        "system_prompt": "p",
        "greeting": "Hi.",
        "input": {"type": "audio", "format": {"encoding": "audio/pcm", "sample_rate": 24_000}},
        "output": {"type": "audio", "voice": "alba", "format": {"encoding": "audio/pcmu"}},
        "tools": [TOOL],
    }
    first = _apply(whole)
    assert _apply(whole, first, first=False) == first


def test_an_agent_can_only_be_bound_first() -> None:
    """Later ``agent_id_not_first``, not fatal."""
    error = _refused({"agent_id": "agent_1"}, first=False)
    assert type(error) is AgentIdNotFirst
    assert error.message == "agent_id can only be set on the first session.update"
    assert (error.param, error.close_code) == ("agent_id", None)


def test_a_refused_update_changes_nothing() -> None:
    """All of it is refused, also what was good (section 4.10)."""
    first = _apply({"system_prompt": "p", "tools": [TOOL]})
    before = msgspec.json.encode(first)
    _refused({"system_prompt": "q", "output": {"volume": 500}}, current=first, first=False)
    assert msgspec.json.encode(first) == before


def test_a_tool_is_echoed_whole() -> None:
    """As given, completed by defaults (section 2.3)."""
    schema = {"type": "object", "properties": {"n": {"type": "string"}}, "required": ["n"]}
    tool = {
        **TOOL,
        "description": "d",
        "parameters": schema,
        "timeout_seconds": 30,
        "execution_mode": "hold",
        "response_instructions": {"success": "s"},
        "session_update": {"enabled": False},
    }
    (made,) = _apply({"tools": [tool]}).tools
    echoed = msgspec.to_builtins(made)
    assert echoed == {
        "type": "function",
        "name": "f",
        "description": "d",
        "parameters": schema,
        "timeout_seconds": 30,
        "execution_mode": "hold",
        "http": None,
        "response_instructions": {"success": "s", "error": None},
        "deployment_id": None,
        "session_update": {"enabled": False},
        "image_tag": None,
    }


def test_a_schema_with_numbers_of_any_size_is_measured() -> None:
    """Its size is that of its JSON; nothing in it can make the measuring fail."""
    numbers = [10**18, 10**30, 1e300, -(2**63), 0.1]
    (made,) = _apply({"tools": [{**TOOL, "parameters": {"enum": numbers}}]}).tools
    assert len(made.parameters["enum"]) == len(numbers)
    assert session_update.MOST_SCHEMA_BYTES == 32_768
