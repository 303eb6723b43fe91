"""One short, real request to a provider tells whether it works, and what it can do."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon_providers.interfaces import HEARING_RATE, ToolUse, Used
from antiphon_providers.scripted import (
    ScriptedLanguageModel,
    ScriptedSpeechToSpeech,
    ScriptedSpeechToText,
)
from antiphon_providers.scripted.language_model import said
from antiphon_providers.scripted.speech_to_speech import SpeechToSpeechScript
from antiphon_server.provider_check import PATIENCE_SECONDS, Report, check
from server.call.scripted_call import llm, stt, tts, turn, vad, voiced
from virtual_time import in_virtual_time

SPEECH = voiced(1_000)[: HEARING_RATE * 2]


def s2s(**script: Any) -> ScriptedSpeechToSpeech:
    """A model that hears and speaks, with these options."""
    return ScriptedSpeechToSpeech(SpeechToSpeechScript(**script))


def learned(report: Report) -> dict[str, float | str | bool]:
    """What was learned, by name."""
    return {finding.name: finding.value for finding in report.findings}


async def test_a_language_model_is_asked_for_a_sentence_and_a_tool() -> None:
    """What it said and cost; whether it calls a tool when it is told to."""
    report = await check("language_model", llm(replies="To boil water."), None)
    found = learned(report)
    assert report.failure is None
    assert (found["said"], found["calls tools"]) == ("To boil water.", False)
    assert found["tokens"]
    assert {"start", "first token", "whole reply"} <= found.keys()
    use = Used(ToolUse("call_1", "note_colour", {"colour": "green"}))
    able = ScriptedLanguageModel(answer=lambda prompt: [use] if prompt.tools else [*said("Water.")])
    assert learned(await check("language_model", able, None))["calls tools"] is True


async def test_a_voice_says_two_sentences() -> None:
    """How long they are, how fast they came, and whether words have times."""
    voice = tts()
    report = await check("text_to_speech", voice, None)
    found = learned(report)
    assert report.failure is None
    assert found["sample rate"] == voice.rate
    assert found["tells word times"] is True
    assert isinstance(found["audio"], float)
    assert found["audio"] > 1


async def test_a_recogniser_is_spoken_to() -> None:
    """What it heard, whether in parts, and its own verdict where it gives one."""
    found = learned(await check("speech_to_text", stt(turn_over=0.75), SPEECH))
    assert found["heard"] == "hello there"
    assert found["gives partial words"] is True
    assert found["judges the end of a turn"] == 0.75
    silent = await check("speech_to_text", stt(), None)
    assert silent.failure is None
    assert "install antiphon[local]" in str(learned(silent)["heard"])


async def test_a_model_that_hears_and_speaks_is_spoken_with() -> None:
    """What it heard, what it said to that, and how long its first sound took."""
    model = ScriptedSpeechToSpeech(SpeechToSpeechScript(replies="I am fine."))
    found = learned(await check("speech_to_speech", model, SPEECH))
    assert (found["heard"], found["said"]) == ("hello there", "I am fine.")
    assert found["sample rate"] == model.rate
    assert isinstance(found["audio"], float)
    assert found["audio"] > 0.5
    assert {"start", "open", "final words after the pause", "first audio"} <= found.keys()
    assert model.prompts[0].messages[-1].content == "hello there"
    assert model.desk.active == 0
    silent = await check("speech_to_speech", s2s(), None)
    assert silent.failure is None


async def test_what_listens_is_given_speech() -> None:
    """A turn model judges it, voice activity sees it."""
    assert learned(await check("turn_model", turn(), SPEECH))["the turn is over"] == 0.99
    found = learned(await check("voice_activity", vad(), SPEECH))
    assert found["most likely speech"] == 0.99


@pytest.mark.parametrize(
    ("stage", "provider"),
    [
        ("language_model", llm(fault="refused at open")),
        ("text_to_speech", tts(fault="refused at open")),
        ("speech_to_text", stt(fault="refused at open")),
        ("speech_to_speech", s2s(hearing_fault="refused at open")),
        ("speech_to_speech", s2s(fault="refused")),
        ("turn_model", turn(fault="refused")),
    ],
)
async def test_a_provider_that_fails_says_why(stage: Any, provider: Any) -> None:
    """Its own words, and the kind of failure; it is closed all the same."""
    report = await check(stage, provider, SPEECH)
    assert report.failure
    assert report.code == "provider_refused"


@pytest.mark.parametrize(
    ("stage", "provider", "reason"),
    [
        ("language_model", ScriptedLanguageModel(answer=lambda _prompt: []), "said nothing"),
        ("speech_to_text", ScriptedSpeechToText(hear=lambda _pcm: ""), "understood nothing"),
        ("speech_to_speech", s2s(fault="empty"), "made no sound"),
    ],
)
async def test_a_provider_that_gives_nothing_does_not_work(
    stage: Any, provider: Any, reason: str
) -> None:
    """However politely."""
    report = await check(stage, provider, SPEECH)
    assert reason in (report.failure or "")
    assert report.code == "provider_malformed"


@in_virtual_time
async def test_a_provider_that_hangs_is_not_waited_for() -> None:
    """Half a minute for its start, and for the question."""
    report = await check("language_model", llm(fault="stall at open"), None)
    assert report.failure == f"nothing came of it within {PATIENCE_SECONDS:.0f} s"
    assert report.code == "provider_timeout"
