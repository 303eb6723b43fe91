"""A session outlives its socket (protocol section 4.11): what is kept, and what is told again."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_protocol.errors import SessionNotFound
from antiphon_providers.interfaces import Said
from antiphon_server.call import records as r
from server.call.scripted_call import (
    Caller,
    Line,
    Stages,
    calling,
    llm,
    sample,
    script,
    silent,
    stt,
    used,
    voiced,
)
from server.call.twins import HttpToolsTwin, RecorderTwin, bound
from virtual_time import in_virtual_time

LONG = "One two three four five six seven eight nine ten eleven twelve thirteen."
TOOL = {"type": "function", "name": "look_up", "parameters": {"properties": {}}}
HELD = {**TOOL, "execution_mode": "hold"}


async def _returned(caller: Caller, last_seq: int | None = None) -> wire.SessionReady:
    """The client is back; the first thing it is told."""
    caller.come_back(last_seq)
    ready = await caller.until(wire.SessionReady)
    assert caller.line.received[0][1] is ready
    return ready


@in_virtual_time
async def test_who_is_back_finds_the_same_session() -> None:
    """Its id, its configuration, the same end, a new token; and nothing else is told."""
    async with calling(resume_seconds=30, system_prompt="p") as caller:
        (first,) = caller.heard(wire.SessionReady)
        await caller.drop()
        await asyncio.sleep(29)
        ready = await _returned(caller)
        assert (ready.session_id, ready.expires_at) == (first.session_id, first.expires_at)
        assert ready.config == first.config
        assert ready.resume_token != first.resume_token
        await asyncio.sleep(60)
        assert caller.kinds == ["session.ready"]


@in_virtual_time
async def test_who_is_not_back_in_time_finds_none() -> None:
    """The session ends then, on record, without a word."""
    recorder = RecorderTwin()
    stages = Stages(recorder=recorder)
    async with calling(stages, resume_seconds=30, system_prompt="p") as caller:
        line = await caller.drop()
        dropped = asyncio.get_running_loop().time()
        await caller.running
        assert asyncio.get_running_loop().time() - dropped == pytest.approx(30)
        with pytest.raises(SessionNotFound):
            caller.session.take_over(Line(), None)
        assert [m.__struct_config__.tag for _, m in line.received[2:]] == []
    (ended,) = recorder.of(r.Ended)
    assert ended.reason == "client_left"
    assert ended.duration_seconds == pytest.approx(30, abs=0.1)


@in_virtual_time
async def test_where_no_session_is_resumed_a_lost_socket_is_its_end() -> None:
    """And a live one cannot be taken over."""
    async with calling(resume_seconds=0, system_prompt="p") as caller:
        with pytest.raises(SessionNotFound):
            caller.session.take_over(Line(), None)
        assert caller.line.closed is None
        await caller.drop()
        await caller.running
        with pytest.raises(SessionNotFound):
            caller.session.take_over(Line(), None)


@in_virtual_time
async def test_the_greeting_is_not_said_again() -> None:
    """Whether it had sounded or not; that it was cut off is told."""
    for seconds in (0.0, 2.0):
        async with calling(resume_seconds=30) as caller:
            caller.update(greeting=LONG)
            await caller.until(wire.ReplyStarted)
            await asyncio.sleep(seconds)
            await caller.drop()
            await asyncio.sleep(5)
            await _returned(caller)
            await asyncio.sleep(60)
            assert caller.heard(wire.ReplyStarted) == []
            assert [done.status for done in caller.heard(wire.ReplyDone)] == ["interrupted"]


@in_virtual_time
async def test_a_reply_that_was_heard_ends_where_the_socket_broke() -> None:
    """Its transcript and its end are told on the new socket; the model knows what was heard."""
    model = llm(replies=f"{LONG}|Yes.")
    async with calling(Stages(llm=model), resume_seconds=30, system_prompt="p") as caller:
        caller.tell(wire.CreateReply())
        started = await caller.until(wire.ReplyStarted)
        await asyncio.sleep(2)
        await caller.drop()
        await asyncio.sleep(10)
        await _returned(caller)
        await asyncio.sleep(1)
        assert caller.kinds == ["session.ready", "transcript.agent", "reply.done"]
        (cut,) = caller.heard(wire.AgentTranscript)
        assert (cut.reply_id, cut.interrupted) == (started.reply_id, True)
        assert LONG.startswith(cut.text)
        assert len(cut.text) * 0.06 == pytest.approx(2, abs=0.5)
        caller.tell(wire.CreateReply())
        await caller.until(wire.ReplyStarted)
        await caller.until(wire.ReplyDone)
        assert [m.content for m in model.prompts[1].messages] == ["p", cut.text]


@in_virtual_time
async def test_a_reply_that_nobody_heard_starts_anew() -> None:
    """With its instructions, and what it answers is not lost."""
    model = llm(replies="Yes.", first_token_ms=2000)
    async with calling(Stages(llm=model), resume_seconds=30, system_prompt="p") as caller:
        caller.tell(wire.CreateReply("Be brief."))
        await caller.until(wire.ReplyStarted)
        await asyncio.sleep(1)
        await caller.drop()
        await _returned(caller)
        await caller.until(wire.AgentTranscript)
        assert caller.kinds[:3] == ["session.ready", "reply.done", "reply.started"]
        assert model.prompts[-1].messages[-1].content == "Be brief."


@in_virtual_time
async def test_a_turn_that_was_cut_off_is_answered_after_the_return() -> None:
    """What was said before the drop is taken to its end meanwhile."""
    async with calling(resume_seconds=30, system_prompt="p") as caller:
        await caller.play(voiced(900))
        await caller.until(wire.UserTranscriptDelta)
        await caller.drop()
        await asyncio.sleep(5)
        await _returned(caller)
        await caller.until(wire.ReplyDone)
        tags = [tag for tag in caller.kinds if not tag.endswith("delta")]
        assert tags[:4] == [
            "session.ready",
            "input.speech.stopped",
            "transcript.user",
            "reply.started",
        ]
        assert caller.heard(wire.UserTranscript)[0].text == "hello there"


@in_virtual_time
async def test_who_is_back_at_once_may_go_on_speaking() -> None:
    """One turn, of what was said before and after."""
    stages = Stages(stt=stt(utterances="tell me a story please", final_ms=500))
    async with calling(stages, resume_seconds=30, system_prompt="p") as caller:
        await caller.play(voiced(900))
        await caller.drop()
        await _returned(caller)
        await caller.play(voiced(600) + silent(1500))
        await caller.until(wire.ReplyDone)
        assert len(caller.heard(wire.UserTranscript)) == 1


@in_virtual_time
async def test_a_result_that_comes_after_the_return_is_taken() -> None:
    """The client worked on it meanwhile (section 4.11)."""
    model = script([used("call_1")], [Said("It is seven.")])
    async with calling(Stages(llm=model), resume_seconds=30, tools=[TOOL]) as caller:
        caller.tell(wire.CreateReply())
        call = await caller.until(wire.ToolCall)
        await caller.drop()
        await asyncio.sleep(10)
        await _returned(caller)
        caller.tell(wire.GiveToolResult(call.call_id, "seven"))
        await caller.until(wire.AgentTranscript)
        caller.tell(wire.GiveToolResult(call.call_id, "seven"))
        await asyncio.sleep(10)
        assert len(caller.heard(wire.ReplyStarted)) == 1
        assert caller.heard(wire.ToolCall) == []
    (result,) = [message for message in model.prompts[1].messages if message.role == "tool"]
    assert result.content == "seven"


@in_virtual_time
async def test_a_call_that_was_not_delivered_is_delivered_once() -> None:
    """It is committed: its client learns of it, over whatever socket."""
    model = script([used("call_1")], [Said("It is seven.")])
    async with calling(Stages(llm=model), resume_seconds=30, tools=[TOOL]) as caller:
        caller.line.confirms = False
        caller.tell(wire.CreateReply())
        await caller.until(wire.ToolCall)
        await caller.drop()
        await _returned(caller)
        call = await caller.until(wire.ToolCall)
        await caller.drop()
        assert isinstance(call.seq, int)
        await _returned(caller, call.seq)
        caller.tell(wire.GiveToolResult(call.call_id, "seven"))
        await caller.until(wire.AgentTranscript)
        assert caller.heard(wire.ToolCall) == []


@in_virtual_time
async def test_a_tool_of_the_server_runs_on_without_a_client() -> None:
    """Its result is answered when somebody is there to hear it."""
    tools = HttpToolsTwin(seconds=5)
    model = script([used("call_1")], [Said("It is done.")])
    async with calling(Stages(llm=model, http_tools=tools), resume_seconds=30) as caller:
        await caller.bind(bound())
        caller.tell(wire.CreateReply())
        await caller.until(wire.ToolCall)
        await caller.drop()
        await asyncio.sleep(10)
        assert len(model.prompts) == 1
        await _returned(caller)
        await caller.until(wire.AgentTranscript)
        assert caller.heard(wire.ToolCall) == []
        assert len(tools.asked) == 1
        assert tools.cancelled == 0


@in_virtual_time
async def test_a_hold_outlives_the_socket() -> None:
    """The words are withheld before and after, and are told with the result."""
    model = script([used("call_1")], [Said("It is seven.")])
    stages = Stages(llm=model, stt=stt(utterances="look it up | are you there | hello"))
    async with calling(stages, resume_seconds=30, tools=[HELD]) as caller:
        await caller.say()
        call = await caller.until(wire.ToolCall)
        await caller.say()
        await caller.drop()
        await asyncio.sleep(5)
        await _returned(caller)
        await caller.say()
        assert caller.heard(wire.UserTranscript) == []
        caller.tell(wire.GiveToolResult(call.call_id, "seven"))
        await caller.until(wire.AgentTranscript)
        assert [turn.text for turn in caller.heard(wire.UserTranscript)] == [
            "are you there",
            "hello",
        ]


@in_virtual_time
async def test_a_session_may_be_resumed_again_and_again() -> None:
    """Each time it has its whole window again."""
    async with calling(resume_seconds=30, system_prompt="p") as caller:
        for _ in range(5):
            await caller.drop()
            await asyncio.sleep(29)
            await _returned(caller)
        await caller.say()
        await caller.until(wire.ReplyDone)
        assert sample("antiphon_sessions_detached") == 0
        await caller.drop()
        assert sample("antiphon_sessions_detached") == 1
    assert sample("antiphon_sessions_detached") == 0


@in_virtual_time
async def test_the_longest_time_of_a_session_goes_on_without_a_client() -> None:
    """It ends at its second, whether anybody is there or not."""
    recorder = RecorderTwin()
    async with calling(
        Stages(recorder=recorder), session_seconds=60, resume_seconds=30, system_prompt="p"
    ) as caller:
        await asyncio.sleep(50)
        await caller.drop()
        await caller.running
        assert asyncio.get_running_loop().time() == pytest.approx(60, abs=0.1)
        assert caller.session.has_expired
    assert recorder.of(r.Ended)[0].reason == "expired"
    assert sample("antiphon_sessions_detached") == 0


# --- a newer socket takes over -------------------------------------------------------------


@in_virtual_time
async def test_a_newer_socket_takes_over_from_one_that_lives() -> None:
    """The old one gets ``session_forbidden`` and 1008, which no client takes for a lost socket,
    and what it says from then on changes nothing.
    """
    async with calling(resume_seconds=30, greeting=LONG) as caller:
        await asyncio.sleep(2)
        old = caller.line
        await _returned(caller)
        await asyncio.sleep(0.1)
        error = old.received[-1][1]
        assert isinstance(error, wire.SessionError)
        assert (error.code, old.closed) == ("session_forbidden", 1008)
        count = len(old.received)
        old.coming.put_nowait('{"type":"session.end"}')
        old.coming.put_nowait('{"type":"reply.create"}')
        await asyncio.sleep(10)
        assert len(old.received) == count
        assert caller.kinds == ["session.ready", "transcript.agent", "reply.done"]
        assert not caller.session.is_over


@in_virtual_time
async def test_an_old_socket_that_reads_nothing_holds_nobody_up() -> None:
    """It is closed all the same, after a while."""
    async with calling(resume_seconds=30, system_prompt="p") as caller:
        old = caller.line
        old.reads.clear()
        await _returned(caller)
        assert asyncio.get_running_loop().time() < 1
        await asyncio.sleep(5)
        assert old.closed == 1008
        old.reads.set()


@in_virtual_time
async def test_an_old_socket_is_closed_although_the_session_ends_at_once() -> None:
    """Else its client would wait for ever."""
    async with calling(resume_seconds=30, system_prompt="p") as caller:
        old = caller.line
        caller.come_back()
        caller.tell(wire.EndSession())
        assert await caller.ended() == 1000
        assert old.closed == 1008


@in_virtual_time
async def test_of_many_that_come_back_at_once_the_last_has_the_session() -> None:
    """Each of the others is told so; there is one session, and it answers one client."""
    async with calling(resume_seconds=30, system_prompt="p") as caller:
        lines = [caller.line, *(caller.come_back() for _ in range(10))]
        await asyncio.sleep(1)
        assert [line.closed for line in lines] == [1008] * 10 + [None]
        assert sample("antiphon_sessions_detached") == 0
        await caller.say()
        await caller.until(wire.ReplyDone)
        for line in lines[1:-1]:
            assert [m.__struct_config__.tag for _, m in line.received] in (
                ["session.ready", "session.error"],
                ["session.error"],
            )
