"""Ears and those they ask: the recogniser, the turn model, and what breaks off."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from msgspec.structs import replace

from antiphon_protocol.audio import PCM
from antiphon_providers.interfaces import HearingOptions
from antiphon_providers.scripted import Fault, ScriptedSpeechToText, ScriptedTurnModel
from antiphon_server.call.ears import (
    JUDGE_SECONDS,
    ONSET_MS,
    PRE_ROLL_MS,
    STALL_MS,
    TURN_MS,
    HearingManners,
)
from antiphon_server.conversation.vocabulary import (
    HearingFailed,
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
from virtual_time import in_virtual_time


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
async def test_words_come_while_they_are_spoken_and_settle_when_asked() -> None:
    """Partial words are not settled; the answer to the question is."""
    stages = Stages(stt=stt(utterances="one two three", ms_per_word=250, final_ms=80))
    async with listening(stages) as microphone:
        await microphone.hears(voiced(900), silent(250))
        partial = [event.text for event in microphone.events if isinstance(event, WordsHeard)]
        assert partial[:2] == ["one", "one two"]
        assert not any(e.settled for e in microphone.events if isinstance(e, WordsHeard))
        microphone.ears.ask_if_done()
        await asyncio.sleep(0.1)
        assert microphone.events[-1] == WordsHeard("one two three", settled=True)
        assert microphone.timeline.hearing.settled is not None


@in_virtual_time
async def test_the_segments_of_one_utterance_are_joined() -> None:
    """A pause in mid-turn is asked about, and the words go on after those before it."""
    stages = Stages(stt=stt(utterances="one two | three four"))
    async with listening(stages) as microphone:
        for _ in range(2):
            await microphone.hears(voiced(600), silent(250))
            microphone.ears.ask_if_done()
            await microphone.settle()
        assert microphone.events[-2] == WordsHeard("one two three four", settled=True)


@in_virtual_time
async def test_late_words_of_a_forgotten_utterance_never_leak_into_the_next() -> None:
    """The recogniser answers a second late; the next utterance has its own words only, and is
    settled by its own answer only.
    """
    stages = Stages(stt=stt(utterances="old words | new words", final_ms=1000))
    async with listening(stages) as microphone:
        await microphone.hears(voiced(600), silent(250))
        microphone.ears.ask_if_done()
        microphone.ears.forget()
        before = len(microphone.events)
        await microphone.hears(voiced(600), silent(250))
        microphone.ears.ask_if_done()
        await asyncio.sleep(5)
        words = [event for event in microphone.events[before:] if isinstance(event, WordsHeard)]
        assert all("old" not in event.text for event in words)
        assert words[-1] == WordsHeard("new words", settled=True)
        assert [event.settled for event in words].count(True) == 1


@in_virtual_time
async def test_unasked_audio_of_a_forgotten_utterance_does_not_leak_either() -> None:
    """Forgotten without a question, as after a back-channel: its audio is no part of the next
    utterance.
    """
    stages = Stages(stt=stt(utterances="uh huh | a question", final_ms=300))
    async with listening(stages) as microphone:
        await microphone.hears(voiced(600), silent(250))
        microphone.ears.forget()
        await microphone.hears(voiced(900), silent(250))
        microphone.ears.ask_if_done()
        await asyncio.sleep(5)
        settled = [e for e in microphone.events if isinstance(e, WordsHeard) and e.settled]
        assert settled == [WordsHeard("a question", settled=True)]


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
async def test_the_recogniser_is_told_what_it_may_know() -> None:
    """Key terms, prompt and languages; changed ones count from its next opening."""
    recogniser = stt()
    known = HearingOptions(("Antiphon",), "a call", ("en",))
    manners = HearingManners(PCM, options=known)
    async with listening(Stages(stt=recogniser), manners) as microphone:
        later = HearingOptions(("Vespers",))
        microphone.ears.change(replace(manners, options=later))
        recogniser.desk.fault = Fault("unavailable", times=1)
        await microphone.hears(voiced(300), silent(250))
        assert list(recogniser.asked) == [known]


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


@in_virtual_time
async def test_a_recogniser_that_breaks_off_is_opened_again() -> None:
    """The turn in which it broke off is lost, and told; the next one is heard."""
    recogniser = stt(utterances="heard", final_ms=50)
    recogniser.desk.fault = Fault("unavailable", after=0, times=1)
    async with listening(Stages(stt=recogniser)) as microphone:
        await microphone.hears(voiced(600), silent(250))
        assert HearingFailed() in microphone.events
        microphone.ears.ask_if_done()
        await asyncio.sleep(1)
        microphone.ears.forget()
        await microphone.hears(voiced(600), silent(250))
        microphone.ears.ask_if_done()
        await asyncio.sleep(1)
        assert microphone.events[-1] == WordsHeard("heard", settled=True)
        assert recogniser.desk.opened == 2


@in_virtual_time
async def test_a_recogniser_that_merely_ends_is_opened_again() -> None:
    """An iteration that is over without an error would otherwise leave the caller unheard."""
    recogniser = stt(utterances="heard")
    async with listening(Stages(stt=recogniser)) as microphone:
        await microphone.hears(voiced(300))
        (stream,) = recogniser._streams
        stream.close()
        await microphone.hears(silent(1000))
        assert HearingFailed() in microphone.events
        microphone.ears.forget()
        await microphone.hears(voiced(600), silent(250))
        microphone.ears.ask_if_done()
        await microphone.settle()
        assert WordsHeard("heard", settled=True) in microphone.events


@in_virtual_time
async def test_without_a_recogniser_a_question_is_answered_at_once() -> None:
    """There will be no words: the turn need not wait for them."""
    stages = Stages(stt=stt(fault="stall at open"))
    async with listening(stages) as microphone:
        await microphone.hears(voiced(300), silent(250))
        microphone.ears.ask_if_done()
        assert WordsHeard("", settled=True) in microphone.events


@pytest.mark.parametrize(
    ("fault", "failures"), [("unavailable at open", 4), ("refused at open", 1)]
)
@in_virtual_time
async def test_a_recogniser_that_fails_for_good_ends_the_session(fault: str, failures: int) -> None:
    """After three more attempts; at once where it says that asking again is no use."""
    async with listening(Stages(stt=stt(fault=fault))) as microphone:
        await asyncio.sleep(10)
        assert microphone.kinds() == ["HearingFailed"] * failures + ["SessionFailed"]
