"""A caller's pace, patience and measurements, in virtual time."""

import asyncio
from itertools import repeat

import pytest

from antiphon.caller import CHUNK_MS, SETTLE_S, Caller
from antiphon.clips import Clip, clip_of
from antiphon.errors import ConnectionLost, TimedOut
from antiphon.events import ReplyAudio, ReplyDone, ReplyError, ReplyStarted
from antiphon_protocol.audio import PCM, PCMA, PCMU, Encoding
from clients.fake_agent import FakeAgent, silence, tone
from clients.scripted_line import ScriptedLine
from virtual_time import in_virtual_time


def _clip(speech_ms: float = 500, tail_ms: float = 0) -> Clip:
    return clip_of("clip", silence(100) + tone(speech_ms) + silence(tail_ms))


def _agent(**options: float) -> FakeAgent:
    return FakeAgent(repeat("Hello?"), **options)  # type: ignore[arg-type]


@in_virtual_time
async def test_the_microphone_never_closes_and_keeps_the_pace() -> None:
    """A chunk every 20 ms, silence where nothing is said, each when its last sample is spoken."""
    line = ScriptedLine(_agent())
    async with Caller(line):
        await asyncio.sleep(1.0)
    times = [at for at, _ in line.sent]
    assert times == pytest.approx([0.02 * number for number in range(1, len(times) + 1)])
    assert len(times) == pytest.approx(50, abs=1)
    assert {sound for _, sound in line.sent} == {bytes(PCM.size(CHUNK_MS))}


@in_virtual_time
async def test_a_clip_is_spoken_whole_and_in_time() -> None:
    """Its last, partial chunk is filled up with silence; its clock begins with its first."""
    line = ScriptedLine(_agent())
    clip = clip_of("clip", silence(90) + tone(205))
    async with Caller(line) as caller:
        speech = await caller.say(clip)
    sent = b"".join(sound for at, sound in line.sent if at > speech.started_at + 0.001)
    assert sent.startswith(clip.pcm)
    assert set(sent[len(clip.pcm) :]) <= {0}
    assert len(sent) >= PCM.size(300)
    assert speech.voice_started_at == pytest.approx(speech.started_at + 0.09)
    assert speech.voice_ended_at == pytest.approx(speech.started_at + 0.3, abs=0.011)


@pytest.mark.parametrize("encoding", [PCM, PCMU, PCMA])
def test_the_response_is_from_the_last_voiced_sample_to_the_first_audible_one(
    encoding: Encoding,
) -> None:
    """60 ms of patience and 20 ms of silence in the reply, in every encoding."""

    @in_virtual_time
    async def scenario() -> None:
        line = ScriptedLine(_agent(patience_ms=60, silent_ms=20), encoding)
        async with Caller(line) as caller:
            turn = await caller.converse(_clip(tail_ms=30))
            assert turn.transcript == "Hello?"
            assert turn.reply_text == "Well, indeed."
            assert turn.response_ms is not None
            # Chunks are whole, so quiet is counted in steps of 20 ms.
            assert 60 <= turn.response_ms <= 120
            assert not turn.cut_in
            timeline = await caller.timeline_of(turn)
            assert timeline is not None
            assert timeline.trigger == "user_speech"

    scenario()


@in_virtual_time
async def test_a_turn_lasts_until_the_answer_has_been_heard_out() -> None:
    """The reply's last sample has been played and nothing follows for a moment."""
    line = ScriptedLine(_agent(sound_ms=2000))
    async with Caller(line) as caller:
        turn = await caller.converse(_clip())
        assert turn.answer is not None
        now = asyncio.get_running_loop().time()
        assert now >= caller.ear.plays_until + SETTLE_S - 0.001
        assert turn.answer.over
        second = await caller.converse(_clip())
        assert second.replies != turn.replies
        assert second.transcript == "Hello?"


@in_virtual_time
async def test_an_agent_that_answers_in_a_pause_has_cut_in() -> None:
    """The answer that counts is the one after the end; the early one is told."""
    line = ScriptedLine(_agent(patience_ms=60, sound_ms=1000))
    clip = clip_of("clip", tone(300) + silence(400) + tone(300))
    async with Caller(line) as caller:
        turn = await caller.converse(clip)
    early, answer = turn.replies
    assert turn.cut_in
    assert early.interrupted
    assert turn.answer is answer
    assert turn.response_ms is not None
    assert 60 <= turn.response_ms <= 120
    assert turn.transcript == "Hello? Hello?"


@in_virtual_time
async def test_an_answer_that_came_too_early_is_an_answer_without_a_response_time() -> None:
    """An agent that begins in a pause and speaks on over the caller has answered, badly."""
    line = ScriptedLine(_agent(patience_ms=10_000_000))
    async with Caller(line) as caller:
        conversing = asyncio.create_task(caller.converse(_clip(500)))
        await asyncio.sleep(0.3)
        line.happen(ReplyStarted(reply_id="r", item_id="m"))
        line.happen(ReplyAudio("r", tone(900), asyncio.get_running_loop().time()))
        await asyncio.sleep(0.9)
        line.happen(ReplyDone(reply_id="r", status="completed"))
        turn = await conversing
    assert turn.response_ms is None
    assert turn.cut_in
    assert turn.answered


@in_virtual_time
async def test_a_silent_first_reply_is_not_the_answer() -> None:
    """A tool turn has a reply without sound before the one that speaks (section 4.5)."""
    line = ScriptedLine(_agent())
    async with Caller(line) as caller:
        conversing = asyncio.create_task(caller.converse(_clip(1000)))
        await asyncio.sleep(1.0)
        line.happen(ReplyStarted(reply_id="silent", item_id="m"))
        await asyncio.sleep(0.5)
        line.happen(ReplyDone(reply_id="silent", status="completed"))
        turn = await conversing
    assert [reply.reply_id for reply in turn.replies] == ["silent", "resp_1"]
    assert turn.answer is turn.replies[1]


@in_virtual_time
async def test_an_agent_that_never_answers_is_waited_for_within_bounds() -> None:
    """The wait is counted from the end of the clip."""
    line = ScriptedLine(_agent(patience_ms=10_000_000))
    async with Caller(line) as caller:
        with pytest.raises(TimedOut, match="the agent did not answer within 5 s"):
            await caller.converse(_clip(500), patience_s=5)
        assert asyncio.get_running_loop().time() == pytest.approx(5.6, abs=0.1)


@in_virtual_time
async def test_a_reply_that_failed_ends_the_turn_without_an_answer() -> None:
    """reply.error is an outcome, not something to wait out."""
    line = ScriptedLine(_agent(patience_ms=10_000_000))
    async with Caller(line) as caller:
        conversing = asyncio.create_task(caller.converse(_clip(500)))
        await asyncio.sleep(1.0)
        line.happen(ReplyStarted(reply_id="r", item_id="m"))
        line.happen(ReplyError(reply_id="r", code="llm", message="down", retryable=True))
        line.happen(ReplyDone(reply_id="r", status="completed"))
        turn = await conversing
    assert turn.response_ms is None
    assert turn.answer is None
    assert not turn.answered
    assert turn.timeline is None
    assert turn.replies[0].error == "llm: down"


@pytest.mark.parametrize("ending", [None, ConnectionLost(1006)])
def test_whatever_ends_the_call_is_raised_to_who_waits(ending: ConnectionLost | None) -> None:
    """A plain end of the session in the middle of a turn is a loss as well."""

    @in_virtual_time
    async def scenario() -> None:
        line = ScriptedLine(_agent(patience_ms=10_000_000))
        async with Caller(line) as caller:
            conversing = asyncio.create_task(caller.converse(_clip(500)))
            await asyncio.sleep(1.0)
            line.happen(ending)
            with pytest.raises(ConnectionLost):
                await conversing

    scenario()


@in_virtual_time
async def test_a_witness_is_told_every_event() -> None:
    """What is shown on a screen is what was measured."""
    seen: list[str] = []
    line = ScriptedLine(_agent())
    async with Caller(line, witness=lambda event: seen.append(type(event).__name__)) as caller:
        await caller.converse(_clip())
    assert seen[:5] == [
        "SpeechStarted", "SpeechStopped", "UserTranscript", "ReplyStarted", "TurnTimeline",
    ]  # fmt: skip
    assert seen[-1] == "ReplyDone"
