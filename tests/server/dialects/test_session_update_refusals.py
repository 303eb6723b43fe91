"""Updates that are refused, with the wire's exact words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from antiphon_protocol.errors import (
    InternalError,
    InvalidConfig,
    InvalidFormat,
    InvalidValue,
    ProtocolError,
)
from antiphon_protocol.session_config import (
    FORMER_VOICES,
    VOICES,
    AudioFormat,
    TurnDetection,
)
from antiphon_server.call.outbox import MOST_WAITING_BYTES
from antiphon_server.dialects.session_update import MOST_CONFIG_BYTES
from server.dialects.updates import POLICY, TOOL, applied, refused

_NO_LLM = (
    "BYO LLM config is not allowed on session.update; define it on a stored agent via "
    "POST /v1/agents"
)
_NO_KEYPAD = (
    "tool 'f' collects 'pin' from the phone keypad (DTMF), which only exists on telephony calls"
)


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
        (
            {"llm": [{"base_url": "https://example.com", "model": "m"}]},
            InvalidValue,
            _NO_LLM,
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
            _NO_KEYPAD,
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
    error = refused(session)
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
        (
            {"tools": [TOOL, {**TOOL, "name": "g", "timeout_seconds": 301}]},
            "tools[1].timeout_seconds",
        ),
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
    error = refused(session)
    assert (type(error), error.param, error.close_code) == (InvalidValue, path, POLICY)
    assert f"'{path}' must be" in error.message
    if path != "greeting":
        later = refused(session, first=False)
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
    applied(session)


@pytest.mark.parametrize("rate", [8000, 16_000, 48_000, 0, -1, 10**30])
def test_another_rate_of_pcm_is_an_internal_error(rate: int) -> None:
    """Fatal with 1011 on the first update, in either direction (section 4.2), but not silent:
    the message says what to do.
    """
    for direction in ("input", "output"):
        error = refused({direction: {"format": {"encoding": "audio/pcm", "sample_rate": rate}}})
        assert isinstance(error, InternalError)
        assert error.close_code == 1011
        assert error.message.startswith("Internal service error")
        assert error.param == f"{direction}.format.sample_rate"


@pytest.mark.parametrize("rate", ["24000", 24_000.5, True, [24_000]])
def test_a_rate_that_is_no_number_is_a_wrong_shape(rate: object) -> None:
    """``invalid_format``, and the socket stays open."""
    error = refused({"input": {"format": {"sample_rate": rate}}})
    assert isinstance(error, InvalidFormat)
    assert error.close_code is None


def test_a_rate_with_a_fraction_of_zero_is_that_rate() -> None:
    """As JSON writes a rate that was computed; the echo has the integer."""
    config = applied({"input": {"format": {"encoding": "audio/pcm", "sample_rate": 24_000.0}}})
    assert repr(config.input.format.sample_rate) == "24000"


@pytest.mark.parametrize("encoding", ["audio/pcmu", "audio/pcma"])
@pytest.mark.parametrize("rate", [8000, 24_000, None, "x"])
def test_g711_has_one_rate_whatever_is_sent(encoding: str, rate: object) -> None:
    """``sample_rate`` is ignored and echoed as 8000 (section 7.1)."""
    given = {"encoding": encoding, "sample_rate": rate}
    config = applied({"input": {"format": given}, "output": {"format": given}})
    assert config.input.format == config.output.format == AudioFormat(encoding, 8000)  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", [7, ["audio/pcm"], {"a": 1}])
def test_an_encoding_of_another_type_is_refused(encoding: object) -> None:
    """Not a crash on what cannot be looked up."""
    assert refused({"input": {"format": {"encoding": encoding}}}).code == "invalid_value"


def test_names_of_former_voices_are_the_operators_choice() -> None:
    """Accepted by default, refused in strict mode (section 3.4)."""
    for voice in FORMER_VOICES:
        assert applied({"output": {"voice": voice}}).output.voice == voice
        error = refused({"output": {"voice": voice}}, former_voices=False)
        assert error.message.startswith(f"Invalid voice '{voice}'. Must be one of: alba, anna, ")


@pytest.mark.parametrize("requests", ["x", {"a": 1}, [1]])
def test_pre_connect_requests_of_another_shape_are_refused(requests: object) -> None:
    """They have no effect here, but their shape is checked."""
    assert refused({"pre_connect_requests": requests}).code == "invalid_format"


def test_a_long_minimum_moves_the_maximum() -> None:
    """A client that only asks for a long minimum means no contradiction; a later one counts
    from what is there.
    """
    for minimum, maximum in ((5000, 6000), (3000, 4000), (9500, 10_000), (10_000, 10_000)):
        detection = applied({"input": {"turn_detection": {"min_silence": minimum}}})
        assert detection.input.turn_detection is not None
        assert detection.input.turn_detection.max_silence == maximum
    first = applied({"input": {"turn_detection": {"min_silence": 400, "max_silence": 800}}})
    later = applied(
        {"input": {"turn_detection": {"interrupt_response": False}}}, first, first=False
    )
    assert later.input.turn_detection == TurnDetection(
        min_silence=400, max_silence=800, interrupt_response=False
    )


def test_a_configuration_that_is_too_large_to_be_echoed_is_refused() -> None:
    """Also when it grew piece by piece; up to the limit it is accepted, and its two echoes fit
    into what may wait for a client.
    """
    tools = [
        {**TOOL, "name": f"f{n}", "parameters": {"description": "x" * 30_000}} for n in range(6)
    ]
    large = applied({"tools": tools})
    assert 2 * len(msgspec.json.encode(large)) < MOST_WAITING_BYTES
    error = refused({"system_prompt": "x" * 30_000}, current=large, first=False)
    assert (error.code, error.param, error.close_code) == ("invalid_value", "session", None)
    assert str(MOST_CONFIG_BYTES) in error.message
    assert refused({"system_prompt": "é" * 131_072}).close_code == POLICY
    assert 2 * MOST_CONFIG_BYTES < MOST_WAITING_BYTES
