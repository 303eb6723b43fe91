"""How a session ends (§4.11, §5.2)."""

from __future__ import annotations

import asyncio

import pytest

from conformance.dialogue import LONG
from conformance.target import Target
from conformance.wire import opened, ready

ROUNDED_SECONDS = 0.002
"""The wire tells milliseconds."""


async def test_session_end_is_answered_and_closes_with_1000(target: Target) -> None:
    """§2.1, §4.11, §5.2: ``session.ended`` is the last event, then close 1000."""
    async with opened(target) as call:
        await ready(call)
        await call.send("session.end")
        await call.next("session.ended")
        assert await call.closed() == 1000
        assert call.kinds()[-1] == "session.ended"


async def test_session_end_is_legal_before_the_first_update(target: Target) -> None:
    """§2.1, §4.1: any time after open."""
    async with opened(target) as call:
        await call.send("session.end")
        assert (await call.next())["type"] == "session.ended"
        assert await call.closed() == 1000


@pytest.mark.recommended
async def test_a_reply_under_way_is_cut_without_a_word(target: Target) -> None:
    """§4.11: no ``reply.done`` for it."""
    async with opened(target) as call:
        await ready(call, greeting=LONG)
        await call.next("reply.audio")
        await call.send("session.end")
        await call.next("session.ended")
        assert call.seen("reply.done", "transcript.agent") == []


@pytest.mark.recommended
async def test_the_durations_are_true(target: Target) -> None:
    """§2.2, §9 row 15: the session's length, and the seconds of audio received. It begins between
    the opening of the socket and ``session.ready``, and ends between the farewell and its answer.
    """
    clock = asyncio.get_running_loop().time
    before = clock()
    async with opened(target) as call:
        await ready(call)
        began = clock()
        for _ in range(10):
            await call.say(b"\0" * 4800)
            await call.quiet(0.1)
        left = clock()
        await call.send("session.end")
        ended = await call.next("session.ended")
        over = clock()
    lasted = ended["session_duration_seconds"]
    assert left - began - ROUNDED_SECONDS <= lasted <= over - before + ROUNDED_SECONDS
    assert abs(ended["audio_duration_seconds"] - 1.0) < 0.1


async def test_an_ended_session_is_dead(target: Target) -> None:
    """§4.11: the id can be resumed no more: ``session_not_found``, close 1008."""
    async with opened(target) as call:
        session_id = (await ready(call))["session_id"]
        await call.send("session.end")
        await call.closed()
    async with opened(target) as call:
        await call.send("session.resume", session_id=session_id)
        assert (await call.next())["code"] in {"session_not_found", "session_expired"}
        assert await call.closed() == 1008


async def test_nothing_said_after_the_end_is_answered(target: Target) -> None:
    """§4.1: ENDED accepts nothing."""
    async with opened(target) as call:
        await ready(call)
        await call.send("session.end")
        await call.send("reply.create")
        await call.closed()
        assert call.kinds() == ["session.updated", "session.ready", "session.ended"]


async def test_leaving_without_a_goodbye_does_no_harm(target: Target) -> None:
    """§11.1: clients close or vanish without ``session.end``; the server serves on."""
    for vanish in (True, False):
        async with opened(target) as call:
            await ready(call, greeting=LONG)
            await call.next("reply.audio")
            await (call.drop() if vanish else call.leave())
    async with opened(target) as call:
        await ready(call)
