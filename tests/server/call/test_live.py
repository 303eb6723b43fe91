"""What an operator sees of a call that goes on."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_protocol.rest_console import PHASES as TOLD
from antiphon_server.call.live import PHASES, phase
from antiphon_server.conversation import states as s
from server.call.scripted_call import Caller, Stages, calling, llm, script, silent, used, voiced
from virtual_time import in_virtual_time

TOOL = {"type": "function", "name": "look_up", "parameters": {"properties": {}}}


def _phase(caller: Caller) -> str:
    return caller.session.live().phase


@pytest.mark.parametrize("state", s.STATES)
def test_every_state_of_a_conversation_has_a_word(state: type[s.State]) -> None:
    """One of those that the console knows."""
    assert phase(state()) in PHASES
    assert PHASES == TOLD


def test_a_greeting_and_a_call_of_a_tool_have_words_of_their_own() -> None:
    """They look alike to the conversation, and not to a person."""
    assert phase(s.Thinking(trigger="greeting")) == "greeting"
    assert phase(s.Speaking(trigger="greeting")) == "greeting"
    assert phase(s.Quiet(s.Books(calls=(s.Call("call_1", 1),)))) == "tools"


@in_virtual_time
async def test_a_call_is_seen_as_it_goes_through_its_phases() -> None:
    """From the greeting to the end, and for how long."""
    stages = Stages(llm=llm(first_token_ms=900, replies="It is seven."))
    async with calling(stages, resume_seconds=30, greeting="Hello there.") as caller:
        await caller.until(wire.ReplyAudio)
        assert _phase(caller) == "greeting"
        await caller.until(wire.ReplyDone)
        assert _phase(caller) == "listening"
        await asyncio.sleep(2)
        assert caller.session.live().phase_ms == pytest.approx(2000, abs=1)
        await caller.play(voiced(900))
        assert _phase(caller) == "hearing"
        await caller.play(silent(1200))
        assert _phase(caller) == "thinking"
        await caller.until(wire.ReplyAudio)
        assert _phase(caller) == "speaking"
        await caller.until(wire.ReplyDone)
        await caller.drop()
        assert _phase(caller) == "detached"


@in_virtual_time
async def test_what_was_said_last_is_seen() -> None:
    """With how many turns there were, how fast the last answer was, and who serves."""
    async with calling(Stages(), greeting="Hello there.") as caller:
        await caller.until(wire.ReplyDone)
        first = caller.session.live()
        assert (first.so_far.turns, first.so_far.last_user) == (1, None)
        assert (first.so_far.last_agent, first.so_far.response_ms) == ("Hello there.", None)
        await caller.say()
        await caller.until(wire.ReplyDone)
        seen = caller.session.live()
        (turn,) = caller.heard(wire.UserTranscript)
        answer = caller.heard(wire.AgentTranscript)[-1]
        assert (seen.so_far.last_user, seen.so_far.last_agent) == (turn.text, answer.text)
        assert (seen.so_far.turns, seen.so_far.interruptions) == (2, 0)
        assert 0 < (seen.so_far.response_ms or 0) < 5000
        assert seen.id == caller.session.session_id
        assert seen.providers["speech_to_text"] == "scripted"
        ready = caller.when(wire.SessionReady)[0]
        passed = asyncio.get_running_loop().time() - ready
        assert seen.seconds == pytest.approx(passed, abs=0.01)


@in_virtual_time
async def test_a_call_that_waits_for_a_tool_is_seen_to() -> None:
    """Until the result is there."""
    model = script([used("call_1")])
    async with calling(Stages(llm=model), system_prompt="p", tools=[TOOL]) as caller:
        await caller.say()
        await caller.until(wire.ToolCall)
        await asyncio.sleep(1)
        assert _phase(caller) == "tools"
