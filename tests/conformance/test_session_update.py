"""``session.update``: the first and later ones, what is merged, frozen, refused (§3.1, §4.10)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance import spec
from conformance.target import Target
from conformance.wire import Call, opened, ready

LLM_INLINE = (
    "BYO LLM config is not allowed on session.update; define it on a stored agent via "
    "POST /v1/agents"
)


async def fatal(call: Call, code: str, close_code: int = 1008) -> dict[str, Any]:
    """The error that ends the socket, and nothing else."""
    error = await call.error(code)
    assert await call.closed() == close_code
    assert call.kinds() in (["session.error"], ["session.error", "session.ended"])
    return error


async def test_updated_comes_before_ready(target: Target) -> None:
    """§2.2, §4.12, §9 row 1: the first accepted update gives both, in this order."""
    async with opened(target) as call:
        await ready(call)
        assert call.kinds() == ["session.updated", "session.ready"]


async def test_a_later_update_gives_updated_only(target: Target) -> None:
    """§2.2, §4.10: ``session.updated`` with the whole config after every accepted update."""
    async with opened(target) as call:
        await ready(call, system_prompt="A")
        await call.update(system_prompt="B")
        (event,) = await call.fence()
        assert event["type"] == "session.updated"
        assert event["config"]["system_prompt"] == "B"
        assert set(event["config"]) >= {"id", "input", "output", "tools", "llm"}


@pytest.mark.parametrize("key", ["voice", "language", "model", "temperature", "instructions"])
async def test_an_unknown_key_in_session_is_refused(target: Target, key: str) -> None:
    """§2.1, §3: ``Invalid message format for type 'session.update'``; a corrected one works."""
    async with opened(target) as call:
        await call.update(**{key: "anna"})
        error = await call.error("invalid_format")
        assert error["message"] == "Invalid message format for type 'session.update'"
        assert await call.fence() == []
        await ready(call)


@pytest.mark.recommended
async def test_unknown_keys_further_inside_are_ignored(target: Target) -> None:
    """§9 row 17: ignored inside ``input``, ``output`` and tools."""
    async with opened(target) as call:
        await ready(
            call,
            input={"colour": "blue", "turn_detection": {"colour": "blue"}},
            output={"speed": 2},
            tools=[{"type": "function", "name": "f", "strict": True}],
        )


NULLABLE = [
    *(path for path in spec.UNSET_CONFIG if path.startswith("input.") and path != "input.type"),
    "output.volume",
    "output.voice",
    "output.format",
    "system_prompt",
    "tools",
    "input",
    "output",
    "llm",
    "webhook",
    "agent_id",
    "pre_connect_requests",
]


@pytest.mark.recommended
@pytest.mark.parametrize("path", NULLABLE)
async def test_null_stands_for_the_default(target: Target, path: str) -> None:
    """§9 row 18: null is accepted for optional fields (Kotlin sends ``voice_focus:null``)."""
    async with opened(target) as call:
        await ready(call, **spec.nested(path, None))


async def test_a_null_greeting_is_refused_and_may_be_corrected(target: Target) -> None:
    """§3.1, §4.2, §9 rows 18, 19: ``invalid_format``; the socket stays in OPEN."""
    async with opened(target) as call:
        await call.update(greeting=None)
        await call.error("invalid_format")
        assert await call.fence() == []
        await ready(call, greeting="")


@pytest.mark.parametrize("path", spec.MUTABLE)
async def test_a_mutable_field_can_be_changed_later(target: Target, path: str) -> None:
    """§3.1, §4.10: accepted, echoed, and everything else stays."""
    async with opened(target) as call:
        before = (await ready(call))["config"]
        await call.update(**spec.nested(path, spec.MUTABLE[path]))
        after = (await call.next("session.updated", "session.error"))["config"]
        assert json.dumps(spec.at(after, path)) != json.dumps(spec.at(before, path))
        for other in set(spec.MUTABLE) - {path}:
            assert spec.at(after, other) == spec.at(before, other)


@pytest.mark.parametrize("path", spec.IMMUTABLE)
async def test_an_immutable_field_is_frozen_at_the_first_accepted_update(
    target: Target, path: str
) -> None:
    """§3.1, §5.1: ``immutable_field``, the exact message, ``param`` the path; stays open."""
    async with opened(target) as call:
        session_id = (await ready(call))["session_id"]
        await call.update(**spec.nested(path, spec.IMMUTABLE[path]))
        error = await call.error("immutable_field")
        assert error["message"] == f"'{path}' cannot be changed after the first session.update"
        assert error["param"] == path
        assert error["session_id"] == session_id
        assert await call.fence() == []


async def test_a_voice_that_does_not_exist_is_just_as_immutable(target: Target) -> None:
    """§3.1: mid-session any voice is ``immutable_field``, also a wrong one."""
    async with opened(target) as call:
        await ready(call)
        await call.update(output={"voice": "nobody"})
        assert (await call.error("immutable_field"))["param"] == "output.voice"


@pytest.mark.recommended
@pytest.mark.parametrize("path", ["greeting", "output.voice", "output.format"])
async def test_an_immutable_field_may_be_sent_again_unchanged(target: Target, path: str) -> None:
    """§4.10, §9 row 16: the same value is accepted."""
    first = {"greeting": "", "output.voice": "vera", "output.format": {"encoding": "audio/pcm"}}
    update = spec.nested(path, first[path])
    async with opened(target) as call:
        await ready(call, **update)
        await call.update(**update)
        assert [event["type"] for event in await call.fence()] == ["session.updated"]


async def test_a_refused_update_applies_nothing(target: Target) -> None:
    """§4.10: one ``session.error``, and what else was in it is not applied."""
    async with opened(target) as call:
        await ready(call, system_prompt="A")
        await call.update(system_prompt="B", greeting="Frozen.")
        await call.error("immutable_field")
        await call.update(output={"volume": 50})
        config = (await call.next("session.updated"))["config"]
        assert (config["system_prompt"], config["output"]["volume"]) == ("A", 50)


async def test_input_and_output_merge_key_by_key(target: Target) -> None:
    """§4.10: sending only ``input.keyterms`` keeps the rest of ``input``."""
    async with opened(target) as call:
        await ready(call, input={"transcription_prompt": "Ships."}, output={"voice": "vera"})
        await call.update(input={"keyterms": ["Antiphon"]}, output={"volume": 30})
        config = (await call.next("session.updated"))["config"]
        assert config["input"]["transcription_prompt"] == "Ships."
        assert config["input"]["keyterms"] == ["Antiphon"]
        assert (config["output"]["voice"], config["output"]["volume"]) == ("vera", 30)


@pytest.mark.parametrize(
    ("session", "path", "value"),
    [
        ({"tools": [{"type": "function", "name": "b"}]}, "tools", ["b"]),
        ({"tools": []}, "tools", []),
        ({"input": {"keyterms": ["b"]}}, "input.keyterms", ["b"]),
    ],
)
async def test_lists_are_replaced_whole(
    target: Target, session: dict[str, Any], path: str, value: list[str]
) -> None:
    """§3.1, §4.10: ``tools`` and other lists replace what was there."""
    async with opened(target) as call:
        await ready(call, tools=[{"type": "function", "name": "a"}], input={"keyterms": ["a", "c"]})
        await call.update(**session)
        entries = spec.at((await call.next("session.updated"))["config"], path)
        names = [entry["name"] if isinstance(entry, dict) else entry for entry in entries]
        assert names == value


async def test_an_inline_model_is_refused(target: Target) -> None:
    """§3.1, §4.2, §5.1: ``invalid_value``, the exact message, param ``llm``, close 1008."""
    async with opened(target) as call:
        await call.update(llm=[{"base_url": "https://x.example", "model": "m", "api_key": "k"}])
        error = await fatal(call, "invalid_value")
        assert (error["message"], error["param"]) == (LLM_INLINE, "llm")


@pytest.mark.parametrize("agent_id", ["agent_" + "0" * 32, "nobody"])
async def test_an_unknown_agent_is_refused(target: Target, agent_id: str) -> None:
    """§3.1, §5.1: ``agent_not_found`` ``Agent not found``, param ``agent_id``, close 1008."""
    async with opened(target) as call:
        await call.update(agent_id=agent_id)
        error = await fatal(call, "agent_not_found")
        assert (error["message"], error["param"]) == ("Agent not found", "agent_id")


@pytest.mark.parametrize("other", [{"system_prompt": "P"}, {"greeting": "Hi."}, {"tools": []}])
async def test_an_agent_cannot_be_mixed_with_fields(target: Target, other: dict[str, Any]) -> None:
    """§3.1, §5.1: ``invalid_value``, the exact message, param ``agent_id``, close 1008."""
    async with opened(target) as call:
        await call.update(agent_id="agent_" + "0" * 32, **other)
        error = await fatal(call, "invalid_value")
        assert error["message"] == "agent_id is mutually exclusive with other session fields"
        assert error["param"] == "agent_id"


async def test_an_agent_can_be_named_first_only(target: Target) -> None:
    """§3.1, §5.1: later ``agent_id_not_first``, the exact message; stays open."""
    async with opened(target) as call:
        await ready(call)
        await call.update(agent_id="agent_" + "0" * 32)
        error = await call.error("agent_id_not_first")
        assert error["message"] == "agent_id can only be set on the first session.update"
        assert await call.fence() == []


@pytest.mark.parametrize("side", ["input", "output"])
async def test_a_format_must_be_an_object(target: Target, side: str) -> None:
    """§3.1, §5.1: ``invalid_value`` ``Audio format must be a JSON object``, param ``format``."""
    async with opened(target) as call:
        await call.update(**{side: {"format": "audio/pcm"}})
        error = await call.error("invalid_value")
        assert error["message"] == "Audio format must be a JSON object"
        assert error["param"].endswith("format")


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
async def test_pcm_at_another_rate_fails_at_the_start(target: Target, rate: int) -> None:
    """§4.2, §7.1, §9 row 30: accepted or not, ``internal_error`` and 1011; never deafness."""
    async with opened(target) as call:
        await call.update(input={"format": {"encoding": "audio/pcm", "sample_rate": rate}})
        await call.error("internal_error")
        assert await call.closed() == 1011
        assert "session.ready" not in call.kinds()


@pytest.mark.parametrize("encoding", ["audio/pcmu", "audio/pcma"])
async def test_the_rate_of_the_laws_is_ignored(target: Target, encoding: str) -> None:
    """§7.1: ``sample_rate`` is ignored; it is 8000."""
    async with opened(target) as call:
        update = {"format": {"encoding": encoding, "sample_rate": 24000}}
        config = (await ready(call, input=update))["config"]
        assert config["input"]["format"]["sample_rate"] == 8000


@pytest.mark.recommended
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("input.transcription_mode", "quickly"),
        ("input.voice_focus", "middle-field"),
        ("input.turn_detection.uninterruptible_turns", ["all"]),
        ("input.format", {"encoding": "audio/opus"}),
        ("output.format", {"encoding": "audio/mp3"}),
    ],
)
async def test_a_value_that_is_none_of_the_list_is_refused(
    target: Target, path: str, value: Any
) -> None:
    """§3.1, §3.2, §9 row 32: ``invalid_value`` or ``invalid_format``; no session begins."""
    async with opened(target) as call:
        await call.update(**spec.nested(path, value))
        error = await call.next("session.error")
        assert error["code"] in {"invalid_value", "invalid_format"}
        assert "session.ready" not in call.kinds()


@pytest.mark.recommended
async def test_windows_of_silence_must_not_cross(target: Target) -> None:
    """§3.2, §9 row 31: ``max_silence`` must exceed ``min_silence``."""
    async with opened(target) as call:
        await ready(call)
        await call.update(input={"turn_detection": {"min_silence": 2000, "max_silence": 1500}})
        error = await call.next("session.error", "session.updated")
        assert error.get("code") in {"invalid_config", "invalid_value"}


@pytest.mark.parametrize("turn_type", ["server_vad", "semantic_vad"])
async def test_the_legacy_type_of_turn_detection_is_ignored(target: Target, turn_type: str) -> None:
    """§3.2: ``type`` is accepted without effect."""
    async with opened(target) as call:
        await ready(call, input={"turn_detection": {"type": turn_type}})


@pytest.mark.parametrize("language", spec.LANGUAGES)
async def test_every_documented_language_is_taken(target: Target, language: str) -> None:
    """§3.1: the 18 codes of ``language_codes``."""
    async with opened(target) as call:
        config = (await ready(call, input={"language_codes": [language]}))["config"]
        assert config["input"]["language_codes"] == [language]


@pytest.mark.parametrize(
    "webhook",
    [
        {"url": "https://hooks.example.com/a"},
        {"events": ["session.completed"]},
        {"url": 5, "events": ["session.completed"]},
        {"url": "https://hooks.example.com/a", "events": ["session.completed"], "more": 1},
        {"url": "not a url", "events": ["session.completed"]},
        {"url": "https://hooks.example.com/a", "events": ["session.exploded"]},
    ],
    ids=json.dumps,
)
async def test_a_bad_inline_webhook_is_refused(target: Target, webhook: dict[str, Any]) -> None:
    """§3.1, §5.1: ``invalid_webhook`` (or a fault of format); no session begins."""
    async with opened(target) as call:
        await call.update(webhook=webhook)
        error = await call.next("session.error")
        assert error["code"] in {"invalid_webhook", "invalid_format"}
        assert "session.ready" not in call.kinds()
