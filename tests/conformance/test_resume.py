"""Resuming a session whose socket was lost (§4.11, §9 rows 5, 6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import pytest

from conformance.dialogue import LONG, LOOK_UP, ask, scripted
from conformance.invariants import Event
from conformance.model import calling, saying
from conformance.stage import Trace, shows, traced
from conformance.target import Target
from conformance.wire import Call, opened, ready

GONE = "Session not found or grace window has expired"
CREDENTIALS = ["API key", "temporary token", "resume token", "resume token in the query"]


@asynccontextmanager
async def resumed(target: Target, session_id: str, **how: Any) -> AsyncIterator[Call]:
    """A new socket on which ``session.resume`` was sent."""
    async with opened(target, **how) as call:
        await call.send("session.resume", session_id=session_id)
        call.session_id = session_id
        yield call


async def lost(target: Target, **session: Any) -> Event:
    """A session whose socket was dropped; its ``session.ready``."""
    async with opened(target) as call:
        event = await ready(call, **session)
        await call.drop()
        return event


async def way(target: Target, kind: str, before: Event) -> dict[str, Any]:
    """How to open the new socket with a credential of a kind."""
    if kind == "temporary token":
        async with target.rest() as rest:
            token = (await rest.post("/v1/tokens", json={})).json()["token"]
        return {"query": f"?token={quote(token)}", "keyless": True}
    if kind == "resume token":
        return {"header": f"Bearer {before['resume_token']}"}
    if kind == "resume token in the query":
        return {"query": f"?token={quote(before['resume_token'])}", "keyless": True}
    return {}


@pytest.mark.recommended
@pytest.mark.parametrize("kind", CREDENTIALS)
async def test_a_lost_session_is_resumed_with_any_credential_of_its_account(
    target: Target, kind: str
) -> None:
    """§1.2, §4.11, §9 row 5: API key, any token of the account, or the ``resume_token``."""
    before = await lost(target, system_prompt="P", input={"keyterms": ["Antiphon"]})
    async with resumed(target, before["session_id"], **await way(target, kind, before)) as call:
        event = await call.next()
        assert event["type"] == "session.ready"
        assert event["session_id"] == before["session_id"]
        assert event["config"] == before["config"]


async def test_a_resume_gives_a_new_token_and_nothing_else(target: Target) -> None:
    """§4.11: ``session.ready`` only, with a new ``resume_token``."""
    before = await lost(target)
    async with resumed(target, before["session_id"]) as call:
        event = await call.next("session.ready")
        assert event["resume_token"] not in {before["resume_token"], ""}
        assert await call.quiet() == []


async def test_the_greeting_is_not_spoken_again(target: Target) -> None:
    """§4.11: no greeting again; at most the end of the one that was cut is told."""
    before = await lost(target, greeting=LONG)
    async with resumed(target, before["session_id"]) as call:
        await call.next("session.ready")
        came = {event["type"] for event in await call.quiet(1.0)}
        assert came <= {"transcript.agent", "reply.done"}


async def test_a_session_can_be_resumed_again_and_again(target: Target) -> None:
    """§4.11: each time with the newest ``resume_token``."""
    event = await lost(target)
    for _ in range(3):
        header = f"Bearer {event['resume_token']}"
        async with resumed(target, event["session_id"], header=header) as call:
            event = await call.next("session.ready")
            await call.drop()


async def test_a_resumed_session_is_no_new_one(target: Target) -> None:
    """§4.11, §3.1: its configuration is frozen as before; updates and replies work."""
    before = await lost(target, greeting="")
    async with resumed(target, before["session_id"]) as call:
        await call.next("session.ready")
        await call.update(greeting="Another.")
        await call.error("immutable_field")
        await call.update(system_prompt="Another.")
        updated = await call.next("session.updated")
        assert updated["config"]["id"] == before["session_id"]
        await call.send("session.end")
        await call.next("session.ended")
        assert await call.closed() == 1000


@pytest.mark.needs("callback-url")
async def test_the_conversation_is_kept(target: Target) -> None:
    """§4.11: what was said before the drop is known after it."""
    script = target.scripts.add(saying("I am fine."))
    async with scripted(target, script) as call:
        await ask(call, "My name is Ada.")
        await call.next("reply.done")
        await call.drop()
        async with resumed(target, call.session_id) as again:
            await again.next("session.ready")
            await again.send("reply.create")
            await again.next("reply.done")
    assert "My name is Ada." in " ".join(script.asked[-1].said_by("user"))
    assert "I am fine." in " ".join(script.asked[-1].said_by("assistant"))


@pytest.mark.needs("callback-url")
@pytest.mark.parametrize("dropped", ["before reply.done", "after reply.done"])
async def test_a_pending_result_is_taken_after_the_resume(target: Target, dropped: str) -> None:
    """§4.11: clients resend undelivered results after ``session.ready``; the agent answers."""
    script = calling("look_up", {"word": "seven"}, "It is a number.")
    async with scripted(target, script, tools=[LOOK_UP]) as call:
        await ask(call, "Please look up seven.")
        event = await call.next("tool.call")
        if dropped == "after reply.done":
            await call.next("reply.done")
        await call.drop()
        async with resumed(target, call.session_id) as again:
            await again.next("session.ready")
            await again.send("tool.result", call_id=event["call_id"], result="{}")
            await again.next("transcript.agent", text="It is a number.")
            await again.next("reply.done", status="completed")
            assert await again.quiet() == []


@pytest.mark.needs("callback-url")
async def test_a_reply_under_way_is_not_spoken_on(target: Target) -> None:
    """§4.11: speech stops with the drop and is not replayed; the next reply is whole."""
    script = saying("Here I am.")
    async with scripted(target, script, greeting=LONG) as call:
        await call.next("reply.audio")
        await call.drop()
        async with resumed(target, call.session_id) as again:
            await again.next("session.ready")
            assert [one for one in await again.quiet() if one["type"] == "reply.audio"] == []
            await again.send("reply.create")
            await again.next("transcript.agent", text="Here I am.")
            await again.next("reply.done", status="completed")


@pytest.mark.recommended
async def test_a_newer_socket_takes_the_session_over(target: Target) -> None:
    """§4.11: the server may not have noticed the loss yet; the newest socket owns the session."""
    async with opened(target) as old:
        before = await ready(old)
        async with resumed(target, before["session_id"]) as new:
            await new.next("session.ready")
            await old.closed()
            await new.update(system_prompt="Still here.")
            await new.next("session.updated")


async def test_a_resume_is_legal_first_only(target: Target) -> None:
    """§2.1, §4.1: on a session that is ready it is an error, and the session goes on."""
    async with opened(target) as call:
        session_id = (await ready(call))["session_id"]
        await call.send("session.resume", session_id=session_id)
        await call.next("session.error")
        await call.fence()
        assert call.close_code is None


async def test_an_unknown_session_is_not_found(target: Target) -> None:
    """§4.11, §5.1, §9 row 6: the exact message, close 1008 at once."""
    async with resumed(target, "sess_" + "0" * 32) as call:
        event = await call.next("session.error")
        assert (event["code"], event["message"]) == ("session_not_found", GONE)
        assert await call.closed() == 1008


@pytest.mark.parametrize("fields", [{}, {"session_id": None}, {"session_id": 5}], ids=str)
async def test_a_resume_without_a_session_is_malformed(
    target: Target, fields: dict[str, Any]
) -> None:
    """§2.1, §5.1: ``session_id`` is required; ``invalid_format``, and a session may begin."""
    async with opened(target) as call:
        await call.send("session.resume", **fields)
        error = await call.error("invalid_format")
        assert error["message"] == "Invalid message format for type 'session.resume'"
        await ready(call)


@pytest.mark.needs("other-key")
async def test_another_account_may_not_resume(target: Target) -> None:
    """§4.11, §5.1: ``session_forbidden``, close 1008; the owner still may."""
    before = await lost(target)
    async with resumed(target, before["session_id"], header=target.other_key) as call:
        assert (await call.next())["code"] == "session_forbidden"
        assert await call.closed() == 1008
    async with resumed(target, before["session_id"]) as call:
        await call.next("session.ready")


async def test_a_wrong_credential_is_unauthorized_before_the_resume(target: Target) -> None:
    """§4.11, §1.3: terminal at once, or the client keeps trying for 25 s."""
    before = await lost(target)
    async with opened(target, header="Bearer not-a-token") as call:
        assert (await call.next())["code"] == "unauthorized"
        assert await call.closed() == 1008
    async with resumed(target, before["session_id"]) as call:
        await call.next("session.ready")


async def after_the_window(target: Target) -> Trace:
    """A session that nobody resumed in time, and the attempt after that."""
    before = await lost(target)
    await asyncio.sleep(target.resume_seconds + 2)
    header = f"Bearer {before['resume_token']}"
    notes: dict[str, Any] = {}
    async with resumed(target, before["session_id"], header=header) as call:
        notes["by resume token"] = (await call.next("session.error"))["code"]
        await call.closed()
    async with resumed(target, before["session_id"]) as call:
        await call.next("session.error")
        await call.closed()
        return traced(call, **notes)


@shows(after_the_window)
def test_after_the_window_the_session_is_gone(trace: Trace) -> None:
    """§4.11, §5.1: 30 s of grace (a setting); then ``session_not_found`` or ``session_expired``."""
    assert trace.events[0]["code"] in {"session_not_found", "session_expired"}
    assert trace.close_code == 1008


@shows(after_the_window)
def test_a_resume_token_of_a_gone_session_is_answered_terminally(trace: Trace) -> None:
    """§4.11: one of the four terminal codes, so that the SDK stops trying."""
    terminal = {"session_not_found", "session_expired", "session_forbidden", "unauthorized"}
    assert trace.notes["by resume token"] in terminal
