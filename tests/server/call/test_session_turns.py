"""Interruptions and tools, as a client of a whole call sees them."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_providers.interfaces import Said
from server.call.scripted_call import (
    Caller,
    Stages,
    calling,
    llm,
    script,
    silent,
    stt,
    used,
    voiced,
)
from virtual_time import in_virtual_time

TOOL = {"type": "function", "name": "look_up", "parameters": {"properties": {}}}


async def _interrupted(caller: Caller) -> wire.ReplyDone:
    """The caller speaks over the reply for as long as it takes."""
    await caller.until(wire.ReplyAudio)
    await caller.play(silent(1500))
    await caller.play(voiced(1400))
    return await caller.until(wire.ReplyDone)


@in_virtual_time
async def test_after_an_interruption_no_audio_of_the_reply_follows() -> None:
    """Started, transcript, done in this order and at one time; then silence from that reply,
    and its transcript is what was heard of it (section 4.8).
    """
    greeting = "One two three four five six seven eight nine ten eleven twelve thirteen."
    stages = Stages(stt=stt(utterances="wait a moment please"))
    async with calling(stages, greeting=greeting) as caller:
        done = await _interrupted(caller)
        assert done.status == "interrupted"
        await caller.play(silent(1000))
        await caller.until(wire.ReplyDone)
        tags = caller.kinds
        at = tags.index("input.speech.started")
        assert tags[at : at + 3] == ["input.speech.started", "transcript.agent", "reply.done"]
        moment = caller.when(wire.ReplyDone)[0]
        assert caller.when(wire.SpeechStarted)[0] == moment == caller.when(wire.AgentTranscript)[0]
        late = [
            message
            for when, message in caller.line.received
            if isinstance(message, wire.ReplyAudio)
            and message.reply_id == done.reply_id
            and when > moment
        ]
        assert late == []
        cut = caller.heard(wire.AgentTranscript)[0]
        assert cut.interrupted
        assert cut.text
        assert greeting.startswith(cut.text)
        assert len(cut.text) < len(greeting)
        played = moment - caller.when(wire.ReplyAudio)[0]
        assert len(cut.text) * 0.06 == pytest.approx(played, abs=0.5)


@in_virtual_time
async def test_the_model_is_told_what_was_heard_and_no_more() -> None:
    """Its memory of an interrupted reply ends where the caller's does."""
    model = llm(replies="One two three four five six seven eight nine ten eleven.|Yes.")
    stages = Stages(llm=model, stt=stt(utterances="hello | stop that please"))
    async with calling(stages, system_prompt="p") as caller:
        await caller.say()
        await _interrupted(caller)
        await caller.play(silent(1000))
        await caller.until(wire.ReplyDone)
        cut = caller.heard(wire.AgentTranscript)[0]
        roles = [(m.role, m.content) for m in model.prompts[-1].messages]
        assert roles == [
            ("system", "p"),
            ("user", "hello"),
            ("assistant", cut.text),
            ("user", "stop that please"),
        ]


@in_virtual_time
async def test_a_back_channel_interrupts_nothing() -> None:
    """An "uh-huh" over the reply is not told, and the reply is heard to its end."""
    greeting = "One two three four five six seven eight nine ten eleven twelve thirteen."
    async with calling(Stages(stt=stt(utterances="uh huh")), greeting=greeting) as caller:
        await caller.until(wire.ReplyAudio)
        await caller.play(silent(500) + voiced(400) + silent(1000))
        done = await caller.until(wire.ReplyDone)
        assert done.status == "completed"
        assert caller.heard(wire.SpeechStarted) == []
        assert caller.heard(wire.AgentTranscript)[0].text == greeting


@in_virtual_time
async def test_a_cancelled_reply_stops_there() -> None:
    """As an interruption, without ``input.speech.started``; an unknown id is ignored."""
    async with calling(greeting="One two three four five six seven eight nine ten.") as caller:
        started = await caller.until(wire.ReplyStarted)
        await asyncio.sleep(1)
        caller.tell(wire.CancelReply("resp_unknown"))
        await asyncio.sleep(0.5)
        assert caller.heard(wire.ReplyDone) == []
        caller.tell(wire.CancelReply(started.reply_id))
        done = await caller.until(wire.ReplyDone)
        assert done.status == "interrupted"
        count = len(caller.line.received)
        await asyncio.sleep(60)
        assert len(caller.line.received) == count
        assert caller.heard(wire.SpeechStarted) == []


@in_virtual_time
async def test_a_reply_that_is_asked_for_replaces_the_one_that_sounds() -> None:
    """``reply.create`` during the greeting: that is closed first (section 9, row 9)."""
    model = llm(replies="Something else.")
    async with calling(Stages(llm=model), greeting="One two three four five six.") as caller:
        await caller.until(wire.ReplyAudio)
        caller.tell(wire.CreateReply("Be brief."))
        assert (await caller.until(wire.ReplyDone)).status == "interrupted"
        assert (await caller.until(wire.ReplyDone)).status == "completed"
        assert model.prompts[0].messages[-1].content == "Be brief."


@in_virtual_time
async def test_a_tool_is_called_and_its_result_spoken() -> None:
    """The call lies inside the open reply, which closes when the result comes; the next reply
    speaks it (section 4.5).
    """
    model = llm(tool="look_up", tool_arguments='{"number": 7}')
    async with calling(Stages(llm=model), tools=[TOOL]) as caller:
        await caller.say()
        call = await caller.until(wire.ToolCall)
        assert (call.name, call.arguments) == ("look_up", {"number": 7})
        await asyncio.sleep(0.3)
        assert caller.heard(wire.ReplyDone) == []
        caller.tell(wire.GiveToolResult(call.call_id, "seven"))
        await caller.until(wire.ReplyDone)
        await caller.until(wire.ReplyDone)
        tail = caller.kinds[caller.kinds.index("tool.call") :]
        assert tail[:3] == ["tool.call", "reply.done", "reply.started"]
        assert caller.heard(wire.AgentTranscript)[-1].text == "The tool says: seven"


@in_virtual_time
async def test_a_tool_that_never_answers_is_apologised_for() -> None:
    """After its ``timeout_seconds`` the model is told, and the session goes on."""
    model = llm(tool="look_up")
    tool = {**TOOL, "timeout_seconds": 5}
    async with calling(Stages(llm=model), tools=[tool]) as caller:
        await caller.say()
        call = await caller.until(wire.ToolCall)
        called = caller.when(wire.ToolCall)[0]
        await caller.until(wire.AgentTranscript)
        assert "did not answer" in caller.heard(wire.AgentTranscript)[-1].text
        assert caller.when(wire.ReplyStarted)[-1] == pytest.approx(called + 5, abs=0.01)
        caller.tell(wire.GiveToolResult(call.call_id, "late"), wire.GiveToolResult("no", "such"))
        await asyncio.sleep(10)
        assert len(caller.heard(wire.ReplyStarted)) == 2
        assert caller.heard(wire.SessionError) == []


@in_virtual_time
async def test_a_tools_result_is_spoken_of_as_the_client_wishes() -> None:
    """``response_instructions`` guide the reply after the result, and no other (section 3.3)."""
    model = llm(tool="look_up")
    tool = {**TOOL, "response_instructions": {"success": "Be proud.", "error": "Be sorry."}}
    async with calling(Stages(llm=model), tools=[tool]) as caller:
        await caller.say()
        call = await caller.until(wire.ToolCall)
        caller.tell(wire.GiveToolResult(call.call_id, "no luck", is_error=True))
        await caller.until(wire.AgentTranscript)
        caller.tell(wire.CreateReply("Go on."))
        await caller.until(wire.AgentTranscript)
        guidance = [prompt.messages[-1].content for prompt in model.prompts]
        assert guidance[1:] == ["Be sorry.", "Go on."]


@in_virtual_time
async def test_an_interruption_neither_loses_a_call_nor_makes_it_twice() -> None:
    """The user speaks over the reply that called; a result that comes later is spoken of."""
    model = script(
        [Said("One moment, I am going to look that up for you right now."), used("call_1")],
        [Said("What is it?")],
        [Said("It is seven.")],
    )
    stages = Stages(llm=model, stt=stt(utterances="and make it quick please"))
    async with calling(stages, tools=[TOOL]) as caller:
        caller.tell(wire.CreateReply())
        call = await caller.until(wire.ToolCall)
        await caller.play(voiced(1400) + silent(1000))
        assert (await caller.until(wire.ReplyDone)).status == "interrupted"
        assert (await caller.until(wire.ReplyDone)).status == "completed"
        caller.tell(wire.GiveToolResult(call.call_id, "seven"))
        await caller.until(wire.ReplyDone)
        assert len(caller.heard(wire.ToolCall)) == 1
        assert caller.heard(wire.AgentTranscript)[-1].text == "It is seven."
    told = [message.content for message in model.prompts[2].messages]
    assert "seven" in told
    assert any("look_up" in content and "seven" in content for content in told)
