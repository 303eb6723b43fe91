"""One call, from hello to goodbye, through the wire's own words and in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_providers.interfaces import Sound
from antiphon_providers.scripted import ScriptedTextToSpeech
from antiphon_server.call.dialect import Frame
from antiphon_server.call.outbox import MOST_WAITING_BYTES
from antiphon_server.conversation.manners import ADAPTIVE
from server.call.scripted_call import (
    Stages,
    calling,
    llm,
    sample,
    sessions,
    silent,
    stt,
    tts,
    turn,
    voiced,
)
from virtual_time import in_virtual_time

TOOL = {"type": "function", "name": "look_up", "parameters": {"properties": {}}}


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
    for session in ({"system_prompt": "p"}, {"greeting": ""}):
        async with calling(
            None, timeline=False, session_seconds=10_800, resume_seconds=0, **session
        ) as caller:
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
        caller.session.tell([Frame("x" * (MOST_WAITING_BYTES - 3))])
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


@in_virtual_time
async def test_log_lines_say_which_session_and_which_turn() -> None:
    """So that one call can be followed among hundreds."""
    with capture_logs() as lines:
        async with calling(system_prompt="p") as caller:
            await caller.say()
            await caller.until(wire.ReplyDone)
            session = caller.heard(wire.SessionReady)[0].session_id
    assert {line["session"] for line in lines} == {session}
    assert [(line["event"], line["turn"]) for line in lines] == [
        ("session started", 0),
        ("reply sounded", 1),
        ("socket lost", 1),
        ("session ended", 1),
    ]
