"""What whole calls leave on record, and that nothing is told before it is durable."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_providers.interfaces import Said
from antiphon_server.call import records as r
from antiphon_server.call.outbox import DURABLE_SECONDS
from server.call.scripted_call import (
    Caller,
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
from server.call.twins import RecorderTwin
from virtual_time import in_virtual_time

TOOL = {"type": "function", "name": "look_up", "parameters": {"properties": {}}}


def check(recorder: RecorderTwin, caller: Caller) -> None:
    """What is true of the records of any session that has ended."""
    assert {session for session, _ in recorder.taken} == {caller.session.session_id}
    assert [record.seq for record in recorder.records] == list(range(len(recorder.taken)))
    stamps = [record.at for record in recorder.records]
    assert stamps == sorted(stamps)
    assert isinstance(recorder.records[0], r.Started)
    assert isinstance(recorder.records[-1], r.Ended)
    assert len(recorder.of(r.Started)) == len(recorder.of(r.Ended)) == 1
    (ended,) = recorder.of(r.Ended)
    count = len(recorder.of(r.Used))
    assert recorder.connected_seconds == pytest.approx(ended.duration_seconds, abs=0.001 * count)


@in_virtual_time
async def test_a_whole_call_is_on_record_in_order() -> None:
    """A greeting, a turn with a tool, an answer, an end."""
    recorder = RecorderTwin()
    model = script([used("call_1", number=7)], [Said("It is seven.")])
    stages = Stages(llm=model, stt=stt(utterances="what is 7"), recorder=recorder)
    async with calling(stages, greeting="Hello there.", tools=[TOOL]) as caller:
        await caller.until(wire.ReplyDone)
        await caller.say()
        call = await caller.until(wire.ToolCall)
        await asyncio.sleep(0.5)
        took = asyncio.get_running_loop().time() - caller.when(wire.ToolCall)[0]
        caller.tell(wire.GiveToolResult(call.call_id, "seven"))
        await caller.until(wire.ReplyDone)
        await caller.until(wire.ReplyDone)
        caller.tell(wire.EndSession())
        ended = await caller.until(wire.SessionEnded)
        await caller.ended()
        check(recorder, caller)
        replies = caller.heard(wire.ReplyStarted)
        turns = caller.heard(wire.UserTranscript)
    assert recorder.kinds == [
        "started",
        "agent_said",
        "user_said",
        "tool_called",
        "tool_returned",
        "agent_said",
        "agent_said",
        "ended",
    ]
    greeting, calling_reply, answer = recorder.of(r.AgentSaid)
    assert [said.reply_id for said in recorder.of(r.AgentSaid)] == [s.reply_id for s in replies]
    assert [said.item_id for said in recorder.of(r.AgentSaid)] == [s.item_id for s in replies]
    assert (greeting.trigger, greeting.text, greeting.status) == (
        "greeting",
        "Hello there.",
        "completed",
    )
    assert (calling_reply.trigger, calling_reply.text) == ("user_speech", "")
    assert calling_reply.sounded_ms is None
    assert (answer.trigger, answer.text) == ("tool_result", "It is seven.")
    (said,) = recorder.of(r.UserSaid)
    assert (said.text, said.item_id, said.spoken) == ("what is 7", turns[0].item_id, True)
    (called,) = recorder.of(r.ToolCalled)
    (returned,) = recorder.of(r.ToolReturned)
    assert called.reply_id == replies[1].reply_id
    assert (called.call_id, called.name, called.arguments) == ("call_1", "look_up", {"number": 7})
    assert (returned.call_id, returned.result) == ("call_1", "seven")
    assert (returned.is_error, returned.timed_out) == (False, False)
    assert returned.at_ms - called.at_ms == pytest.approx(1000 * took, abs=2)
    (end,) = recorder.of(r.Ended)
    assert (end.reason, end.public_reason) == ("client_ended", "client_end")
    assert end.duration_seconds == pytest.approx(ended.session_duration_seconds)
    assert end.audio_seconds == pytest.approx(ended.audio_duration_seconds)


@in_virtual_time
async def test_when_things_happened_is_on_record() -> None:
    """In milliseconds from ``session.ready``: the turn's voice, the reply's start, sound, end."""
    recorder = RecorderTwin()
    stages = Stages(llm=llm(first_token_ms=300), recorder=recorder)
    async with calling(stages, system_prompt="p") as caller:
        ready = caller.when(wire.SessionReady)[0]
        await asyncio.sleep(2)
        await caller.say(900, 2000)
        await caller.until(wire.ReplyDone)
        started = 1000 * (caller.when(wire.ReplyStarted)[0] - ready)
        sounded = 1000 * (caller.when(wire.ReplyAudio)[0] - ready)
        done = 1000 * (caller.when(wire.ReplyDone)[0] - ready)
    (turn,) = recorder.of(r.UserSaid)
    assert turn.started_ms == pytest.approx(2000, abs=150)
    assert turn.ended_ms == pytest.approx(2900, abs=150)
    (said,) = recorder.of(r.AgentSaid)
    assert said.started_ms == pytest.approx(started, abs=1)
    assert said.sounded_ms == pytest.approx(sounded, abs=1)
    assert said.ended_ms == pytest.approx(done, abs=1)
    assert said.time_to_first_audio_ms == pytest.approx(sounded - (turn.ended_ms or 0), abs=1)


@in_virtual_time
async def test_what_was_used_adds_up_to_what_was_connected() -> None:
    """A record now and then, so that a process that dies loses little; none counts twice."""
    recorder = RecorderTwin()
    async with calling(Stages(recorder=recorder), greeting="Hello there.") as caller:
        await asyncio.sleep(47.3)
        assert 36 < recorder.connected_seconds <= 47.4
        caller.tell(wire.EndSession())
        ended = await caller.until(wire.SessionEnded)
        await caller.ended()
        check(recorder, caller)
        assert recorder.connected_seconds == pytest.approx(ended.session_duration_seconds, abs=0.01)
    assert sum(used.characters for used in recorder.of(r.Used)) == len("Hello there.")


@in_virtual_time
async def test_tokens_are_counted_where_the_model_says_them() -> None:
    """With the reply they were for, and in the metrics."""

    def used(unit: str) -> float:
        of = {"stage": "language_model", "provider": "scripted"}
        return sample("antiphon_provider_usage_total", **of, unit=unit)

    before = used("completion_tokens"), used("prompt_tokens")
    recorder = RecorderTwin()
    model = llm(replies="One two three.")
    async with calling(Stages(llm=model, recorder=recorder), system_prompt="Be brief.") as caller:
        caller.tell(wire.CreateReply())
        await caller.until(wire.ReplyDone)
    assert sum(each.completion_tokens for each in recorder.of(r.Used)) == 3
    assert sum(each.prompt_tokens for each in recorder.of(r.Used)) == 2
    assert used("completion_tokens") == before[0] + 3
    assert used("prompt_tokens") == before[1] + 2


@in_virtual_time
async def test_the_configuration_is_on_record_as_it_was_echoed() -> None:
    """That of the first update, and each that came later; a refused one leaves nothing, and
    neither does one that changes nothing, though it is answered.
    """
    recorder = RecorderTwin()
    async with calling(Stages(recorder=recorder), system_prompt="first") as caller:
        caller.update()
        await caller.until(wire.SessionUpdated)
        caller.update(system_prompt="second")
        caller.update(greeting="frozen")
        await caller.until(wire.SessionUpdated)
        await caller.until(wire.SessionError)
    (started,) = recorder.of(r.Started)
    (changed,) = recorder.of(r.Reconfigured)
    assert (started.account, started.key_id, started.agent_id) == ("account", "key", None)
    assert started.config["system_prompt"] == "first"
    assert started.config["id"] == caller.session.session_id
    assert changed.config["system_prompt"] == "second"


@in_virtual_time
async def test_messages_that_were_not_spoken_are_on_record_as_such() -> None:
    """Those of the user; context is no turn of anybody."""
    recorder = RecorderTwin()
    async with calling(Stages(recorder=recorder), system_prompt="p") as caller:
        caller.tell(wire.AddMessage("system", "The caller is Ada."), wire.AddMessage("user", "Hi"))
        await asyncio.sleep(1)
    (said,) = recorder.of(r.UserSaid)
    assert (said.text, said.spoken, said.started_ms, said.ended_ms) == ("Hi", False, None, None)


@in_virtual_time
async def test_an_interrupted_reply_is_on_record_as_it_was_heard() -> None:
    """The text of its transcript, and how that is known."""
    recorder = RecorderTwin()
    stages = Stages(stt=stt(utterances="wait a moment please"), recorder=recorder)
    long = "One two three four five six seven eight nine ten eleven twelve thirteen."
    async with calling(stages, greeting=long) as caller:
        await caller.until(wire.ReplyAudio)
        await caller.play(silent(1500) + voiced(1400))
        await caller.until(wire.ReplyDone)
        (cut,) = caller.heard(wire.AgentTranscript)
    said = recorder.of(r.AgentSaid)[0]
    assert (said.status, said.text) == ("interrupted", cut.text)
    assert said.method in {"timed", "estimated"}
    assert said.ended_ms > (said.sounded_ms or 0)


@in_virtual_time
async def test_a_reply_that_is_cut_by_the_end_is_on_record() -> None:
    """No event tells of it (section 4.11), the record does: what was heard of it."""
    for end in ("said", "left", "expired", "broke"):
        recorder = RecorderTwin()
        long = "One two three four five six seven eight nine ten eleven. " * 20
        seconds = 60 if end == "expired" else 600
        stages = Stages(recorder=recorder)
        async with calling(stages, session_seconds=seconds, greeting=long) as caller:
            await asyncio.sleep(3)
            if end == "said":
                caller.tell(wire.EndSession())
            elif end == "left":
                await caller.drop()
            elif end == "broke":
                caller.session.break_off()
            await caller.ended()
            assert caller.heard(wire.ReplyDone) == []
            check(recorder, caller)
        (said,) = recorder.of(r.AgentSaid)
        assert said.status == "interrupted"
        assert said.text
        assert long.startswith(said.text)
        assert recorder.kinds == ["started", "agent_said", "ended"]


@pytest.mark.parametrize(
    ("end", "reason", "public"),
    [
        ("said", "client_ended", "client_end"),
        ("left", "client_left", "participant_disconnected"),
        ("expired", "expired", "max_duration"),
        ("broke", "failed", "error"),
        ("stopped", "failed", "error"),
    ],
)
@in_virtual_time
async def test_why_a_session_ended_is_on_record(end: str, reason: str, public: str) -> None:
    """In our words and in the wire's; nothing follows."""
    recorder = RecorderTwin()
    async with calling(Stages(recorder=recorder), session_seconds=60, system_prompt="p") as caller:
        await asyncio.sleep(1)
        if end == "said":
            caller.tell(wire.EndSession())
        elif end == "left":
            await caller.drop()
        elif end == "broke":
            caller.session.break_off()
        elif end == "stopped":
            caller.session.shut_down()
        await caller.ended()
        check(recorder, caller)
    (ended,) = recorder.of(r.Ended)
    assert (ended.reason, ended.public_reason) == (reason, public)


@in_virtual_time
async def test_what_never_opened_leaves_nothing() -> None:
    """No session was."""
    recorder = RecorderTwin()
    async with calling(Stages(recorder=recorder)) as caller:
        caller.update(output={"voice": "nobody"})
        assert await caller.ended() == 1008
    assert recorder.taken == []


# --- told once it is durable ---------------------------------------------------------------


@in_virtual_time
async def test_a_session_is_ready_once_it_is_on_record() -> None:
    """Neither ``session.updated`` nor ``session.ready`` before."""
    recorder = RecorderTwin(at_once=False)
    async with calling(Stages(recorder=recorder)) as caller:
        caller.update(system_prompt="p")
        await asyncio.sleep(DURABLE_SECONDS / 2)
        assert len(recorder.of(r.Started)) == 1
        assert caller.line.received == []
        recorder.settle()
        await caller.until(wire.SessionReady)
        recorder.at_once = True


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (r.UserSaid, wire.UserTranscript),
        (r.ToolCalled, wire.ToolCall),
        (r.AgentSaid, wire.AgentTranscript),
        (r.Ended, wire.SessionEnded),
    ],
)
@in_virtual_time
async def test_each_event_waits_for_its_record(
    record: type[r.Record], message: type[wire.ServerMessage]
) -> None:
    """A transcript, a call, a reply's end, the session's end."""
    recorder = RecorderTwin()
    model = script([Said("Let me see."), used("call_1")], [Said("It is seven.")])
    async with calling(Stages(llm=model, recorder=recorder), tools=[TOOL]) as caller:
        recorder.at_once = record is not r.UserSaid
        speaking = asyncio.create_task(caller.say())
        if record is not r.UserSaid:
            await caller.until(wire.UserTranscript)
        if record is r.Ended:
            await caller.until(wire.ToolCall)
            caller.tell(wire.EndSession())
        recorder.at_once = False
        await recorder.until(record)
        await asyncio.sleep(DURABLE_SECONDS / 2)
        assert caller.heard(message) == []
        recorder.at_once = True
        recorder.settle()
        await caller.until(message)
        await speaking


@in_virtual_time
async def test_a_disk_that_hangs_delays_events_and_stops_no_call() -> None:
    """Each is told in the end, late, and counted; the same with one that is full."""
    before = sample("antiphon_undurable_events_total")
    for fails in (False, True):
        recorder = RecorderTwin()
        async with calling(Stages(recorder=recorder), system_prompt="p") as caller:
            recorder.at_once = False
            await caller.play(voiced(900) + silent(500))
            await recorder.until(r.UserSaid)
            if fails:
                recorder.fail()
            await caller.until(wire.ReplyDone)
            assert caller.heard(wire.AgentTranscript)[0].text == "You said: hello there"
            recorder.fail()
            recorder.at_once = True
    assert sample("antiphon_undurable_events_total") > before + 2
