"""One call, from hello to goodbye, through the wire's own words and in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_providers.interfaces import Sound
from antiphon_providers.scripted import Fault, ScriptedTextToSpeech, ScriptedTurnModel
from antiphon_server.call.outbox import MOST_WAITING_BYTES
from antiphon_server.conversation.manners import ADAPTIVE
from antiphon_server.dialects import voice_agent
from server.call.scripted_call import (
    Caller,
    Stages,
    calling,
    llm,
    sample,
    sessions,
    silent,
    stt,
    tts,
    turn,
    vad,
    voiced,
)
from virtual_time import in_virtual_time

TOOL = {"type": "function", "name": "look_up", "parameters": {"properties": {}}}


# --- the plain course of things ------------------------------------------------------------


@in_virtual_time
async def test_a_greeting_is_spoken_at_once_and_word_for_word() -> None:
    """``updated``, ``ready``, then the greeting (protocol sections 4.3 and 4.12)."""
    async with calling(greeting="Hello, how can I help?") as caller:
        await caller.until(wire.ReplyDone)
        assert caller.kinds == [
            "session.updated",
            "session.ready",
            "reply.started",
            "reply.audio",
            "transcript.agent.delta",
            "reply.audio",
            "transcript.agent",
            "reply.done",
        ]
        (said,) = caller.heard(wire.AgentTranscript)
        assert said.text == "Hello, how can I help?"
        assert not said.interrupted


@in_virtual_time
async def test_without_a_greeting_the_agent_is_silent() -> None:
    """Also with an empty one: nothing follows ``session.ready``."""
    for greeting in ({}, {"greeting": ""}):
        async with calling(system_prompt="p", **greeting) as caller:
            await asyncio.sleep(600)
            assert caller.kinds == ["session.updated", "session.ready"]


@in_virtual_time
async def test_a_turn_is_answered_in_the_order_of_the_protocol() -> None:
    """As section 4.4 lists it; deltas share the item of their transcript; audio lies between
    the reply's start and its transcript.
    """
    async with calling(system_prompt="p") as caller:
        await caller.say()
        await caller.until(wire.ReplyDone)
        assert [kind for kind in caller.kinds if kind != "transcript.agent.delta"] == [
            "session.updated",
            "session.ready",
            "input.speech.started",
            "transcript.user.delta",
            "input.speech.stopped",
            "transcript.user",
            "reply.started",
            "reply.audio",
            *(["reply.audio"] * (caller.kinds.count("reply.audio") - 1)),
            "transcript.agent",
            "reply.done",
        ]
        (said,) = caller.heard(wire.UserTranscript)
        assert said.text == "hello there"
        assert {delta.item_id for delta in caller.heard(wire.UserTranscriptDelta)} == {said.item_id}
        (answer,) = caller.heard(wire.AgentTranscript)
        assert answer.text == "You said: hello there"
        words = caller.heard(wire.AgentTranscriptDelta)
        assert "".join(word.delta for word in words) == answer.text


@in_virtual_time
async def test_the_stages_of_a_real_turn_add_up() -> None:
    """Of a turn with delays everywhere: endpointing, providers and overhead are the response,
    which is what the client saw.
    """
    stages = Stages(
        stt=stt(final_ms=150),
        llm=llm(first_token_ms=300, per_token_ms=30),
        tts=tts(first_sound_ms=120, real_time_factor=0.5),
        turn=turn(delay_ms=60),
    )
    async with calling(stages, timeline=True, system_prompt="p") as caller:
        await caller.say(900, 2000)
        timed = await caller.until(wire.TurnTimeline)
        told = timed.stages
        path = (
            "endpointing",
            "language_model_first_token",
            "language_model_first_sentence",
            "text_to_speech_first_audio",
            "server_overhead",
        )
        assert sum(told[name] for name in path) == pytest.approx(told["response"], abs=0.01)
        assert told["language_model_first_token"] == pytest.approx(300)
        assert told["text_to_speech_first_audio"] == pytest.approx(120)
        assert told["turn_detection"] == pytest.approx(60)
        assert told["speech_to_text"] == pytest.approx(150)
        assert told["endpointing"] == pytest.approx(max(350, ADAPTIVE["balanced"].done), abs=40)
        assert told["server_overhead"] == pytest.approx(0, abs=1)
        assert timed.providers["language_model"] == "scripted"
        assert caller.when(wire.ReplyAudio)[0] == caller.when(wire.TurnTimeline)[0]


@in_virtual_time
async def test_the_timeline_is_told_only_where_it_was_asked_for() -> None:
    """It is no event of the hosted service."""
    async with calling(greeting="Hi there.") as caller:
        await caller.until(wire.ReplyDone)
        assert caller.heard(wire.TurnTimeline) == []


# --- interruptions -------------------------------------------------------------------------


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


# --- tools ---------------------------------------------------------------------------------


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


# --- the end -------------------------------------------------------------------------------


@in_virtual_time
async def test_an_ended_session_says_how_long_it_was() -> None:
    """``session.ended`` with seconds of call and of audio, then close 1000; no ``reply.done``."""
    async with calling(greeting="One two three four five six seven eight nine ten.") as caller:
        await caller.play(silent(2000))
        caller.tell(wire.EndSession())
        assert await caller.ended() == 1000
        last = caller.line.received[-1][1]
        assert isinstance(last, wire.SessionEnded)
        assert last.session_duration_seconds == pytest.approx(2, abs=0.1)
        assert last.audio_duration_seconds == pytest.approx(2)
        assert caller.heard(wire.ReplyDone) == []


@in_virtual_time
async def test_nothing_follows_the_end() -> None:
    """Whatever a client still sends is not answered: ``session.ended`` is the last event."""
    async with calling(greeting="One two three four five six seven.") as caller:
        await caller.until(wire.ReplyAudio)
        caller.tell(wire.EndSession(), wire.EndSession(), wire.CreateReply())
        caller.update(system_prompt="later")
        caller.line.coming.put_nowait("not JSON")
        caller.line.coming.put_nowait(b"binary")
        assert await caller.ended() == 1000
        assert isinstance(caller.line.received[-1][1], wire.SessionEnded)
        assert len(caller.heard(wire.SessionEnded)) == 1


@in_virtual_time
async def test_a_session_that_reaches_its_limit_is_cut() -> None:
    """``session_expired``, ``session.ended``, 1008 (section 4.11), at that second."""
    before = sample("antiphon_sessions_ended_total", ending="expired")
    async with calling(session_seconds=60, system_prompt="p") as caller:
        assert await caller.ended() == 1008
        assert asyncio.get_running_loop().time() == pytest.approx(60, abs=0.1)
        error, ended = (message for _, message in caller.line.received[-2:])
        assert isinstance(error, wire.SessionError)
        assert error.code == "session_expired"
        assert isinstance(ended, wire.SessionEnded)
    assert sample("antiphon_sessions_ended_total", ending="expired") == before + 1


@in_virtual_time
async def test_a_client_that_is_gone_ends_everything() -> None:
    """In any phase: no task, no timer, no count is left (``calling`` looks)."""
    for phase in (0.0, 0.5, 1.2, 1.5, 3.0):
        async with calling(greeting="Hello there, you.") as caller:
            speaking = asyncio.create_task(caller.say())
            await asyncio.sleep(phase)
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)


@in_virtual_time
async def test_a_client_that_leaves_before_its_first_update_was_never_a_session() -> None:
    """It is counted neither up nor down, and gets no close code of ours."""
    before = sample("antiphon_sessions_ended_total", ending="client_left")
    async with calling() as caller:
        caller.line.coming.put_nowait(None)
        assert await caller.ended() is None
        assert sessions() == 0
    assert sample("antiphon_sessions_ended_total", ending="client_left") == before


@in_virtual_time
async def test_a_client_that_does_not_read_is_given_up() -> None:
    """After ten seconds in which it took no frame the session ends, by itself."""
    async with calling(greeting="One two three four five six seven eight nine ten.") as caller:
        await caller.until(wire.ReplyAudio)
        stopped = asyncio.get_running_loop().time()
        caller.line.reads.clear()
        await caller.running
        assert asyncio.get_running_loop().time() - stopped < 15


@in_virtual_time
async def test_a_client_that_reads_nothing_but_asks_much_is_given_up_at_once() -> None:
    """Half a megabyte of unread answers is the limit, and no answer is lost to others."""
    async with calling(system_prompt="p" * 50_000) as caller:
        caller.line.reads.clear()
        for number in range(40):
            caller.update(system_prompt=str(number) * 20_000)
        await asyncio.sleep(1)
        await caller.running
        assert asyncio.get_running_loop().time() < 15


@in_virtual_time
async def test_an_end_that_finds_the_outbox_full_is_still_an_end() -> None:
    """The goodbye may be what overflows; the session ends by it, and as the client asked."""
    before = sample("antiphon_sessions_ended_total", ending="client_ended")
    async with calling(system_prompt="p") as caller:
        caller.line.reads.clear()
        await asyncio.sleep(0)
        caller.session.tell(["x" * (MOST_WAITING_BYTES - 3)])
        caller.tell(wire.EndSession())
        await caller.running
    assert sample("antiphon_sessions_ended_total", ending="client_ended") == before + 1


@in_virtual_time
async def test_a_lost_connection_is_a_client_that_left() -> None:
    """An error of the socket ends the call without a word."""
    async with calling(greeting="One two three four five.") as caller:
        await caller.until(wire.ReplyAudio)
        caller.line.gone = True
        await caller.running


# --- what goes wrong -----------------------------------------------------------------------


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
    return Stages(**{stage: _Broken()})


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
        def speech_started(self) -> list[str]:
            raise ZeroDivisionError

    async with calling(system_prompt="p") as caller:
        caller.session._dialect = Faulty(caller.session, voice_agent.Terms())
        await caller.play(voiced(300))
        assert await caller.ended() == 1011
        assert caller.heard(wire.SessionError)[-1].code == "internal_error"


# --- audio, settings -----------------------------------------------------------------------


@in_virtual_time
async def test_audio_that_is_too_fast_is_told_at_most_every_five_seconds() -> None:
    """The excess is dropped, the session stays open (section 5.1)."""
    async with calling(system_prompt="p") as caller:
        second = codec.encode_input_audio(silent(1000))
        for _ in range(100):
            for _ in range(10):
                caller.line.coming.put_nowait(second)
            await asyncio.sleep(0.1)
        errors = caller.when(wire.SessionError)
        assert {error.code for error in caller.heard(wire.SessionError)} == {"audio_rate_violation"}
        assert len(errors) == 2
        assert errors[1] - errors[0] >= 5
        caller.tell(wire.EndSession())
        ended = await caller.until(wire.SessionEnded)
        assert ended.audio_duration_seconds == pytest.approx(10 + 2 * 10, abs=1)


@in_virtual_time
async def test_an_update_counts_from_now_on() -> None:
    """Tools and prompt that are changed between two turns are those of the second."""
    model = llm()
    async with calling(Stages(llm=model), system_prompt="first") as caller:
        await caller.say()
        await caller.until(wire.ReplyDone)
        caller.update(system_prompt="second", tools=[TOOL])
        await caller.until(wire.SessionUpdated)
        await caller.say()
        await caller.until(wire.ReplyDone)
        first, second = model.prompts
        assert (first.messages[0].content, first.tools) == ("first", ())
        assert second.messages[0].content == "second"
        assert [tool.name for tool in second.tools] == ["look_up"]


@in_virtual_time
async def test_injected_messages_reach_the_model() -> None:
    """``conversation.message`` is answered by nothing and read with the next reply."""
    model = llm()
    async with calling(Stages(llm=model), system_prompt="p") as caller:
        caller.tell(wire.AddMessage("system", "The caller is Ada."), wire.AddMessage("user", "Hi"))
        caller.tell(wire.CreateReply())
        await caller.until(wire.ReplyDone)
        told = [(m.role, m.content) for m in model.prompts[0].messages]
        assert told == [("system", "p"), ("system", "The caller is Ada."), ("user", "Hi")]


@in_virtual_time
async def test_voice_focus_uses_noise_suppression_of_its_own_call() -> None:
    """Made once, when first asked for; a call that does not ask has none."""
    made: list[int] = []

    def make() -> Any:
        made.append(1)
        return lambda pcm: bytes(len(pcm))

    async with calling(Stages(noise=make), system_prompt="p") as caller:
        await caller.play(voiced(300))
        await caller.until(wire.SpeechStarted)
        assert made == []
    async with calling(Stages(noise=make), input={"voice_focus": "near-field"}) as caller:
        caller.update(input={"voice_focus": "far-field"})
        await caller.play(voiced(300))
        assert caller.heard(wire.SpeechStarted) == []
        assert made == [1]


@in_virtual_time
async def test_long_speech_is_paced_while_it_is_synthesised() -> None:
    """First audio long before the voice has said all, and synthesis waits for playback."""
    asked: list[float] = []
    loop = asyncio.get_running_loop()

    class Watched(ScriptedTextToSpeech):
        async def speak(self, sentences: Any, options: Any) -> AsyncIterator[Sound]:  # type: ignore[override]
            async for sound in super().speak(sentences, options):
                asked.append(loop.time())
                yield sound

    text = " ".join(f"This is sentence number {number} of many." for number in range(20))
    async with calling(Stages(tts=Watched()), greeting=text) as caller:
        await caller.until(wire.ReplyDone)
        seconds = loop.time()
        assert caller.when(wire.ReplyAudio)[0] < 0.1
        assert seconds == pytest.approx(len(text) * 0.06, rel=0.05)
        assert asked[-1] == pytest.approx(seconds - 8, abs=4.5)
