"""Sessions in text: the user writes, or the agent does (protocol section 9, row 25)."""

from __future__ import annotations

import asyncio

import pytest

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_server.call.records import AgentSaid
from server.call.scripted_call import Stages, calling, llm, silent, stt, tts, voiced
from server.call.twins import RecorderTwin
from virtual_time import in_virtual_time

STORY = "This is the first sentence. Here comes another one. And that was the last of them."
TEXT = {"type": "text"}


@in_virtual_time
async def test_a_user_who_writes_is_answered() -> None:
    """By ``conversation.message`` and ``reply.create``; the agent speaks all the same."""
    model = llm()
    async with calling(Stages(llm=model), input=TEXT) as caller:
        caller.tell(wire.AddMessage("user", "What time is it?"), wire.CreateReply())
        await caller.until(wire.ReplyDone)
        assert caller.heard(wire.AgentTranscript)[0].text == "You said: What time is it?"
        assert caller.heard(wire.ReplyAudio)
        assert caller.heard(wire.SpeechStarted) == []


@in_virtual_time
async def test_audio_to_a_session_in_text_is_told_at_most_every_five_seconds() -> None:
    """``invalid_audio``; it is not heard, not counted, and the session stays open."""
    recogniser = stt()
    async with calling(Stages(stt=recogniser), input=TEXT) as caller:
        started = asyncio.get_running_loop().time()
        await caller.play(voiced(900) + silent(11_100))
        errors = caller.heard(wire.SessionError)
        assert {(error.code, error.message) for error in errors} == {
            ("invalid_audio", "This session's input is text; audio is not heard")
        }
        times = [when - started for when in caller.when(wire.SessionError)]
        assert times == pytest.approx([0, 5, 10], abs=0.1)
        assert caller.heard(wire.SpeechStarted) == []
        assert recogniser.desk.active == 0
        caller.tell(wire.EndSession())
        ended = await caller.until(wire.SessionEnded)
        assert ended.audio_duration_seconds == 0


@in_virtual_time
async def test_bad_audio_to_a_session_in_text_is_bad_audio() -> None:
    """Each time, as ever."""
    async with calling(input=TEXT) as caller:
        for _ in range(3):
            caller.line.coming.put_nowait('{"type":"input.audio","audio":"%%%"}')
        await asyncio.sleep(0.1)
        assert [error.message for error in caller.heard(wire.SessionError)] == [
            "Invalid audio data"
        ] * 3


@in_virtual_time
async def test_an_agent_that_writes_sends_words_without_times_and_no_audio() -> None:
    """The reply's start, its words, its transcript, its end."""
    voice = tts()
    async with calling(Stages(llm=llm(replies=STORY), tts=voice), output=TEXT) as caller:
        caller.tell(wire.CreateReply())
        await caller.until(wire.ReplyDone)
        assert caller.kinds[2:] == [
            "reply.started",
            "transcript.agent.delta",
            "transcript.agent",
            "reply.done",
        ]
        words = caller.heard(wire.AgentTranscriptDelta)
        assert {(word.start_ms, word.end_ms) for word in words} == {(None, None)}
        assert "".join(word.delta for word in words) == STORY
        assert all(word.delta.endswith(" ") for word in words[:-1])
        assert caller.heard(wire.AgentTranscript)[0].text == STORY
        assert not caller.heard(wire.AgentTranscript)[0].interrupted


@in_virtual_time
async def test_a_spoken_turn_may_be_answered_in_writing() -> None:
    """And a greeting, too."""
    async with calling(greeting="Hello there.", output=TEXT) as caller:
        await caller.until(wire.ReplyDone)
        await caller.say()
        await caller.until(wire.ReplyDone)
        said = [message.text for message in caller.heard(wire.AgentTranscript)]
        assert said == ["Hello there.", "You said: hello there"]
        assert caller.heard(wire.ReplyAudio) == []


@in_virtual_time
async def test_a_reply_in_writing_is_stopped_where_it_is() -> None:
    """``reply.cancel``: the transcript is what was shown, and so is what the model is told."""
    model = llm(replies=f"{STORY}|Yes.", per_token_ms=500)
    recorder = RecorderTwin()
    async with calling(Stages(llm=model, recorder=recorder), input=TEXT, output=TEXT) as caller:
        caller.tell(wire.AddMessage("user", "Tell me."), wire.CreateReply())
        started = await caller.until(wire.ReplyStarted)
        await asyncio.sleep(5)
        caller.tell(wire.CancelReply(started.reply_id))
        done = await caller.until(wire.ReplyDone)
        assert done.status == "interrupted"
        (cut,) = caller.heard(wire.AgentTranscript)
        shown = "".join(word.delta for word in caller.heard(wire.AgentTranscriptDelta)).strip()
        assert cut.interrupted
        assert cut.text == shown
        assert STORY.startswith(shown)
        assert 0 < len(shown) < len(STORY)
        count = len(caller.line.received)
        await asyncio.sleep(60)
        assert len(caller.line.received) == count
        caller.tell(wire.CreateReply())
        await caller.until(wire.ReplyDone)
        assert [message.content for message in model.prompts[1].messages] == ["Tell me.", cut.text]
    said = recorder.of(AgentSaid)
    assert [(record.method, record.status, record.text) for record in said] == [
        ("written", "interrupted", shown),
        ("written", "completed", "Yes."),
    ]


@in_virtual_time
async def test_a_voice_interrupts_a_reply_in_writing() -> None:
    """Where the user speaks: as it interrupts a spoken one."""
    stages = Stages(
        llm=llm(replies=f"{STORY}|Yes.", per_token_ms=1000),
        stt=stt(utterances="hello | stop that please"),
    )
    async with calling(stages, output=TEXT) as caller:
        await caller.say()
        await caller.until(wire.AgentTranscriptDelta)
        await caller.play(voiced(1500))
        assert (await caller.until(wire.ReplyDone)).status == "interrupted"
        await caller.play(silent(1500))
        assert (await caller.until(wire.ReplyDone)).status == "completed"
        assert [turn.text for turn in caller.heard(wire.UserTranscript)] == [
            "hello",
            "stop that please",
        ]


@in_virtual_time
async def test_the_kinds_of_input_and_output_are_echoed() -> None:
    """And are frozen like the formats beside them."""
    async with calling(input=TEXT, output=TEXT) as caller:
        (ready,) = caller.heard(wire.SessionReady)
        assert (ready.config.input.type, ready.config.output.type) == ("text", "text")
        caller.line.coming.put_nowait(codec.encode_input_audio(silent(20)))
        error = await caller.until(wire.SessionError)
        assert error.code == "invalid_audio"
        for part in ("input", "output"):
            caller.update(**{part: {"type": "audio"}})
            error = await caller.until(wire.SessionError)
            assert (error.code, error.param) == ("immutable_field", f"{part}.type")
