"""What becomes of an agent when it is written."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from antiphon_protocol.rest_agents import AgentBody, AgentChange, AgentCreate
from antiphon_protocol.session_config import (
    FORMER_VOICES,
    VOICES,
    AudioFormat,
    InputConfig,
    OutputConfig,
    TurnDetection,
)
from antiphon_server.rest.agent_changes import Terms, blank, change_of, merged
from antiphon_server.rest.errors import Invalid
from antiphon_server.rest.shapes import shaped
from antiphon_server.store.bound_agents import AgentSecrets
from server.store.agent_bodies import FULL, PLAIN, SECRETS, SET_AT

LATER = SET_AT + timedelta(days=1)
TERMS = Terms(former_voices=True, now=LATER)
NOTHING = AgentSecrets()
TOOL = {"name": "f", "description": "Does."}
HTTP = {"url": "https://tools.example/f"}


def _changed(
    fields: dict[str, Any],
    body: AgentBody = FULL,
    kept: AgentSecrets = SECRETS,
    terms: Terms = TERMS,
) -> tuple[AgentBody, AgentSecrets]:
    change = shaped(fields, AgentChange)
    assert isinstance(change, AgentChange), change
    return merged(body, kept, change, terms)


def _refused(fields: dict[str, Any], **how: Any) -> tuple[str, str | None]:
    """The message without its path, and the path."""
    with pytest.raises(Invalid) as refused:
        _changed(fields, **how)
    told = refused.value.body("id")
    assert told.message == f"{told.param}: {refused.value.faults[0].msg}"
    return refused.value.faults[0].msg, told.param


def test_a_new_agent_has_the_defaults() -> None:
    """Those of a session, and the voice in both its places (section 6.2)."""
    create = AgentCreate(name="N", system_prompt="P", voice=FULL.voice)
    body, kept = merged(blank(), NOTHING, change_of(create), TERMS)
    assert kept == NOTHING
    assert body == AgentBody(
        name="N",
        system_prompt="P",
        voice=FULL.voice,
        input=InputConfig(),
        output=OutputConfig(voice="vera"),
    )
    assert body.platform_tools_enabled


def test_nothing_changes_what_is_not_named() -> None:
    """Also null, where there is nothing to clear."""
    assert _changed({}) == (FULL, SECRETS)
    nulls = dict.fromkeys(
        set(AgentChange.__struct_fields__) - {"greeting", "outbound_trunk_id", "caller_id"}
    )
    assert _changed(nulls) == (FULL, SECRETS)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": "New"}, {"name": "New"}),
        ({"system_prompt": ""}, {"system_prompt": ""}),
        ({"greeting": "Hi."}, {"greeting": "Hi."}),
        ({"greeting": None}, {"greeting": None}),
        ({"caller_id": "+15551234567"}, {"caller_id": "+15551234567"}),
        (
            {"caller_id": None, "outbound_trunk_id": None},
            {"caller_id": None, "outbound_trunk_id": None},
        ),
        ({"platform_tools_enabled": True}, {"platform_tools_enabled": True}),
    ],
)
def test_a_field_is_replaced(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    """And nothing else; null clears what an agent may have none of."""
    assert _changed(fields) == (replace(FULL, **expected), SECRETS)


def test_input_and_output_are_replaced_as_a_whole() -> None:
    """What is not named in them is the default again, but for the voice."""
    body, _ = _changed({"input": {"turn_detection": {"min_silence": 200}}, "output": {"volume": 7}})
    assert body.input == InputConfig(turn_detection=TurnDetection(min_silence=200))
    assert body.output == OutputConfig(voice="vera", volume=7)
    body, _ = _changed({"output": {"format": {"encoding": "audio/pcma"}, "voice": "eve"}})
    assert body.output == OutputConfig(voice="vera", format=AudioFormat("audio/pcma", 8000))
    body, _ = _changed({"input": {}, "output": {}})
    assert (body.input, body.output) == (InputConfig(), OutputConfig(voice="vera"))


@pytest.mark.parametrize("voice", [*VOICES, *FORMER_VOICES])
def test_every_voice_may_speak(voice: str) -> None:
    """The real one is in the output too."""
    body, _ = _changed({"voice": {"voice_id": voice}})
    assert body.voice.voice_id == body.output.voice == voice
    assert body.output.volume == FULL.output.volume


def test_an_unknown_voice_is_refused_in_the_hosted_words() -> None:
    """Also a former one, by a server that is told to."""
    known = ", ".join(sorted(VOICES))
    for voice, terms in (("nobody", TERMS), ("ivy", Terms(former_voices=False, now=LATER))):
        told, param = _refused({"voice": {"voice_id": voice}}, terms=terms)
        assert told == f"Invalid voice '{voice}'. Must be one of: {known}"
        assert param == "voice"


@pytest.mark.parametrize(
    ("fields", "told", "param"),
    [
        (
            {"input": {"format": {"encoding": "audio/pcm", "sample_rate": 16_000}}},
            "audio/pcm is 24000 samples per second, not 16000; resample, or leave sample_rate out",
            "input.format.sample_rate",
        ),
        (
            {"input": {"turn_detection": {"min_silence": 900, "max_silence": 900}}},
            "'input.turn_detection.max_silence' must be more than 'min_silence'",
            "input.turn_detection.max_silence",
        ),
        (
            {"tools": [TOOL, TOOL]},
            "'tools[1].name' must be unique: 'f' is taken",
            "tools[1].name",
        ),
        ({"tools": [TOOL | {"name": " "}]}, "'tools[0].name' must not be empty", "tools[0].name"),
        (
            {"tools": [TOOL | {"parameters": {"properties": []}}]},
            "'tools[0].parameters.properties' must be an object",
            "tools[0].parameters.properties",
        ),
        (
            {"tools": [TOOL | {"parameters": {"x": "x" * 32_768}}]},
            "'tools[0].parameters' must be at most 32768 bytes of JSON",
            "tools[0].parameters",
        ),
        (
            {"tools": [TOOL | {"name": "aai_pre_connect_context"}]},
            "Names that begin with aai_ are the platform's, which has no such tool",
            "tools[0].name",
        ),
        (
            {"transfer_targets": [{"name": "t", "kind": "human"}]},
            "A target of kind 'human' needs it",
            "transfer_targets[0].phone_number",
        ),
        (
            {"transfer_targets": [{"name": "t", "kind": "agent"}]},
            "A target of kind 'agent' needs it",
            "transfer_targets[0].agent_id",
        ),
        (
            {
                "outbound_trunk_id": None,
                "transfer_targets": [{"name": "t", "kind": "human", "phone_number": "+4930123"}],
            },
            "Required when a transfer target is human",
            "outbound_trunk_id",
        ),
    ],
)
def test_what_an_agent_cannot_be_is_told_with_its_place(
    fields: dict[str, Any], told: str, param: str
) -> None:
    """By the same rules as a session's configuration."""
    assert _refused(fields) == (told, param)


def test_a_list_of_tools_replaces_the_stored_one() -> None:
    """A tool stays the same while its name does: its id, and the headers that are named."""
    order = {"name": "order", "description": "d", "http": HTTP | {"headers": [{"name": "x-trace"}]}}
    body, kept = _changed({"tools": [TOOL, order]})
    new, old = body.tools
    assert re.fullmatch("tool_[0-9a-f]{32}", new.id)
    assert old.id == "tool_2"
    assert kept.tools == {"order": {"x-trace": "canary-2"}}
    assert old.http is not None
    assert [(header.name, header.last_set_at) for header in old.http.headers] == [
        ("x-trace", SET_AT)
    ]
    assert _changed({"tools": []})[0].tools == ()
    assert _changed({"tools": []})[1] == replace(SECRETS, tools={})


def test_a_tool_has_the_defaults_of_a_session() -> None:
    """And of a request: POST."""
    (tool,) = _changed({"tools": [TOOL | {"http": HTTP}]})[0].tools
    assert (tool.timeout_seconds, tool.execution_mode, tool.parameters) == (120, "interactive", {})
    assert tool.http is not None
    assert (tool.http.http_method, tool.http.headers) == ("POST", ())
    assert tool.dtmf_collected_arguments == ()


def test_a_tool_with_a_keypad_is_kept_for_telephones() -> None:
    """Only a session of a WebSocket cannot have it."""
    keypad = {
        "parameter_name": "pin",
        "min_digits": 4,
        "max_digits": 6,
        "prompt": "Your PIN?",
        "sensitive": True,
    }
    (tool,) = _changed({"tools": [TOOL | {"dtmf_collected_arguments": [keypad]}]})[0].tools
    assert tool.dtmf_collected_arguments[0].parameter_name == "pin"


def test_a_tool_that_no_longer_asks_a_server_forgets_its_headers() -> None:
    """They would come back with the next address."""
    order = {"name": "order", "description": "d"}
    body, kept = _changed({"tools": [order]})
    assert kept.tools == {}
    told, param = _refused(
        {"tools": [order | {"http": HTTP | {"headers": [{"name": "Authorization"}]}}]},
        body=body,
        kept=kept,
    )
    assert told == "No value of this header is kept"
    assert param == "tools[0].http.headers[0].value"


_LARGE = {"base_url": "https://models.example/v1", "model": "large"}


@pytest.mark.parametrize(
    ("llm", "shown", "keys"),
    [
        ([], [], ()),
        ([_LARGE], [("large", "low")], ("canary-4",)),
        ([_LARGE | {"model": "larger"}], [("larger", "low")], ("canary-4",)),
        ([_LARGE | {"api_key": "new"}], [("large", "low")], ("new",)),
        ([_LARGE | {"reasoning_effort": ""}], [("large", None)], ("canary-4",)),
        ([_LARGE | {"reasoning_effort": "high"}], [("large", "high")], ("canary-4",)),
        ([_LARGE | {"base_url": "https://elsewhere.example/v1"}], [("large", None)], (None,)),
        (
            [_LARGE | {"base_url": "http://10.0.0.1:8000/v1"}, _LARGE],
            [("large", None), ("large", "low")],
            (None, "canary-4"),
        ),
    ],
)
def test_a_models_key_is_kept_for_the_address_it_was_given_for(
    llm: list[dict[str, str]], shown: list[Any], keys: tuple[str | None, ...]
) -> None:
    """It goes to no other, and an empty effort clears the stored one."""
    body, kept = _changed({"llm": llm})
    assert [(model.model, model.reasoning_effort) for model in body.llm] == shown
    assert kept.llm == keys


def test_of_two_keys_for_one_address_each_stays_with_its_model() -> None:
    """Whatever the order."""
    both = [_LARGE | {"model": name, "api_key": name} for name in ("a", "b")]
    body, kept = _changed({"llm": both}, PLAIN, NOTHING)
    back = [_LARGE | {"model": name} for name in ("b", "a", "c")]
    assert _changed({"llm": back}, body, kept)[1].llm == ("b", "a", "a")


def test_pre_connect_requests_are_replaced() -> None:
    """As ``agent_requests`` says; their headers' values are kept by position."""
    one = {"http": HTTP | {"headers": [{"name": "X-Key"}, {"name": "X-New", "value": "v"}]}}
    body, kept = _changed({"pre_connect_requests": [one]})
    assert kept.pre_connect == ({"x-key": "canary-3", "x-new": "v"},)
    (request,) = body.pre_connect_requests
    assert [header.last_set_at for header in request.http.headers] == [SET_AT, LATER]
    assert (request.sends, request.returns, request.timeout_ms) == ((), (), None)
