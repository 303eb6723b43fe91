"""What breaks in a call, and what its client is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_providers.scripted import Fault, ScriptedTurnModel
from antiphon_server.call.dialect import Frame
from antiphon_server.call.records import Ended
from antiphon_server.call.writing import Courtesy
from antiphon_server.dialects import voice_agent
from antiphon_server.dialects.wording import Terms
from server.call.scripted_call import (
    Stages,
    calling,
    llm,
    silent,
    stt,
    tts,
    vad,
    voiced,
)
from server.call.twins import RecorderTwin
from virtual_time import in_virtual_time

TOOL = {"type": "function", "name": "look_up", "parameters": {"properties": {}}}


class _Broken:
    """A provider whose every method raises what no provider may raise."""

    name = "broken"
    rate = 24_000
    window_ms = 32

    def __getattr__(self, _name: str) -> Any:
        def broken(*_args: object) -> Any:
            raise ZeroDivisionError("broken")

        return broken


def _broken(stage: str) -> Stages:
    stages: dict[str, Any] = {stage: _Broken()}
    return Stages(**stages)


@pytest.mark.parametrize("stage", ["llm", "tts"])
@in_virtual_time
async def test_a_provider_that_breaks_in_a_reply_costs_that_reply(stage: str) -> None:
    """``reply.error``, ``reply.done``, and the next turn is taken."""
    async with calling(_broken(stage), system_prompt="p") as caller:
        for _ in range(2):
            await caller.say()
            error = await caller.until(wire.ReplyError)
            assert error.code == "internal_error"
            assert (await caller.until(wire.ReplyDone)).status == "completed"
        assert caller.heard(wire.SessionError) == []


@pytest.mark.parametrize("stage", ["vad", "stt"])
@in_virtual_time
async def test_ears_that_break_end_the_session_and_say_so(stage: str) -> None:
    """``internal_error`` and 1011; what exactly broke stays in the log."""
    async with calling(_broken(stage)) as caller:
        caller.update(system_prompt="p")
        await caller.play(silent(100))
        assert await caller.ended() == 1011
        (error,) = caller.heard(wire.SessionError)
        assert (error.code, error.message) == ("internal_error", "Internal service error")
        assert "broken" not in str(caller.line.received)


@in_virtual_time
async def test_voice_activity_that_fails_in_mid_call_ends_the_session() -> None:
    """Without it nothing can be heard."""
    async with calling(Stages(vad=vad(fault="unavailable after 20")), greeting="Hi.") as caller:
        await caller.play(silent(2000))
        assert await caller.ended() == 1011
        assert caller.heard(wire.SessionError)[-1].code == "internal_error"


@in_virtual_time
async def test_a_recogniser_that_is_lost_for_good_ends_the_session() -> None:
    """After its last attempt, as an internal error."""
    async with calling(Stages(stt=stt(fault="unavailable at open")), greeting="Hi.") as caller:
        assert await caller.ended() == 1011
        assert caller.heard(wire.SessionError)[-1].code == "internal_error"
        assert isinstance(caller.line.received[-1][1], wire.SessionEnded)


@pytest.mark.parametrize("fault", ["stall", "unavailable times 1"])
@pytest.mark.parametrize("apology", ["", "I am sorry, please say that again."])
@in_virtual_time
async def test_a_recogniser_that_owes_what_was_said_is_apologised_for(
    fault: str, apology: str
) -> None:
    """``reply.error`` within 8 s of the last word, then the apology, where there is one; nothing
    is taken for what the user said.
    """
    recogniser = stt(fault=fault, partial_every_ms=0)
    stages = Stages(stt=recogniser, courtesy=Courtesy(apology=apology))
    async with calling(stages, system_prompt="p") as caller:
        await caller.say()
        said_at = asyncio.get_running_loop().time()
        error = await caller.until(wire.ReplyError)
        assert (error.code, error.retryable) == ("stt_provider_error", True)
        assert (await caller.until(wire.ReplyDone)).status == "completed"
        assert caller.when(wire.ReplyError)[0] - said_at <= 8
        assert [one.text for one in caller.heard(wire.AgentTranscript)] == (
            [apology] * bool(apology)
        )
        assert caller.heard(wire.UserTranscript) == []
        recogniser.desk.fault = None
        if "times" in fault:
            await caller.say()
            assert (await caller.until(wire.UserTranscript)).text == "hello there"


@in_virtual_time
async def test_a_turn_model_that_breaks_costs_patience_only() -> None:
    """The turn ends by its words and its silence."""

    def judge(_pcm: bytes) -> float:
        raise ZeroDivisionError

    stages = Stages(turn=ScriptedTurnModel(judge=judge))
    async with calling(stages, system_prompt="p") as caller:
        await caller.say(900, 2500)
        assert (await caller.until(wire.UserTranscript)).text == "hello there"


@in_virtual_time
async def test_a_reply_that_never_sounds_is_given_up_in_time() -> None:
    """A voice that stalls: ``reply.error``, ``reply.done``, within twenty seconds."""
    async with calling(Stages(tts=tts(fault="stall")), greeting="Hello.") as caller:
        error = await caller.until(wire.ReplyError)
        assert error.retryable
        assert asyncio.get_running_loop().time() <= 20
        assert (await caller.until(wire.ReplyDone)).status == "completed"


@in_virtual_time
async def test_a_model_that_fails_is_told_and_the_session_goes_on() -> None:
    """Failure of one turn, answer to the next."""
    model = llm()
    model.desk.fault = Fault("refused", times=1)
    async with calling(Stages(llm=model), system_prompt="p") as caller:
        await caller.say()
        error = await caller.until(wire.ReplyError)
        assert (error.code, error.retryable) == ("llm_provider_error", False)
        await caller.until(wire.ReplyDone)
        await caller.say()
        assert (await caller.until(wire.AgentTranscript)).text.startswith("You said")


@in_virtual_time
async def test_a_fault_of_our_own_ends_one_call_with_an_error() -> None:
    """A dialect that raises: the call is closed and counted, not stuck."""

    class Faulty(voice_agent.VoiceAgent):
        def speech_started(self) -> list[Frame]:
            raise ZeroDivisionError

    async with calling(system_prompt="p") as caller:
        faulty = Faulty(caller.session, Terms(), caller.host)
        caller.session._performing().dialect = faulty
        await caller.play(voiced(300))
        assert await caller.ended() == 1011
        assert caller.heard(wire.SessionError)[-1].code == "internal_error"


@in_virtual_time
async def test_a_fault_in_sending_ends_the_call_on_record() -> None:
    """Nothing more can be told to its client; the socket is closed, and the session is over."""

    class Faulty(voice_agent.VoiceAgent):
        def audio(self, reply: int, raw: bytes) -> str:
            raise ZeroDivisionError(reply, raw)

    recorder = RecorderTwin()
    async with calling(Stages(recorder=recorder), resume_seconds=30, system_prompt="p") as caller:
        caller.session._performing().dialect = Faulty(caller.session, Terms(), caller.host)
        await caller.drop()
        caller.come_back()
        caller.tell(wire.CreateReply())
        assert await caller.ended() == 1011
    assert [ended.reason for ended in recorder.of(Ended)] == ["failed"]
