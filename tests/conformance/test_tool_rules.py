"""Declarations of tools, checks of arguments, hold mode, guidance after results (§3.3, §4.6)."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.dialogue import LOOK_UP, ask, scripted
from conformance.model import Calls, Says, Script, calling, steps
from conformance.target import Target
from conformance.wire import opened, ready

HOLD = {**LOOK_UP, "execution_mode": "hold"}
DTMF = {
    "parameter_name": "word",
    "min_digits": 4,
    "max_digits": 4,
    "prompt": "Please type your number.",
    "sensitive": False,
}


@pytest.mark.parametrize("when", ["first", "later"])
async def test_properties_must_be_an_object(target: Target, when: str) -> None:
    """§3.3, §5.1: ``invalid_value`` with the path as param; mid-session it stays open."""
    path = "tools[0].parameters.properties"
    tools = [{**LOOK_UP, "parameters": {"type": "object", "properties": ["word"]}}]
    async with opened(target) as call:
        if when == "later":
            await ready(call)
        await call.update(tools=tools)
        error = await call.error("invalid_value")
        assert error["message"] == f"'{path}' must be an object"
        assert error["param"] == path
        if when == "later":
            assert await call.fence() == []


async def test_a_tool_of_the_keypad_needs_a_telephone(target: Target) -> None:
    """§3.3, §4.2, §5.1: ``dtmf_collected_arguments`` fail at the start, 1008."""
    async with opened(target) as call:
        await call.update(tools=[{**LOOK_UP, "dtmf_collected_arguments": [DTMF]}])
        error = await call.error("invalid_value")
        assert error["message"].startswith(
            "tool 'look_up' collects 'word' from the phone keypad (DTMF), "
            "which only exists on telephony calls"
        )
        assert await call.closed() == 1008


@pytest.mark.recommended
@pytest.mark.parametrize(
    "wrong",
    [
        {"name": 5},
        {"execution_mode": "later"},
        {"parameters": "none"},
        {"timeout_seconds": "long"},
    ],
    ids=str,
)
async def test_a_mistyped_tool_is_refused(target: Target, wrong: dict[str, Any]) -> None:
    """§2.1, §3.3: ``invalid_format`` or ``invalid_value``; nothing is applied."""
    async with opened(target) as call:
        await ready(call)
        await call.update(tools=[{**LOOK_UP, **wrong}])
        event = await call.next("session.error", "session.updated")
        assert event.get("code") in {"invalid_format", "invalid_value"}


async def test_a_tool_needs_a_name(target: Target) -> None:
    """§3.3: ``name`` is required."""
    async with opened(target) as call:
        await ready(call)
        await call.update(tools=[{"type": "function", "description": "Nameless."}])
        event = await call.next("session.error", "session.updated")
        assert event.get("code") in {"invalid_format", "invalid_value"}


@pytest.mark.parametrize("least", [{}, {"description": ""}, {"parameters": {}}], ids=str)
async def test_a_name_is_enough_for_a_tool(target: Target, least: dict[str, Any]) -> None:
    """§3.3: ``description`` defaults to the empty text, ``parameters`` to ``{}``."""
    async with opened(target) as call:
        await ready(call, tools=[{"type": "function", "name": "hang_up", **least}])


CHECKED = {
    "enum": ({"type": "string", "enum": ["seven", "eight"]}, "nine", "seven"),
    "pattern": ({"type": "string", "pattern": "[a-z]{5}"}, "sevens", "seven"),
    "format": ({"type": "string", "format": "date"}, "seven", "2026-11-22"),
    "type": ({"type": "integer"}, "seven", 7),
}


@pytest.mark.needs("callback-url")
@pytest.mark.recommended
@pytest.mark.parametrize("check", CHECKED)
async def test_a_bad_argument_is_asked_again_instead_of_called(target: Target, check: str) -> None:
    """§3.3: a value that fails ``enum``, ``pattern`` (full match) or ``format`` makes no call."""
    schema, bad, good = CHECKED[check]
    parameters = {"type": "object", "properties": {"word": schema}, "required": ["word"]}
    tool = {**LOOK_UP, "parameters": parameters}

    def rule(asked: Any) -> Calls | Says:
        told = str(asked.messages)
        if "Correction" in told:
            return Calls((("look_up", {"word": good}),)) if asked.steps < 2 else Says("Done.")
        return Says("Which one?") if asked.steps else Calls((("look_up", {"word": bad}),))

    async with scripted(target, Script(rule), tools=[tool]) as call:
        await ask(call, f"Please look up {bad}.")
        await call.next("transcript.agent", text="Which one?")
        await call.next("reply.done")
        assert call.seen("tool.call") == []
        await ask(call, f"Correction: look up {good}.")
        assert (await call.next("tool.call"))["arguments"] == {"word": good}


@pytest.mark.needs("callback-url")
@pytest.mark.recommended
async def test_a_required_argument_must_be_there(target: Target) -> None:
    """§3.3: a call without it is not passed on."""
    script = steps(Calls((("look_up", {}),)), Says("Which word?"))
    async with scripted(target, script, tools=[LOOK_UP]) as call:
        await ask(call, "Please look up a word.")
        await call.next("transcript.agent", text="Which word?")
        assert call.seen("tool.call") == []


ORDER = {
    "type": "function",
    "name": "find_order",
    "description": "Finds an order.",
    "parameters": {
        "type": "object",
        "properties": {"order_number": {"type": "string"}},
        "required": ["order_number"],
    },
}


@pytest.mark.needs("callback-url")
@pytest.mark.recommended
@pytest.mark.parametrize("made_up", ["48217331", ""])
async def test_a_value_that_nobody_said_is_not_passed_on(target: Target, made_up: str) -> None:
    """§3.3, argument grounding: values come from a user's turn or an earlier tool result."""
    script = steps(Calls((("find_order", {"order_number": made_up}),)), Says("Which order?"))
    async with scripted(target, script, tools=[ORDER]) as call:
        await ask(call, "Please find my order.")
        await call.next("transcript.agent", text="Which order?")
        assert call.seen("tool.call") == []


@pytest.mark.needs("callback-url")
@pytest.mark.recommended
async def test_a_value_of_an_earlier_result_counts_as_said(target: Target) -> None:
    """§3.3, argument grounding: an earlier tool result is a source too."""
    script = steps(
        Calls((("look_up", {"word": "order"}),)),
        Calls((("find_order", {"order_number": "48217331"}),)),
        Says("Done."),
    )
    async with scripted(target, script, tools=[LOOK_UP, ORDER]) as call:
        await ask(call, "Please look up my order.")
        event = await call.next("tool.call")
        await call.send("tool.result", call_id=event["call_id"], result='{"order":"48217331"}')
        assert (await call.next("tool.call"))["arguments"] == {"order_number": "48217331"}


@pytest.mark.needs("callback-url")
@pytest.mark.recommended
async def test_a_tool_that_was_not_declared_is_not_called(target: Target) -> None:
    """§3.3: the client never hears of a tool that it did not offer; the session goes on."""
    script = steps(Calls((("fly_away", {}),)), Says("I cannot do that."))
    async with scripted(target, script, tools=[LOOK_UP]) as call:
        await ask(call, "Please fly away.")
        await call.next("reply.done", seconds=15)
        await call.quiet()
        assert call.seen("tool.call") == []
        await call.fence()


@pytest.mark.needs("callback-url")
@pytest.mark.parametrize(("is_error", "guidance"), [(False, "Be glad."), (True, "Be sorry.")])
async def test_guidance_after_a_result_reaches_the_model(
    target: Target, is_error: bool, guidance: str
) -> None:
    """§3.3: ``response_instructions.success`` or ``.error``, as the result was."""
    instructions = {"success": "Be glad.", "error": "Be sorry."}
    tool = {**LOOK_UP, "response_instructions": instructions}
    script = target.scripts.add(calling("look_up", {"word": "seven"}))
    async with scripted(target, script, tools=[tool]) as call:
        await ask(call, "Please look up seven.")
        event = await call.next("tool.call")
        await call.send("tool.result", call_id=event["call_id"], result="{}", is_error=is_error)
        await call.next("transcript.agent")
    told = [words for words in instructions.values() if words in str(script.asked[-1].messages)]
    assert told == [guidance]


@pytest.mark.needs("callback-url")
async def test_a_held_call_is_followed_by_silence_until_its_result(target: Target) -> None:
    """§4.6, §9 row 23: ``reply.done`` for the calling reply, then nothing; the result speaks."""
    async with scripted(
        target, calling("look_up", {"word": "seven"}, "It is a number."), tools=[HOLD]
    ) as call:
        await ask(call, "Please look up seven.")
        event = await call.next("tool.call")
        await call.next("reply.done", status="completed")
        assert await call.quiet(1.0) == []
        await call.send("tool.result", call_id=event["call_id"], result="{}")
        await call.next("transcript.agent", text="It is a number.")
        await call.next("reply.done")


@pytest.mark.needs("callback-url")
async def test_reply_create_speaks_a_status_line_during_a_hold(target: Target) -> None:
    """§4.6: allowed; the result still fires its own reply."""
    script = Script(
        lambda asked: (
            Says("One moment.")
            if "moment" in str(asked.said_by("system"))
            else Says("It is a number.")
            if asked.steps
            else Calls((("look_up", {"word": "seven"}),))
        )
    )
    async with scripted(target, script, tools=[HOLD]) as call:
        await ask(call, "Please look up seven.")
        event = await call.next("tool.call")
        await call.next("reply.done")
        await call.send("reply.create", instructions="Say: one moment.")
        await call.next("transcript.agent", text="One moment.")
        await call.next("reply.done")
        await call.send("tool.result", call_id=event["call_id"], result="{}")
        await call.next("transcript.agent", text="It is a number.")
