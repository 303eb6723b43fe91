"""Sessions as they were: records and artifacts over REST (§6.3)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import httpx
import pytest

from conformance.dialogue import LOOK_UP, ask, own_model, scripted, stored
from conformance.model import calling, saying
from conformance.shapes import (
    Shape,
    a_list,
    an_object,
    boolean,
    integer,
    misfits,
    nullable,
    number,
    one_of,
    text,
)
from conformance.spec import SESSION_ID, at
from conformance.stage import Trace, shows, traced
from conformance.target import Target
from conformance.test_rest import envelope
from conformance.wire import opened, ready

ARTIFACT_SECONDS = 20.0
"""Live about 7 s after the end."""

RECORD: dict[str, Shape] = {
    "id": SESSION_ID,
    "agent_id": nullable(text),
    "status": one_of("created", "completed"),
    "public_close_reason": nullable(text),
    "duration_seconds": nullable(number),
    "created_at": text,
    "ended_at": nullable(text),
}
TURN: dict[str, Shape] = {
    "turn_id": text,
    "item_id": nullable(text),
    "status": one_of("completed", "interrupted"),
    "trigger": one_of("greeting", "user_speech", "tool_result", "reply_create"),
    "agent_text": nullable(text),
    "agent_reply_started_at_ms": nullable(number),
    "agent_reply_ended_at_ms": nullable(number),
    "time_to_first_audio_ms": nullable(number),
}
TOOL_CALL: dict[str, Shape] = {
    "call_id": text,
    "name": text,
    "arguments": an_object,
    "result": nullable(text),
    "dispatched_at_ms": number,
    "result_received_at_ms": nullable(number),
    "duration_ms": nullable(number),
    "is_error": boolean,
    "timed_out": boolean,
    "parallel_call_id": nullable(text),
}
METADATA: dict[str, Shape] = {
    "session_id": SESSION_ID,
    "started_at": text,
    "ended_at": text,
    "format": one_of("ogg/opus"),
    "channels": one_of(2),
    "channel_layout": one_of("stereo (left=user, right=agent)"),
    "sample_rate": one_of(24000),
}


async def completed(rest: httpx.AsyncClient, session_id: str, artifact: str) -> dict[str, Any]:
    """The record of a session once it has ended and left this artifact."""
    async with asyncio.timeout(ARTIFACT_SECONDS):
        while True:
            record: dict[str, Any] = (await rest.get(f"/v1/sessions/{session_id}")).json()
            kinds = [one["type"] for one in record.get("artifacts", ())]
            if record["status"] == "completed" and artifact in kinds:
                return record
            await asyncio.sleep(0.2)


async def fetched(target: Target, url: str) -> httpx.Response:
    """An artifact, without any credential."""
    async with httpx.AsyncClient(transport=target.transport()) as client:
        return await client.get(url, follow_redirects=True)


async def recorded(target: Target) -> Trace:
    """A call with a greeting, a tool and an answer, and what REST tells of it."""
    script = calling("look_up", {"word": "seven"}, "It is a number.")
    notes: dict[str, Any] = {}
    async with (
        target.rest() as rest,
        scripted(target, script, greeting="Hello.", tools=[LOOK_UP]) as call,
    ):
        notes["live"] = (await rest.get(f"/v1/sessions/{call.session_id}")).json()
        await call.next("reply.done")
        await ask(call, "Please look up seven.")
        event = await call.next("tool.call")
        await call.send("tool.result", call_id=event["call_id"], result='{"ok":true}')
        await call.next("transcript.agent", text="It is a number.")
        await call.next("reply.done")
        await call.update(output={"volume": 50})
        await call.next("session.updated")
        await call.send("session.end")
        notes["ended"] = await call.next("session.ended")
        await call.closed()
        await completed(rest, call.session_id, "timeline")
        with contextlib.suppress(TimeoutError):  # A server need not record; its test says so.
            await completed(rest, call.session_id, "audio")
        record = notes["record"] = (await rest.get(f"/v1/sessions/{call.session_id}")).json()
        listed = (await rest.get("/v1/sessions", params={"limit": 200})).json()["sessions"]
        notes["listed"] = next(one for one in listed if one["id"] == call.session_id)
        for artifact in record["artifacts"]:
            notes[artifact["type"]] = await fetched(target, artifact["url"])
        return traced(call, **notes)


@pytest.mark.needs("callback-url")
@pytest.mark.parametrize("key", RECORD)
@shows(recorded)
def test_a_session_has_a_record(trace: Trace, key: str) -> None:
    """§6.3: in the list and by itself, with these keys."""
    for name in ("live", "record", "listed"):
        assert misfits(trace.notes[name], {key: RECORD[key]}) == []


@pytest.mark.needs("callback-url")
@shows(recorded)
def test_a_live_session_is_created_and_has_no_artifacts(trace: Trace) -> None:
    """§6.3: ``status`` ``created`` while live; ``artifacts`` empty; nothing of its end."""
    live = trace.notes["live"]
    assert (live["status"], live["artifacts"]) == ("created", [])
    assert (live["ended_at"], live["duration_seconds"], live["public_close_reason"]) == (None,) * 3


@pytest.mark.needs("callback-url")
@shows(recorded)
def test_an_ended_session_says_how_and_how_long(trace: Trace) -> None:
    """§4.11, §6.3: ``completed``, ``client_end``, the duration of ``session.ended``."""
    record = trace.notes["record"]
    assert (record["status"], record["public_close_reason"]) == ("completed", "client_end")
    duration = trace.notes["ended"]["session_duration_seconds"]
    assert abs(record["duration_seconds"] - duration) < 0.5
    assert record["ended_at"] > record["created_at"]


@pytest.mark.needs("callback-url")
@shows(recorded)
def test_the_record_has_the_configuration(trace: Trace) -> None:
    """§6.3: ``config``, the effective one."""
    config = trace.notes["record"]["config"]
    assert config["greeting"] == "Hello."
    assert [tool["name"] for tool in config["tools"]] == ["look_up"]


@pytest.mark.needs("callback-url")
@shows(recorded)
def test_artifacts_are_links_that_need_no_credential(trace: Trace) -> None:
    """§6.3: ``type``, ``url``, ``content_type``; pre-signed."""
    artifacts = {one["type"]: one for one in trace.notes["record"]["artifacts"]}
    assert artifacts["timeline"]["content_type"] == "application/json"
    for name in artifacts:
        assert trace.notes[name].status_code == 200
        kind = trace.notes[name].headers["content-type"].partition(";")[0]
        assert kind == artifacts[name]["content_type"]


@pytest.mark.needs("callback-url")
@shows(recorded)
def test_the_timeline_tells_how_the_session_went(trace: Trace) -> None:
    """§6.3: ``session_id``, start, ``turns``, ``config_changes``, ``ended``."""
    timeline = trace.notes["timeline"].json()
    shapes = {
        "session_id": SESSION_ID,
        "started_at_unix_ms": integer,
        "turns": a_list,
        "config_changes": a_list,
        "ended.reason": one_of("user_initiated"),
        "ended.public_reason": one_of("client_end"),
        "ended.duration_seconds": number,
    }
    assert misfits(timeline, shapes) == []


@pytest.mark.needs("callback-url")
@shows(recorded)
def test_each_turn_is_in_the_timeline(trace: Trace) -> None:
    """§6.3: what triggered it, what was said, and when."""
    turns = trace.notes["timeline"].json()["turns"]
    assert [wrong for turn in turns for wrong in misfits(turn, TURN)] == []
    assert [turn["trigger"] for turn in turns] == ["greeting", "reply_create", "tool_result"]
    assert turns[0]["agent_text"] == "Hello."
    assert turns[-1]["agent_text"] == "It is a number."
    assert {turn["status"] for turn in turns} == {"completed"}


@pytest.mark.needs("callback-url")
@shows(recorded)
def test_each_tool_call_is_in_the_timeline(trace: Trace) -> None:
    """§6.3: with arguments, result and times; empty lists are left out."""
    turns = trace.notes["timeline"].json()["turns"]
    calls = [call for turn in turns for call in turn.get("tool_calls", ())]
    assert [turn for turn in turns if turn.get("tool_calls") == []] == []
    assert misfits(calls[0], TOOL_CALL) == []
    assert len(calls) == 1
    assert (calls[0]["name"], calls[0]["arguments"]) == ("look_up", {"word": "seven"})
    assert (calls[0]["result"], calls[0]["is_error"]) == ('{"ok":true}', False)


@pytest.mark.needs("callback-url")
@pytest.mark.parametrize("key", METADATA)
@shows(recorded)
def test_the_recording_has_its_metadata(trace: Trace, key: str) -> None:
    """§6.3: artifact ``metadata``: stereo Ogg Opus, user left, agent right."""
    assert misfits(trace.notes["metadata"].json(), {key: METADATA[key]}) == []


@pytest.mark.needs("callback-url")
@shows(recorded)
def test_the_recording_is_ogg(trace: Trace) -> None:
    """§6.3: artifact ``audio``, audio/ogg (a server must be set to record)."""
    assert trace.notes["audio"].content.startswith(b"OggS")
    assert b"OpusHead" in trace.notes["audio"].content[:100]


async def vanished(target: Target) -> Trace:
    """A session whose client was lost and never came back."""
    async with target.rest() as rest, opened(target) as call:
        await ready(call)
        await call.drop()
        await asyncio.sleep(target.resume_seconds)
        record = await completed(rest, (call.seen("session.ready")[0])["session_id"], "timeline")
        links = {one["type"]: one["url"] for one in record["artifacts"]}
        timeline = (await fetched(target, links["timeline"])).json()
        return traced(call, record=record, timeline=timeline)


@shows(vanished)
def test_a_lost_session_completes_after_its_grace(trace: Trace, target: Target) -> None:
    """§4.11, §6.3: ``completed``; the timeline says ``participant_disconnected``."""
    assert trace.notes["timeline"]["ended"]["reason"] == "participant_disconnected"
    lasted = trace.notes["record"]["duration_seconds"]
    assert lasted >= target.resume_seconds - 1 or lasted < 2


async def test_sessions_are_filtered_by_status_and_agent(target: Target) -> None:
    """§6.3: ``status`` and ``agent_id``."""
    async with target.rest() as rest, stored(rest) as agent, opened(target) as call:
        session_id = (await ready(call, agent_id=agent["id"]))["session_id"]
        found = await rest.get("/v1/sessions", params={"agent_id": agent["id"]})
        assert [one["id"] for one in found.json()["sessions"]] == [session_id]
        for status, ids in (("created", [session_id]), ("completed", [])):
            wanted = {"agent_id": agent["id"], "status": status}
            found = await rest.get("/v1/sessions", params=wanted)
            assert [one["id"] for one in found.json()["sessions"]] == ids
            assert found.json()["has_more"] is False


async def test_a_deleted_session_is_gone(target: Target) -> None:
    """§6.3: 204; then 404 ``session_not_found``, and not in the list."""
    async with target.rest() as rest, opened(target) as call:
        session_id = (await ready(call))["session_id"]
        await call.send("session.end")
        await call.closed()
        await completed(rest, session_id, "timeline")
        answer = await rest.delete(f"/v1/sessions/{session_id}")
        assert (answer.status_code, answer.content) == (204, b"")
        envelope(await rest.get(f"/v1/sessions/{session_id}"), 404, "session_not_found")
        assert session_id not in (await rest.get("/v1/sessions", params={"limit": 200})).text


@pytest.mark.needs("other-key")
async def test_a_session_of_another_account_does_not_exist(target: Target) -> None:
    """§6.3: 404 to another account, and not in its list."""
    async with (
        target.rest() as rest,
        target.rest(target.other_key) as other,
        opened(target) as call,
    ):
        session_id = (await ready(call))["session_id"]
        assert (await rest.get(f"/v1/sessions/{session_id}")).status_code == 200
        for method in ("GET", "DELETE"):
            answer = await other.request(method, f"/v1/sessions/{session_id}")
            envelope(answer, 404, "session_not_found")
        assert session_id not in (await other.get("/v1/sessions?limit=200")).text


@pytest.mark.needs("callback-url")
async def test_the_key_of_a_model_is_not_in_the_record(target: Target) -> None:
    """§6.3: ``config.llm`` has the envelope's fields, never the key."""
    script = target.scripts.add(saying("Yes."))
    async with (
        target.rest() as rest,
        stored(rest, system_prompt=script.mark, llm=own_model(target)) as agent,
        opened(target) as call,
    ):
        session_id = (await ready(call, agent_id=agent["id"]))["session_id"]
        answer = await rest.get(f"/v1/sessions/{session_id}")
        assert "sk-of-ours" not in answer.text
        (model,) = at(answer.json(), "config.llm")
        assert {"base_url", "model", "api_key_ciphertext"} <= set(model)
