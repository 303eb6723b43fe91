"""Applying an update: what is merged, what is kept, what froze."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from antiphon_protocol.errors import (
    AgentIdNotFirst,
    ImmutableField,
    InvalidFormat,
)
from antiphon_protocol.session_config import (
    AudioFormat,
    InputConfig,
    OutputConfig,
    TurnDetection,
)
from antiphon_server.dialects import session_update
from server.dialects.updates import NOTHING, TOOL, applied, refused


def test_an_empty_update_is_the_defaults() -> None:
    """Adaptive endpointing, PCM at 24 kHz both ways, the default voice, no tools (2.3)."""
    config = applied({})
    assert config == NOTHING
    assert config.greeting is None
    assert config.system_prompt == ""
    assert config.input.turn_detection is None
    assert config.input.format == AudioFormat("audio/pcm", 24_000)
    assert config.output.voice == "anna"


def test_keys_that_are_absent_keep_their_value() -> None:
    """Sub-objects merge key by key (section 4.10)."""
    first = applied(
        {
            "system_prompt": "p",
            "greeting": "Hi.",
            "input": {"keyterms": ["Antiphon"], "transcription_mode": "min_latency"},
            "output": {"voice": "alba", "volume": 80},
            "tools": [TOOL],
        }
    )
    later = applied({"input": {"keyterms": ["Vespers"]}, "output": {}}, first, first=False)
    assert later.input == msgspec.structs.replace(first.input, keyterms=("Vespers",))
    assert (later.system_prompt, later.greeting) == ("p", "Hi.")
    assert (later.output, later.tools) == (first.output, first.tools)


def test_lists_are_replaced() -> None:
    """Tools and key terms are not added to."""
    first = applied({"tools": [TOOL, {**TOOL, "name": "g"}], "input": {"keyterms": ["a", "b"]}})
    later = applied(
        {"tools": [{**TOOL, "name": "h"}], "input": {"keyterms": ["c"]}}, first, first=False
    )
    assert [tool.name for tool in later.tools] == ["h"]
    assert later.input.keyterms == ("c",)
    assert applied({"tools": []}, later, first=False).tools == ()


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
    assert applied(nulls) == NOTHING
    assert applied({"input": None, "output": None}) == NOTHING
    tool = {**TOOL, "description": None, "parameters": None, "timeout_seconds": None}
    tool |= {"execution_mode": None, "response_instructions": None, "session_update": None}
    (made,) = applied({"tools": [tool]}).tools
    assert (made.description, made.parameters, made.timeout_seconds) == ("", {}, 120)
    detection = applied(
        {"input": {"turn_detection": dict.fromkeys(TurnDetection.__struct_fields__)}}
    ).input.turn_detection
    assert detection is not None
    assert (detection.min_silence, detection.max_silence) == (1000, 3000)


def test_null_takes_a_setting_back() -> None:
    """Volume, turn detection, key terms."""
    first = applied({"output": {"volume": 50}, "input": {"turn_detection": {}, "keyterms": ["a"]}})
    taken_back = {"output": {"volume": None}, "input": {"turn_detection": None, "keyterms": None}}
    later = applied(taken_back, first, first=False)
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
    assert applied(session).input.format == AudioFormat("audio/pcmu", 8000)
    with pytest.raises(InvalidFormat, match=r"Invalid message format for type 'session\.update'"):
        applied({"voice": "alba"})


def test_a_greeting_of_null_is_a_wrong_shape() -> None:
    """The one key for which null is refused, and the socket stays open (4.2)."""
    error = refused({"greeting": None})
    assert error.code == "invalid_format"
    assert error.close_code is None


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
    error = refused(session, first=False)
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
    first = applied(whole)
    assert applied(whole, first, first=False) == first


def test_an_agent_can_only_be_bound_first() -> None:
    """Later ``agent_id_not_first``, not fatal."""
    error = refused({"agent_id": "agent_1"}, first=False)
    assert type(error) is AgentIdNotFirst
    assert error.message == "agent_id can only be set on the first session.update"
    assert (error.param, error.close_code) == ("agent_id", None)


def test_a_refused_update_changes_nothing() -> None:
    """All of it is refused, also what was good (section 4.10)."""
    first = applied({"system_prompt": "p", "tools": [TOOL]})
    before = msgspec.json.encode(first)
    refused({"system_prompt": "q", "output": {"volume": 500}}, current=first, first=False)
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
    (made,) = applied({"tools": [tool]}).tools
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
    (made,) = applied({"tools": [{**TOOL, "parameters": {"enum": numbers}}]}).tools
    assert len(made.parameters["enum"]) == len(numbers)
    assert session_update.MOST_SCHEMA_BYTES == 32_768
