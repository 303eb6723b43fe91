"""Calls that are not made: the model is told, the client is not, and a reply follows."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_providers.interfaces import Message, Prompt, Said
from antiphon_server.call.records import ToolReturned
from antiphon_server.call.tools import MOST_OPEN_CALLS, TOO_MANY
from antiphon_server.conversation.manners import Manners
from server.call.scripted_call import (
    Caller,
    Stages,
    calling,
    sample,
    script,
    silent,
    stt,
    used,
    voiced,
)
from server.call.twins import RecorderTwin
from virtual_time import in_virtual_time

TOOL: dict[str, Any] = {
    "type": "function",
    "name": "look_up",
    "parameters": {
        "type": "object",
        "properties": {"size": {"type": "string", "enum": ["small", "large"]}},
        "required": ["size"],
    },
}
ANYTHING: dict[str, Any] = {"type": "function", "name": "look_up", "parameters": {}}
STEPS = Manners().tool_steps


def told(prompt: Prompt) -> list[Message]:
    """The results a model was told."""
    return [message for message in prompt.messages if message.role == "tool"]


async def _asked(caller: Caller) -> None:
    caller.tell(wire.AddMessage("user", "A small one, please."), wire.CreateReply())


@pytest.mark.parametrize(
    ("use", "why"),
    [
        (used("call_1", "look_down", size="small"), "there is no tool named 'look_down'"),
        (used("call_1", size="middling"), "size"),
        (used("call_1"), "size"),
    ],
)
@in_virtual_time
async def test_a_call_that_cannot_be_is_answered_to_the_model_alone(use: Any, why: str) -> None:
    """An unknown tool, a value that is not allowed, one that is missing: the model speaks again
    in a second reply, which knows why.
    """
    model = script([use], [Said("Which size?")])
    recorder = RecorderTwin()
    before = sample("antiphon_tool_calls_total", outcome="refused")
    async with calling(Stages(llm=model, recorder=recorder), tools=[TOOL]) as caller:
        await _asked(caller)
        await caller.until(wire.AgentTranscript)
        await caller.until(wire.ReplyDone)
        await asyncio.sleep(60)
        assert caller.heard(wire.ToolCall) == []
        assert caller.heard(wire.ReplyError) == []
        assert [done.status for done in caller.heard(wire.ReplyDone)] == ["completed"] * 2
        assert caller.heard(wire.AgentTranscript)[0].text == "Which size?"
    (result,) = told(model.prompts[1])
    assert result.is_error
    assert why in result.content
    (returned,) = recorder.of(ToolReturned)
    assert (returned.call_id, returned.is_error) == ("call_1", True)
    assert returned.result == result.content
    assert sample("antiphon_tool_calls_total", outcome="refused") == before + 1


@in_virtual_time
async def test_the_reply_after_a_refusal_is_told_to_ask() -> None:
    """Once: the next one is not."""
    model = script([used("call_1", size="middling")], [Said("Which size?")], [Said("Well.")])
    async with calling(Stages(llm=model), tools=[TOOL]) as caller:
        await _asked(caller)
        await caller.until(wire.AgentTranscript)
        await caller.until(wire.ReplyDone)
        await _asked(caller)
        await caller.until(wire.AgentTranscript)
        notes = [prompt.messages[-1] for prompt in model.prompts]
        assert "ask the caller" in notes[1].content
        assert notes[1].role == "system"
        assert notes[2].role == "user"


@in_virtual_time
async def test_a_good_call_beside_a_bad_one_is_made() -> None:
    """The client learns of it alone, and one reply follows to both."""
    uses = [used("bad", size="middling"), used("good", size="small")]
    model = script(uses, [Said("There it is.")])
    async with calling(Stages(llm=model), tools=[TOOL]) as caller:
        await _asked(caller)
        call = await caller.until(wire.ToolCall)
        assert (call.call_id, call.arguments) == ("good", {"size": "small"})
        await asyncio.sleep(0.5)
        caller.tell(wire.GiveToolResult("good", "found"))
        await caller.until(wire.AgentTranscript)
        await asyncio.sleep(60)
        assert len(caller.heard(wire.ReplyStarted)) == 2
        assert len(caller.heard(wire.ToolCall)) == 1
    assert [(message.call_id, message.is_error) for message in told(model.prompts[1])] == [
        ("bad", True),
        ("good", False),
    ]


@in_virtual_time
async def test_what_nobody_said_is_no_argument() -> None:
    """A number the model made up is asked for; once somebody said it, the call is made."""
    tool = {**ANYTHING, "parameters": {"properties": {"order_number": {"type": "string"}}}}
    model = script(
        [used("call_1", order_number="48213")],
        [Said("What is the number?")],
        [used("call_2", order_number="48213")],
        [Said("It is on its way.")],
    )
    async with calling(Stages(llm=model), tools=[tool]) as caller:
        caller.tell(wire.AddMessage("user", "Where is my order?"), wire.CreateReply())
        await caller.until(wire.AgentTranscript)
        assert caller.heard(wire.ToolCall) == []
        caller.tell(wire.AddMessage("user", "It is 48213."), wire.CreateReply())
        call = await caller.until(wire.ToolCall)
        assert call.arguments == {"order_number": "48213"}
        caller.tell(wire.GiveToolResult(call.call_id, "on its way"))
        await caller.until(wire.AgentTranscript)


@in_virtual_time
async def test_too_many_open_calls_are_refused() -> None:
    """A model that makes more than anybody needs at once is in a loop; those there are go on."""
    uses = [used(f"call_{number}") for number in range(MOST_OPEN_CALLS + 3)]
    model = script(uses, [Said("Done.")])
    async with calling(Stages(llm=model), tools=[ANYTHING]) as caller:
        await _asked(caller)
        await asyncio.sleep(1)
        calls = caller.heard(wire.ToolCall)
        assert len(calls) == MOST_OPEN_CALLS
        for call in calls:
            caller.tell(wire.GiveToolResult(call.call_id, "done"))
        await caller.until(wire.AgentTranscript)
    results = [message.content for message in told(model.prompts[1])]
    assert results == ["done"] * MOST_OPEN_CALLS + [TOO_MANY] * 3


@in_virtual_time
async def test_refusals_in_a_row_come_to_an_end() -> None:
    """A model that never calls anything else: its last reply is offered no tools, and what it
    calls all the same is answered by nothing more. The session goes on.
    """
    model = script([used("call_1", "look_down")])
    async with calling(Stages(llm=model), tools=[ANYTHING]) as caller:
        await _asked(caller)
        await asyncio.sleep(600)
        offered = [bool(prompt.tools) for prompt in model.prompts]
        assert offered == [True] * STEPS + [False]
        assert (
            len(caller.heard(wire.ReplyDone)) == len(caller.heard(wire.ReplyStarted)) == STEPS + 1
        )
        assert caller.heard(wire.ToolCall) == []
        await _asked(caller)
        await asyncio.sleep(600)
        assert [bool(prompt.tools) for prompt in model.prompts] == offered * 2


@in_virtual_time
async def test_a_call_of_a_tool_that_was_not_offered_is_not_made() -> None:
    """However a model comes to call it: after the last step no tool is anybody's."""
    model = script([used("call_1")])
    async with calling(Stages(llm=model), tools=[ANYTHING]) as caller:
        await _asked(caller)
        for _ in range(STEPS):
            call = await caller.until(wire.ToolCall)
            caller.tell(wire.GiveToolResult(call.call_id, "again"))
        await asyncio.sleep(600)
        assert len(caller.heard(wire.ToolCall)) == STEPS
        assert [bool(prompt.tools) for prompt in model.prompts] == [True] * STEPS + [False]
        starts, ends = caller.heard(wire.ReplyStarted), caller.heard(wire.ReplyDone)
        assert len(starts) == len(ends) == STEPS + 1


@in_virtual_time
async def test_the_question_may_be_protected_from_interruptions() -> None:
    """``uninterruptible_turns`` with ``tool_refused_ask``: the question is heard to its end, and
    what was said over it is not a turn.
    """
    question = "Which of the two sizes that we have would you like me to look for, please?"
    for protected, status in ((["tool_refused_ask"], "completed"), ([], "interrupted")):
        model = script([used("call_1", size="middling")], [Said(question)], [Said("Well.")])
        detection = {"uninterruptible_turns": protected}
        async with calling(
            Stages(llm=model, stt=stt(utterances="no stop that please")),
            tools=[TOOL],
            input={"turn_detection": detection},
        ) as caller:
            await _asked(caller)
            await caller.until(wire.ReplyAudio)
            await caller.play(voiced(1500) + silent(500))
            await caller.until(wire.ReplyDone)
            assert caller.heard(wire.ReplyDone)[1].status == status
