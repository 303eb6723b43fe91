"""Client tools, ``interactive`` (§4.5)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conformance.dialogue import LOOK_UP, ask, scripted
from conformance.invariants import Event
from conformance.model import Calls, Says, Script, calling, saying, steps
from conformance.spec import CALL_ID
from conformance.target import Target
from conformance.wire import Call

pytestmark = pytest.mark.needs("callback-url")

STREAMED = ("reply.audio", "transcript.agent.delta")
ANOTHER = {**LOOK_UP, "name": "spell_out"}


def look_up(then: str = "That is done.") -> Script:
    """A script that looks up *seven* and then says something."""
    return calling("look_up", {"word": "seven"}, then)


async def called(call: Call, words: str = "Please look up seven.") -> Event:
    """The user asks and the agent calls."""
    await ask(call, words)
    return await call.next("tool.call")


async def give(call: Call, event: Event, result: str = '{"ok":true}', **more: Any) -> None:
    """Answers a call."""
    await call.send("tool.result", call_id=event["call_id"], result=result, **more)


def tool_messages(script: Script) -> str:
    """All tool results that the model was last told."""
    return " ".join(script.asked[-1].said_by("tool"))


async def test_a_tool_call_has_an_id_a_name_and_an_object(target: Target) -> None:
    """§2.2: ``arguments`` is an object, no text; today's name for it, not ``args``."""
    async with scripted(target, look_up(), tools=[LOOK_UP]) as call:
        event = await called(call)
        assert event["name"] == "look_up"
        assert event["arguments"] == {"word": "seven"}
        assert "args" not in event
        assert CALL_ID.holds(event["call_id"])


async def test_the_turn_of_a_tool_in_order(target: Target) -> None:
    """§4.5, §9 row 24: started A, call inside it, done A, result, started B, words, done B."""
    script = look_up("It is a number.")
    async with scripted(target, script, tools=[LOOK_UP]) as call:
        event = await called(call)
        await call.next("reply.done", status="completed")
        await give(call, event)
        await call.next("reply.done", status="completed")
        assert call.kinds(*STREAMED)[2:] == [
            "reply.started",
            "tool.call",
            "reply.done",
            "reply.started",
            "transcript.agent",
            "reply.done",
        ]
        (first, second) = call.seen("reply.started")
        assert first["reply_id"] != second["reply_id"]
        assert call.seen("transcript.agent")[0]["text"] == "It is a number."


async def test_the_calling_reply_closes_without_a_result(target: Target) -> None:
    """§4.5: live about 2.3 s after the call; clients wait for it before they answer."""
    async with scripted(target, look_up(), tools=[LOOK_UP]) as call:
        await called(call)
        await call.next("reply.done", seconds=6, status="completed")
        assert await call.quiet() == []


async def test_an_early_result_is_accepted(target: Target) -> None:
    """§4.5, §9 row 10, §11.1: sent before ``reply.done``; A closes soon, B follows once."""
    async with scripted(target, look_up("It is a number."), tools=[LOOK_UP]) as call:
        await give(call, await called(call))
        await call.next("reply.done", seconds=1.5)
        await call.next("reply.started", seconds=1.5)
        await call.next("reply.done")
        assert await call.quiet() == []
        assert len(call.seen("reply.started")) == 2


@pytest.mark.parametrize("result", ['{"ok":true,"is":"a number"}', "It is a number, I think.", ""])
async def test_any_text_may_be_a_result(target: Target, result: str) -> None:
    """§4.5, §11.1: JSON by convention, but any string works; the model is told it."""
    script = target.scripts.add(look_up())
    async with scripted(target, script, tools=[LOOK_UP]) as call:
        await give(call, await called(call), result)
        await call.next("reply.done", status="completed")
        await call.next("reply.done", status="completed")
    assert result in tool_messages(script)


async def test_an_error_lets_the_agent_recover(target: Target) -> None:
    """§4.5: ``is_error`` true; the guidance in ``result`` reaches the model."""
    script = target.scripts.add(look_up("I could not find it."))
    async with scripted(target, script, tools=[LOOK_UP]) as call:
        await give(call, await called(call), "the dictionary is closed", is_error=True)
        await call.next("transcript.agent", text="I could not find it.")
    assert "the dictionary is closed" in tool_messages(script)


async def test_the_result_reaches_the_model_as_the_answer_to_its_call(target: Target) -> None:
    """§3.5: an assistant message with the call, then a ``tool`` message that names it."""
    script = target.scripts.add(look_up())
    async with scripted(target, script, tools=[LOOK_UP]) as call:
        await give(call, await called(call))
        await call.next("transcript.agent")
    messages = script.asked[-1].messages
    calls = [one for message in messages for one in message.get("tool_calls") or ()]
    answers = [message for message in messages if message["role"] == "tool"]
    assert [one["id"] for one in calls] == [answer["tool_call_id"] for answer in answers]
    assert [one["function"]["name"] for one in calls] == ["look_up"]


@pytest.mark.parametrize("reverse", [False, True], ids=["in order", "reversed"])
async def test_parallel_calls_are_answered_once(target: Target, reverse: bool) -> None:
    """§4.5: all calls before one ``reply.done``; one reply after the last result."""
    calls = Calls((("look_up", {"word": "seven"}), ("spell_out", {"word": "eight"})))
    script = target.scripts.add(steps(calls, Says("Both are numbers.")))
    async with scripted(target, script, tools=[LOOK_UP, ANOTHER]) as call:
        first = await called(call, "Please look up seven and spell out eight.")
        second = await call.next("tool.call", "reply.done")
        assert (first["name"], second["name"]) == ("look_up", "spell_out")
        assert first["call_id"] != second["call_id"]
        await call.next("reply.done")
        order = [second, first] if reverse else [first, second]
        await give(call, order[0], "one")
        assert await call.quiet() == []
        await give(call, order[1], "two")
        await call.next("transcript.agent", text="Both are numbers.")
        await call.next("reply.done")
        assert await call.quiet() == []
    assert {"one", "two"} <= set(tool_messages(script).split())


async def test_calls_may_be_chained(target: Target) -> None:
    """§4.5: after a result the model may call again, inside the next reply."""
    script = steps(
        Calls((("look_up", {"word": "seven"}),)),
        Calls((("spell_out", {"word": "seven"}),)),
        Says("It is spelt as it sounds."),
    )
    async with scripted(target, script, tools=[LOOK_UP, ANOTHER]) as call:
        await give(call, await called(call))
        second = await call.next("tool.call")
        assert second["name"] == "spell_out"
        await give(call, second)
        await call.next("transcript.agent", text="It is spelt as it sounds.")
        await call.next("reply.done")
        assert len(call.seen("reply.started")) == 3


@pytest.mark.recommended
async def test_a_result_of_an_unknown_call_is_ignored(target: Target) -> None:
    """§4.5, §9 row 10: ignored, or ``invalid_value``; no reply, no end."""
    async with scripted(target, saying("Hm."), tools=[LOOK_UP]) as call:
        await call.send("tool.result", call_id="call_of_nobody", result="{}")
        assert {event.get("code") for event in await call.quiet()} <= {"invalid_value"}


@pytest.mark.recommended
async def test_a_second_result_of_a_call_is_ignored(target: Target) -> None:
    """§9 row 10: duplicates are ignored silently; the answer is spoken once."""
    script = target.scripts.add(look_up())
    async with scripted(target, script, tools=[LOOK_UP]) as call:
        event = await called(call)
        await call.next("reply.done")
        await give(call, event, "first")
        await give(call, event, "second")
        await call.next("reply.done")
        await give(call, event, "third")
        assert {one.get("code") for one in await call.quiet()} <= {"invalid_value"}
        assert len(call.seen("reply.started")) == 2
    assert "second" not in tool_messages(script)


async def test_a_call_that_is_not_answered_times_out(target: Target) -> None:
    """§4.5: after ``timeout_seconds`` the agent says something and the session goes on."""
    tool = {**LOOK_UP, "timeout_seconds": 1}
    async with scripted(target, look_up("I am sorry, that took too long."), tools=[tool]) as call:
        event = await called(call)
        start = asyncio.get_running_loop().time()
        await call.next("reply.done", status="completed")
        await call.next("reply.started")
        assert 0.8 <= asyncio.get_running_loop().time() - start <= 4
        await call.next("transcript.agent")
        await call.next("reply.done", status="completed")
        await give(call, event)
        assert {one.get("code") for one in await call.quiet()} <= {"invalid_value"}


async def test_a_result_and_a_reply_create_do_no_harm(target: Target) -> None:
    """§4.5, §11.1: naive clients send both; the agent answers and the session goes on."""
    async with scripted(target, look_up("It is a number."), tools=[LOOK_UP]) as call:
        event = await called(call)
        await call.next("reply.done")
        await give(call, event, is_error=False)
        await call.send("reply.create")
        await call.next("transcript.agent", text="It is a number.", interrupted=False)
        assert call.seen("session.error") == []


async def test_an_update_inside_a_tool_turn_holds_at_once(target: Target) -> None:
    """§4.10: tools and prompt sent between call and result are those of the following reply."""
    script = target.scripts.add(look_up())
    async with scripted(target, script, tools=[LOOK_UP]) as call:
        event = await called(call)
        await call.update(tools=[LOOK_UP, ANOTHER], system_prompt=f"Be merry. {script.mark}")
        await call.next("session.updated")
        await give(call, event)
        await call.next("transcript.agent")
    asked = script.asked[-1]
    assert [tool["function"]["name"] for tool in asked.body["tools"]] == ["look_up", "spell_out"]
    assert "Be merry." in asked.said_by("system")[0]


@pytest.mark.recommended
async def test_a_silent_call_has_no_transcript(target: Target) -> None:
    """§4.5, §9 row 12: ``transcript.agent`` only for replies that speak."""
    async with scripted(target, look_up(), tools=[LOOK_UP]) as call:
        await called(call)
        await call.next("reply.done")
        assert call.seen("transcript.agent") == []


async def test_what_is_said_before_a_call_is_transcribed_if_spoken(target: Target) -> None:
    """§4.5, §9 row 11: a preamble is spoken or silent; if spoken it has its transcript."""
    script = steps(Calls((("look_up", {"word": "seven"}),), text="Let me see. "), Says("Done."))
    async with scripted(target, script, tools=[LOOK_UP]) as call:
        await called(call)
        await call.next("reply.done", seconds=6)
        spoken = bool(call.seen("transcript.agent.delta"))
        assert bool(call.seen("transcript.agent")) == spoken


async def test_a_reply_replaced_while_its_call_is_pending_is_no_dead_end(target: Target) -> None:
    """§4.5: whatever becomes of the old call, a late result breaks nothing."""
    script = Script(
        lambda asked: (
            Says("Never mind.")
            if asked.steps or "mind" in str(asked.messages)
            else Calls((("look_up", {"word": "seven"}),))
        )
    )
    async with scripted(target, script, tools=[LOOK_UP]) as call:
        event = await called(call)
        await call.send("reply.create", instructions="Say: never mind.")
        await call.next("transcript.agent", text="Never mind.")
        await call.next("reply.done")
        await give(call, event)
        await call.quiet()
        assert {one["code"] for one in call.seen("session.error")} <= {"invalid_value"}
        await call.fence()
