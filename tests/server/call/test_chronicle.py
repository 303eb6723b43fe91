"""A session's records, numbered and timed as they happen."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_providers.interfaces import ToolUse
from antiphon_server.call import records as r
from antiphon_server.call.chronicle import PUBLIC_REASONS, USAGE_SECONDS, Chronicle, Owner
from server.call.scripted_call import timers_left
from server.call.twins import RecorderTwin
from virtual_time import in_virtual_time

OWNER = Owner("account", "key", "agent_1", b"sealed")
USE = ToolUse("call_1", "look_up", {"number": 7})


def chronicle(recorder: RecorderTwin | None) -> Chronicle:
    """That of one session, on the loop's clock."""
    return Chronicle("sess_1", recorder, asyncio.get_running_loop().time)


@in_virtual_time
async def test_records_are_numbered_without_a_gap() -> None:
    """Whatever they are, from 0; each under its session's id."""
    recorder = RecorderTwin()
    told = chronicle(recorder)
    told.opened(OWNER, {"id": "sess_1"})
    told.user_said("msg_1", "hello", None)
    told.reconfigured({})
    told.tool_called("resp_1", USE)
    told.tool_returned("call_1", "seven", is_error=False)
    told.used(1, 2, 3)
    told.ended("client_ended", 0.5, None)
    assert [record.seq for record in recorder.records] == list(range(8))
    assert {session for session, _ in recorder.taken} == {"sess_1"}
    assert recorder.kinds == [
        "started",
        "user_said",
        "reconfigured",
        "tool_called",
        "tool_returned",
        "ended",
    ]


@in_virtual_time
async def test_each_record_answers_when_it_is_durable() -> None:
    """With the recorder's own future; without a recorder there is nothing to wait for."""
    recorder = RecorderTwin(at_once=False)
    told = chronicle(recorder)
    durable = told.user_said("msg_1", "hello", None)
    assert durable is recorder.waiting[0]
    assert not durable.done()
    recorder.settle()
    assert durable.done()
    silent = chronicle(None)
    assert silent.opened(OWNER, {}) is None
    assert silent.user_said("msg_1", "hello", None) is None
    assert silent.ended("failed", 0.0, None) is None
    assert timers_left() == []


@in_virtual_time
async def test_whose_session_it_is_stands_in_the_first_record() -> None:
    """With the public configuration and the sealed webhook."""
    recorder = RecorderTwin()
    told = chronicle(recorder)
    told.opened(OWNER, {"id": "sess_1"})
    told.ended("client_ended", 0.0, None)
    (started,) = recorder.of(r.Started)
    assert (started.account, started.key_id, started.agent_id, started.webhook) == (
        "account",
        "key",
        "agent_1",
        b"sealed",
    )
    assert started.config == {"id": "sess_1"}


@in_virtual_time
async def test_times_count_from_the_moment_the_session_was_ready() -> None:
    """Not from the socket's; what happened before it is negative."""
    recorder = RecorderTwin()
    told = chronicle(recorder)
    await asyncio.sleep(5)
    told.opened(OWNER, {})
    assert told.ms(7.25) == 2250
    assert told.ms(4.0) == -1000
    await asyncio.sleep(2)
    told.tool_called("resp_1", USE)
    told.user_said("msg_1", "hello", (5.5, 6.5))
    told.user_said("msg_2", "hello", (None, None))
    told.user_said("msg_3", "hello", None)
    told.ended("client_ended", 1.0, None)
    assert recorder.of(r.ToolCalled)[0].at_ms == 2000
    times = [(said.started_ms, said.ended_ms, said.spoken) for said in recorder.of(r.UserSaid)]
    assert times == [(500, 1500, True), (None, None, True), (None, None, False)]
    assert recorder.of(r.Ended)[0].duration_seconds == 2.0


@in_virtual_time
async def test_connected_time_is_counted_once() -> None:
    """From ``session.ready`` to the end, whenever it was asked about in between."""
    recorder = RecorderTwin()
    told = chronicle(recorder)
    await asyncio.sleep(100)
    told.opened(OWNER, {})
    await asyncio.sleep(3 * USAGE_SECONDS + 1)
    assert [used.connected_seconds for used in recorder.of(r.Used)] == [USAGE_SECONDS] * 3
    told.used(10, 20, 30)
    await asyncio.sleep(2)
    told.ended("expired", 0.0, None)
    assert recorder.connected_seconds == pytest.approx(33)
    (words,) = [used for used in recorder.of(r.Used) if used.characters]
    assert (words.prompt_tokens, words.completion_tokens, words.characters) == (10, 20, 30)
    assert timers_left() == []
    await asyncio.sleep(60)
    assert isinstance(recorder.records[-1], r.Ended)


@pytest.mark.parametrize("ending", sorted(PUBLIC_REASONS))
@in_virtual_time
async def test_every_ending_has_a_word_on_the_wire(ending: str) -> None:
    """Ours is kept beside it."""
    recorder = RecorderTwin()
    told = chronicle(recorder)
    told.opened(OWNER, {})
    told.ended(ending, 1.23456, {"seconds": 1})  # type: ignore[arg-type]
    (ended,) = recorder.of(r.Ended)
    assert (ended.reason, ended.public_reason) == (ending, PUBLIC_REASONS[ending])  # type: ignore[index]
    assert (ended.audio_seconds, ended.recording) == (1.235, {"seconds": 1})


@in_virtual_time
async def test_a_result_that_never_came_is_a_result_on_record() -> None:
    """It is told apart from an error."""
    recorder = RecorderTwin()
    told = chronicle(recorder)
    told.tool_returned("call_1", "no answer", is_error=True, timed_out=True)
    told.tool_returned("call_2", "broken", is_error=True)
    assert [(one.is_error, one.timed_out) for one in recorder.of(r.ToolReturned)] == [
        (True, True),
        (True, False),
    ]


@in_virtual_time
async def test_what_a_session_has_come_to_is_known_at_any_time() -> None:
    """Also where nothing is recorded."""
    for recorder in (None, RecorderTwin()):
        told = chronicle(recorder)
        told.opened(OWNER, {})
        assert told.so_far.began_at > 0
        told.user_said("item_1", "Where is it?", (1.0, 2.0))
        said = {"trigger": "user_speech", "status": "interrupted", "sounded_ms": 3}
        if recorder is None:
            told.agent_said(**said, text="It is", time_to_first_audio_ms=812.5)
            so_far = told.so_far
            assert (so_far.turns, so_far.interruptions) == (1, 1)
            assert (so_far.last_user, so_far.last_agent) == ("Where is it?", "It is")
            assert so_far.response_ms == 812.5
            told.agent_said(**{**said, "trigger": "greeting"}, text="", time_to_first_audio_ms=1.0)
            assert (so_far.turns, so_far.interruptions) == (2, 1)
            assert (so_far.last_agent, so_far.response_ms) == ("It is", 812.5)
        told.ended("client_ended", 0.0, None)


@in_virtual_time
async def test_nothing_is_troubled_after_the_end() -> None:
    """A provider may fail while the goodbye is sent."""
    recorder = RecorderTwin()
    told = chronicle(recorder)
    told.opened(OWNER, {})
    told.troubled("client", "invalid_value", "No.")
    told.ended("client_ended", 0.0, None)
    told.troubled("client", "invalid_value", "No.")
    assert [trouble.at_ms for trouble in recorder.of(r.Troubled)] == [0]
    assert isinstance(recorder.records[-1], r.Ended)
