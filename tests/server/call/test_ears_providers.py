"""Ears and those they ask: the recogniser, the turn model, and what breaks off."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from antiphon_protocol.audio import PCM
from antiphon_providers.scripted import ScriptedSpeechToText, ScriptedTurnModel
from antiphon_server.call.ears import (
    JUDGE_SECONDS,
    ONSET_MS,
    PRE_ROLL_MS,
    STALL_MS,
    TURN_MS,
    HearingManners,
)
from antiphon_server.conversation.vocabulary import (
    TurnJudged,
    VoiceStarted,
    VoiceStopped,
    WordsHeard,
)
from server.call.microphone import BYTES_PER_MS, listening
from server.call.scripted_call import (
    Stages,
    sample,
    silent,
    stt,
    turn,
    voiced,
)
from virtual_time import VirtualTimeLoop, in_virtual_time


def _listener(heard: list[bytes]) -> ScriptedSpeechToText:
    def hear(pcm: bytes) -> str:
        heard.append(pcm)
        return "words"

    return ScriptedSpeechToText(stt(partial_every_ms=0).options, hear=hear)


@in_virtual_time
async def test_the_recogniser_gets_the_pre_roll_the_voice_and_the_pause() -> None:
    """480 ms before the onset was known, all of the voice, the pause; no silence before."""
    heard: list[bytes] = []
    async with listening(Stages(stt=_listener(heard))) as microphone:
        await microphone.hears(silent(3000), voiced(1000), silent(300))
        microphone.ears.ask_if_done()
        await microphone.settle()
    (pcm,) = heard
    silence_before = PRE_ROLL_MS - ONSET_MS
    assert len(pcm) / BYTES_PER_MS == pytest.approx(silence_before + 1000 + 200, abs=70)
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, np.int16)) > 100)
    assert loud[0] / 16 == pytest.approx(silence_before, abs=35)


@in_virtual_time
async def test_silence_costs_no_recogniser() -> None:
    """A minute in which nobody speaks feeds it nothing."""
    heard: list[bytes] = []
    async with listening(Stages(stt=_listener(heard))) as microphone:
        await microphone.hears(silent(60_000))
        microphone.ears.ask_if_done()
        await microphone.settle()
        assert heard == []
        assert WordsHeard("", settled=True) in microphone.events


@in_virtual_time
async def test_a_voice_that_is_still_on_begins_the_next_utterance() -> None:
    """Forgetting in mid-voice gives notice of it again, and its further words are new."""
    stages = Stages(stt=stt(utterances="first | second"))
    async with listening(stages) as microphone:
        await microphone.hears(voiced(600))
        microphone.ears.forget()
        assert microphone.kinds(VoiceStarted) == ["VoiceStarted", "VoiceStarted"]
        await microphone.hears(voiced(600), silent(250))
        microphone.ears.ask_if_done()
        await microphone.settle()
        assert WordsHeard("second", settled=True) in microphone.events


@in_virtual_time
async def test_the_turn_model_hears_the_end_of_the_utterance() -> None:
    """Its last eight seconds at most, with the pause; asked once."""
    asked: list[bytes] = []

    def judge(pcm: bytes) -> float:
        asked.append(pcm)
        return 0.75

    stages = Stages(turn=ScriptedTurnModel(judge=judge))
    async with listening(stages) as microphone:
        await microphone.hears(voiced(500), silent(250))
        microphone.ears.ask_if_done()
        await microphone.settle()
        microphone.ears.forget()
        await microphone.hears(voiced(12_000), silent(250))
        microphone.ears.ask_if_done()
        await microphone.settle()
        judged = [event for event in microphone.events if isinstance(event, TurnJudged)]
        assert judged == [TurnJudged(0.75), TurnJudged(0.75)]
    short, long = (len(pcm) / BYTES_PER_MS for pcm in asked)
    assert short == pytest.approx(500 + 250, abs=70)
    assert long == TURN_MS // 32 * 32


@pytest.mark.parametrize(
    ("fault", "code"),
    [("unavailable", "provider_unavailable"), ("malformed", "provider_malformed")],
)
@in_virtual_time
async def test_a_turn_model_that_fails_leaves_the_verdict_open(fault: str, code: str) -> None:
    """The words and the silence decide; the failure is counted."""
    labels = {"stage": "turn_model", "provider": "scripted", "code": code}
    before = sample("antiphon_provider_errors_total", **labels)
    async with listening(Stages(turn=turn(fault=fault))) as microphone:
        await microphone.hears(voiced(300), silent(250))
        microphone.ears.ask_if_done()
        await microphone.settle()
        assert TurnJudged(None) in microphone.events
    assert sample("antiphon_provider_errors_total", **labels) == before + 1


@in_virtual_time
async def test_a_turn_model_that_breaks_leaves_the_verdict_open() -> None:
    """An exception of any kind is the end of one question, and of nothing else."""

    def judge(_pcm: bytes) -> float:
        raise ZeroDivisionError

    async with listening(Stages(turn=ScriptedTurnModel(judge=judge))) as microphone:
        await microphone.hears(voiced(300), silent(250))
        microphone.ears.ask_if_done()
        await microphone.settle()
        assert TurnJudged(None) in microphone.events


@in_virtual_time
async def test_a_turn_model_that_is_slow_is_not_waited_for() -> None:
    """After 600 ms the verdict is open."""
    async with listening(Stages(turn=turn(delay_ms=5000))) as microphone:
        await microphone.hears(voiced(300), silent(250))
        asked = microphone.loop.time()
        microphone.ears.ask_if_done()
        await asyncio.sleep(2)
        assert microphone.when(TurnJudged) == [pytest.approx(asked + JUDGE_SECONDS)]
        assert TurnJudged(None) in microphone.events


@pytest.mark.parametrize("verdict", [0.9, None])
@in_virtual_time
async def test_a_recogniser_may_judge_by_itself(verdict: float | None) -> None:
    """Without a turn model its verdict counts; one without an opinion is not waited for."""
    stages = Stages(turn=None, stt=stt(turn_over=verdict, final_ms=50))
    async with listening(stages) as microphone:
        await microphone.hears(voiced(300), silent(250))
        asked = microphone.loop.time()
        microphone.ears.ask_if_done()
        await asyncio.sleep(2)
        waited = JUDGE_SECONDS if verdict is None else 0.05
        assert microphone.when(TurnJudged) == [pytest.approx(asked + waited)]
        assert TurnJudged(verdict) in microphone.events


@in_virtual_time
async def test_a_verdict_on_an_earlier_pause_is_not_taken_for_this_one() -> None:
    """Asked again, only the last question's answer counts; forgotten, none does."""
    stages = Stages(turn=turn(probabilities="0.99,0.01", delay_ms=550))
    async with listening(stages) as microphone:
        await microphone.hears(voiced(300), silent(250))
        microphone.ears.ask_if_done()
        await microphone.hears(voiced(200), silent(250))
        asked = microphone.loop.time()
        microphone.ears.ask_if_done()
        await asyncio.sleep(2)
        assert microphone.when(TurnJudged) == [pytest.approx(asked + 0.55)]
        microphone.ears.ask_if_done()
        microphone.ears.forget()
        await asyncio.sleep(2)
        assert len(microphone.when(TurnJudged)) == 1


@in_virtual_time
async def test_frames_that_stop_coming_are_silence() -> None:
    """A client that sends nothing while nobody speaks still ends its turns: 300 ms without a
    frame are a pause (protocol section 7.2).
    """
    async with listening() as microphone:
        await microphone.hears(voiced(600))
        last = microphone.loop.time()
        await asyncio.sleep(5)
        assert microphone.kinds(VoiceStarted, VoiceStopped) == ["VoiceStarted", "VoiceStopped"]
        (stopped,) = microphone.when(VoiceStopped)
        assert last + 0.2 <= stopped <= last + 2 * STALL_MS / 1000 + 0.05


@in_virtual_time
async def test_frames_that_come_late_lose_nothing() -> None:
    """Gaps shorter than a stall, as a network makes them, put no silence in."""
    async with listening() as microphone:
        pcm = voiced(2400)
        for at in range(0, len(pcm), PCM.size(240)):
            microphone.ears.hear(pcm[at : at + PCM.size(240)])
            await asyncio.sleep(0.240)
        assert microphone.kinds(VoiceStarted, VoiceStopped) == ["VoiceStarted"]


@in_virtual_time
async def test_a_server_that_was_busy_looks_again_before_it_takes_frames_for_lost() -> None:
    """They came while it was: they are read after the timer that was to be cancelled by them. If
    there are none, the pause is noticed a moment later.
    """
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    async with listening() as microphone:
        await microphone.hears(voiced(600))
        for _ in range(3):
            loop.is_busy(0.5)
            await asyncio.sleep(0.01)
            await microphone.hears(voiced(300))
        assert microphone.kinds(VoiceStarted, VoiceStopped) == ["VoiceStarted"]
        loop.is_busy(0.5)
        await asyncio.sleep(0.1)
        assert microphone.kinds(VoiceStarted, VoiceStopped) == ["VoiceStarted", "VoiceStopped"]


@in_virtual_time
async def test_a_hole_in_the_frames_tears_none_into_the_words() -> None:
    """A network that stalls in the middle of a word counts as a pause, but what the recogniser
    hears is the voice on both sides of it and nothing else.
    """
    heard: list[bytes] = []
    async with listening(Stages(stt=_listener(heard))) as microphone:
        await microphone.hears(voiced(1000))
        await asyncio.sleep(0.7)
        assert microphone.kinds(VoiceStarted, VoiceStopped) == ["VoiceStarted", "VoiceStopped"]
        await microphone.hears(voiced(1000), silent(300))
        microphone.ears.ask_if_done()
        await microphone.settle()
    (pcm,) = heard
    assert len(pcm) / BYTES_PER_MS == pytest.approx(2000 + 200, abs=70)
    soft = np.abs(np.frombuffer(pcm, np.int16)[: 1900 * 16]).reshape(-1, 160).max(axis=1) < 100
    assert not soft[:-10].any()


@in_virtual_time
async def test_a_stuttering_voice_leaves_no_timer_behind() -> None:
    """Voice on and off within one stall's time, then the end: nothing wakes any more."""
    async with listening(manners=HearingManners(PCM, pause_ms=50)) as microphone:
        for _ in range(10):
            await microphone.hears(voiced(140), silent(100))
        assert microphone.kinds(VoiceStarted).count("VoiceStarted") > 3
        await microphone.hears(voiced(130))
