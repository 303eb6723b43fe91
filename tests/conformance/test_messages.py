"""What a client may say, and what is told to it when it says it wrongly (§2.1, §5.1)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from conformance.dialogue import SPOKEN, scripted
from conformance.model import saying
from conformance.target import Target
from conformance.wire import Call, opened, ready

NOT_JSON = ["", "{", "not json", '{"type":"session.update"', "{'type': 'session.update'}"]
NO_MESSAGE = ["[]", "1", "null", '"session.update"', "{}", '{"type":7}', '{"type":null}']
MALFORMED: list[dict[str, Any]] = [
    {"type": "session.update", "session": "words"},
    {"type": "session.update", "session": []},
    {"type": "session.update", "session": {"system_prompt": 5}},
    {"type": "session.update", "session": {"greeting": None}},
    {"type": "session.update", "session": {"input": "audio/pcm"}},
    {"type": "session.update", "session": {"tools": "none"}},
    {"type": "session.update", "session": {"tools": ["look_up"]}},
    {"type": "input.audio"},
    {"type": "input.audio", "audio": 5},
    {"type": "input.audio", "audio": None},
    {"type": "tool.result", "result": "{}"},
    {"type": "tool.result", "call_id": "call_1"},
    {"type": "tool.result", "call_id": "call_1", "result": {"an": "object"}},
    {"type": "tool.result", "call_id": 5, "result": "{}"},
    {"type": "tool.result", "call_id": "call_1", "result": "{}", "is_error": "perhaps"},
    {"type": "reply.create", "instructions": 5},
    {"type": "reply.cancel"},
    {"type": "reply.cancel", "reply_id": 5},
    {"type": "conversation.message", "role": "user"},
    {"type": "conversation.message", "content": "Hello."},
    {"type": "conversation.message", "role": "assistant", "content": "Hello."},
    {"type": "conversation.message", "role": "user", "content": 5},
]


async def stays_open(call: Call) -> None:
    """The socket still answers, and nothing else came."""
    assert await call.fence() == []


@pytest.mark.parametrize("text", NOT_JSON)
async def test_what_is_no_json_is_told_so(target: Target, text: str) -> None:
    """§2.1, §5.1: ``invalid_format`` ``Invalid JSON format.``; the session stays open."""
    async with opened(target) as call:
        await call.socket.send(text)
        assert (await call.error("invalid_format"))["message"] == "Invalid JSON format."
        await ready(call)


@pytest.mark.parametrize("text", NO_MESSAGE)
async def test_json_that_is_no_message_is_told_so(target: Target, text: str) -> None:
    """§2: every frame is an object with a string ``type``; anything else is ``invalid_format``."""
    async with opened(target) as call:
        await call.socket.send(text)
        await call.error("invalid_format")
        await ready(call)


@pytest.mark.parametrize("kind", ["session.start", "ping", "input.text", "SESSION.UPDATE", ""])
async def test_an_unknown_type_is_named(target: Target, kind: str) -> None:
    """§2.1, §5.1: ``Unknown message type: <type>``, before and after ready; stays open."""
    async with opened(target) as call:
        for _ in range(2):
            await call.send(kind)
            error = await call.error("invalid_format")
            assert error["message"] == f"Unknown message type: {kind}"
            if not call.session_id:
                await ready(call)


@pytest.mark.parametrize("message", MALFORMED, ids=json.dumps)
async def test_a_missing_or_mistyped_field_is_told_with_the_type(
    target: Target, message: dict[str, Any]
) -> None:
    """§2.1, §5.1: ``Invalid message format for type '<type>'``; stays open."""
    async with opened(target) as call:
        await ready(call)
        await call.socket.send(json.dumps(message))
        error = await call.error("invalid_format")
        assert error["message"] == f"Invalid message format for type '{message['type']}'"
        await stays_open(call)


async def test_errors_of_the_protocol_have_no_param(target: Target) -> None:
    """§2.2: protocol-level errors name no ``param``: it is left out or null."""
    async with opened(target) as call:
        await call.socket.send("{")
        assert (await call.error("invalid_format")).get("param") is None


@pytest.mark.parametrize("audio", ["A", "AAA", "!!!!", "AAAAA"])
async def test_audio_that_is_no_base64_is_told_so(target: Target, audio: str) -> None:
    """§2.1, §5.1: ``invalid_audio`` ``Invalid audio data``; stays open."""
    async with opened(target) as call:
        await ready(call)
        await call.send("input.audio", audio=audio)
        assert (await call.error("invalid_audio"))["message"] == "Invalid audio data"
        await stays_open(call)


async def test_a_binary_frame_is_no_audio(target: Target) -> None:
    """§2.1: JSON text frames only; a binary one is ``invalid_audio``."""
    async with opened(target) as call:
        await ready(call)
        await call.socket.send(b"\x00\x00\x00\x00")
        await call.error("invalid_audio")
        await stays_open(call)


@pytest.mark.recommended
@pytest.mark.parametrize(
    "head", [b"RIFF\x24\x00\x00\x00WAVEfmt ", b"ID3\x04\x00\x00\x00\x00\x00\x00"]
)
async def test_a_container_is_no_audio(target: Target, head: bytes) -> None:
    """§2.1: WAV and MP3 files are ``invalid_audio``, by the documentation."""
    async with opened(target) as call:
        await ready(call)
        await call.send("input.audio", audio=base64.b64encode(head.ljust(480, b"\0")).decode())
        await call.error("invalid_audio")


@pytest.mark.recommended
async def test_audio_far_faster_than_real_time_is_told(target: Target) -> None:
    """§5.1: ``audio_rate_violation`` for a minute at once; not fatal, the excess is dropped."""
    async with opened(target) as call:
        await ready(call)
        for _ in range(60):
            await call.say(b"\0" * 48_000)
        await call.error("audio_rate_violation")
        await call.fence()
        assert call.close_code is None


async def test_audio_before_ready_is_silently_discarded(target: Target) -> None:
    """§2.1, §4.1, §7.2, §11.1: earlier frames are discarded without a word."""
    async with opened(target) as call:
        await call.say(b"\0" * 960)
        assert await call.fence() == []
        await ready(call)


@pytest.mark.parametrize(
    "message",
    [
        {"type": "reply.create"},
        {"type": "reply.cancel", "reply_id": "resp_0"},
        {"type": "conversation.message", "role": "user", "content": "Hello."},
        {"type": "tool.result", "call_id": "call_1", "result": "{}"},
    ],
    ids=lambda message: message["type"],
)
async def test_other_messages_before_the_first_update_do_no_harm(
    target: Target, message: dict[str, Any]
) -> None:
    """§4.1: in OPEN they are an error or ignored; the session can still begin."""
    async with opened(target) as call:
        await call.socket.send(json.dumps(message))
        assert {event["type"] for event in await call.fence()} <= {"session.error"}
        await ready(call)


async def test_extra_fields_of_messages_are_ignored(target: Target) -> None:
    """§2.1: extra top-level fields are ignored, except inside ``session``."""
    async with opened(target) as call:
        await call.send("session.update", session={"system_prompt": "P"}, extra=1, config={})
        assert (await call.next("session.ready"))["config"]["system_prompt"] == "P"
        await call.send("conversation.message", role="user", content="Hello.", mood="good")
        await stays_open(call)


@pytest.mark.parametrize("message", [{}, {"session": None}, {"session": {}}], ids=json.dumps)
async def test_an_update_without_a_session_means_all_defaults(
    target: Target, message: dict[str, Any]
) -> None:
    """§2.1: ``session`` is optional and nullable."""
    async with opened(target) as call:
        await call.send("session.update", **message)
        assert (await call.next("session.ready"))["config"]["system_prompt"] == ""


async def test_a_config_under_the_wrong_name_is_not_seen(target: Target) -> None:
    """§2.1: ``config`` instead of ``session`` gives an empty prompt and no error."""
    async with opened(target) as call:
        await call.send("session.update", config={"system_prompt": "P"})
        assert (await call.next("session.ready"))["config"]["system_prompt"] == ""


@pytest.mark.parametrize("role", ["user", "system"])
async def test_a_conversation_message_has_no_event(target: Target, role: str) -> None:
    """§2.1, §4.9: no event at all, no reply, no ``transcript.user``."""
    async with opened(target) as call:
        await ready(call)
        await call.send("conversation.message", role=role, content="It is raining.")
        assert await call.quiet() == []


@pytest.mark.needs("callback-url")
@pytest.mark.parametrize("extra", [{}, {"instructions": None}, {"instructions": "Say hello."}])
async def test_reply_create_takes_instructions_or_none(
    target: Target, extra: dict[str, Any]
) -> None:
    """§2.1: ``instructions`` is a string or null, and optional."""
    async with scripted(target, saying(SPOKEN)) as call:
        await call.send("reply.create", **extra)
        await call.next("reply.started")


async def test_a_tool_result_needs_no_is_error(target: Target) -> None:
    """§2.1: ``is_error`` defaults to false, so leaving it out is no fault of format."""
    async with opened(target) as call:
        await ready(call)
        await call.send("tool.result", call_id="call_of_nobody", result="{}")
        assert [error for error in await call.fence() if error["code"] == "invalid_format"] == []
