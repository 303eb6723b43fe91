"""Tools whose result the conversation waits for (protocol section 4.6)."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_providers.interfaces import Said
from antiphon_server.call.records import UserSaid
from antiphon_server.dialects.wording import COMMITTED
from server.call.scripted_call import Caller, Stages, calling, script, stt, used
from server.call.twins import RecorderTwin
from virtual_time import in_virtual_time

HELD = {
    "type": "function",
    "name": "look_up",
    "parameters": {"properties": {}},
    "execution_mode": "hold",
    "timeout_seconds": 30,
}
WORDS = "transcript.user.delta"


def stages(
    *replies: str, utterances: str = "look it up | are you there | hello", **more: object
) -> Stages:
    """A model that calls the tool first, and then says these."""
    model = script([used("call_1")], *([Said(text)] for text in replies))
    return Stages(llm=model, stt=stt(utterances=utterances), **more)  # type: ignore[arg-type]


async def _holding(caller: Caller) -> wire.ToolCall:
    """The first turn has led to the call, and its reply is over."""
    await caller.say()
    call = await caller.until(wire.ToolCall)
    await caller.until(wire.ReplyDone)
    return call


@in_virtual_time
async def test_the_calling_reply_ends_and_then_nothing_is_said() -> None:
    """However long it takes (section 9, row 23)."""
    async with calling(stages("It is seven."), tools=[HELD]) as caller:
        await _holding(caller)
        count = len(caller.line.received)
        await asyncio.sleep(25)
        assert len(caller.line.received) == count
        assert caller.kinds[-3:] == ["reply.started", "tool.call", "reply.done"]


@in_virtual_time
async def test_what_is_said_during_a_hold_is_told_when_it_ends() -> None:
    """In order: the deltas and transcripts of all turns, then the reply. That somebody speaks is
    told at once.
    """
    async with calling(stages("It is seven."), tools=[HELD]) as caller:
        call = await _holding(caller)
        at = len(caller.line.received)
        await caller.say()
        await caller.say()
        meanwhile = caller.kinds[len(caller.kinds) - (len(caller.line.received) - at) :]
        assert meanwhile == ["input.speech.started", "input.speech.stopped"] * 2
        caller.tell(wire.GiveToolResult(call.call_id, "seven"))
        await caller.until(wire.ReplyDone)
        tail = caller.kinds[-10:]
        assert tail[:6] == [
            WORDS,
            "transcript.user",
            WORDS,
            "transcript.user",
            "reply.started",
            "reply.audio",
        ]
        assert [turn.text for turn in caller.heard(wire.UserTranscript)] == [
            "look it up",
            "are you there",
            "hello",
        ]
        assert (
            len(set(caller.when(wire.UserTranscript)[1:] + caller.when(wire.ReplyStarted)[1:])) == 1
        )


@in_virtual_time
async def test_withheld_words_belong_to_their_own_utterance() -> None:
    """Each delta has the item of its transcript, although they are told late."""
    async with calling(stages("It is seven."), tools=[HELD]) as caller:
        call = await _holding(caller)
        await caller.say()
        await caller.say()
        caller.tell(wire.GiveToolResult(call.call_id, "seven"))
        await caller.until(wire.ReplyDone)
        texts = {turn.item_id: turn.text for turn in caller.heard(wire.UserTranscript)}
        assert len(texts) == 3
        for delta in caller.heard(wire.UserTranscriptDelta):
            assert texts[delta.item_id].startswith(delta.text)
        numbers = [m.seq for _, m in caller.line.received if isinstance(m, COMMITTED)]
        assert numbers == list(range(1, len(numbers) + 1))


@in_virtual_time
async def test_all_that_was_said_and_the_result_are_answered_at_once() -> None:
    """One reply, whose model knows both."""
    planned = stages("It is seven.")
    async with calling(planned, tools=[HELD]) as caller:
        call = await _holding(caller)
        await caller.say()
        caller.tell(wire.GiveToolResult(call.call_id, "seven"))
        await caller.until(wire.ReplyDone)
        await asyncio.sleep(60)
        assert len(caller.heard(wire.ReplyStarted)) == 2
        told = [(message.role, message.content) for message in planned.llm.prompts[1].messages]
        assert ("tool", "seven") in told
        assert ("user", "are you there") in told


@in_virtual_time
async def test_a_word_about_the_wait_may_be_asked_for() -> None:
    """``reply.create`` during the hold; the words stay withheld, and the answer is still owed."""
    async with calling(stages("One moment.", "It is seven."), tools=[HELD]) as caller:
        call = await _holding(caller)
        await caller.say()
        caller.tell(wire.CreateReply("Say that it takes a moment."))
        await caller.until(wire.ReplyDone)
        assert caller.heard(wire.AgentTranscript)[-1].text == "One moment."
        assert len(caller.heard(wire.UserTranscript)) == 1
        caller.tell(wire.GiveToolResult(call.call_id, "seven"))
        await caller.until(wire.ReplyDone)
        assert caller.heard(wire.AgentTranscript)[-1].text == "It is seven."
        assert len(caller.heard(wire.UserTranscript)) == 2


@in_virtual_time
async def test_a_held_tool_that_never_answers_is_given_up() -> None:
    """After its ``timeout_seconds`` the words are told, and the model says something."""
    planned = stages("I could not find out.")
    async with calling(planned, tools=[HELD]) as caller:
        await _holding(caller)
        called = caller.when(wire.ToolCall)[0]
        await caller.say()
        await caller.until(wire.UserTranscript)
        await caller.until(wire.ReplyDone)
        assert caller.when(wire.UserTranscript)[1] == pytest.approx(called + 30)
        assert caller.when(wire.ReplyStarted)[1] == pytest.approx(called + 30)
        assert caller.heard(wire.AgentTranscript)[-1].text == "I could not find out."
        told = [message for message in planned.llm.prompts[1].messages if message.role == "tool"]
        assert told[0].is_error


@in_virtual_time
async def test_what_is_withheld_is_on_record_at_once() -> None:
    """A process that dies during a hold loses nothing that was said."""
    recorder = RecorderTwin()
    async with calling(stages("It is seven.", recorder=recorder), tools=[HELD]) as caller:
        await _holding(caller)
        await caller.say()
        assert len(caller.heard(wire.UserTranscript)) == 1
        assert [said.text for said in recorder.of(UserSaid)] == ["look it up", "are you there"]


@in_virtual_time
async def test_a_session_that_ends_during_a_hold_ends() -> None:
    """What was withheld is on record; it is not told any more."""
    async with calling(stages("It is seven."), tools=[HELD]) as caller:
        await _holding(caller)
        await caller.say()
        caller.tell(wire.EndSession())
        assert await caller.ended() == 1000
        assert len(caller.heard(wire.UserTranscript)) == 1


@in_virtual_time
async def test_a_tool_that_is_not_held_withholds_nothing() -> None:
    """The default mode."""
    tool = {**HELD, "execution_mode": "interactive"}
    async with calling(stages("Hello again.", "It is seven."), tools=[tool]) as caller:
        await _holding(caller)
        await caller.say()
        await caller.until(wire.UserTranscript)
        await caller.until(wire.ReplyDone)
        assert caller.heard(wire.AgentTranscript)[-1].text == "Hello again."
