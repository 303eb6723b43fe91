"""What a configuration of the wire means."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from antiphon_protocol.audio import PCM, PCMA, PCMU
from antiphon_protocol.session_config import (
    AudioFormat,
    InputConfig,
    OutputConfig,
    ResponseInstructions,
    SessionConfig,
    Tool,
    TurnDetection,
)
from antiphon_providers.interfaces import HearingOptions, ToolSpec, VoiceOptions
from antiphon_server.call.settings import CallSettings, CallTool
from antiphon_server.conversation.manners import ADAPTIVE, Manners, fixed
from antiphon_server.dialects.call_settings import CallTimes, call_settings


def _settings(**config: Any) -> CallSettings:
    return call_settings(SessionConfig("sess_1", **config), CallTimes(60_000))


def _manners(**listening: Any) -> Manners:
    return _settings(input=InputConfig(**listening)).manners


def test_the_defaults_are_adaptive_and_balanced() -> None:
    """No object: the words and the sound decide when a turn is over."""
    settings = _settings()
    assert settings.manners == Manners(
        patience=ADAPTIVE["balanced"], insist_ms=500, session_ms=60_000
    )
    assert settings.greeting is None
    assert (settings.input, settings.output) == (PCM, PCM)
    assert settings.voice == VoiceOptions("anna")
    assert settings.vad_threshold == 0.5


def test_an_empty_greeting_is_none() -> None:
    """Clients send it to mean silence."""
    assert _settings(greeting="").greeting is None
    assert _settings(greeting="Hi.").greeting == "Hi."


@pytest.mark.parametrize(
    ("mode", "insist_ms"), [("min_latency", 0), ("balanced", 500), ("max_accuracy", 500)]
)
def test_the_mode_sets_patience_and_how_one_insists(mode: str, insist_ms: int) -> None:
    """In ``min_latency`` an interruption counts at once (section 3.2)."""
    manners = _manners(transcription_mode=mode)
    assert manners.patience == ADAPTIVE[mode]  # type: ignore[index]
    assert manners.insist_ms == insist_ms


def test_any_turn_detection_object_fixes_the_windows() -> None:
    """Even one of defaults (section 3.2)."""
    manners = _manners(turn_detection=TurnDetection())
    assert manners.patience == fixed(1000, 3000)
    assert manners.pause_ms == 200
    assert manners.interruptible
    assert manners.greeting_interruptible


def test_a_short_minimum_shortens_the_pause_too() -> None:
    """A turn cannot end before its pause is noticed."""
    assert _manners(turn_detection=TurnDetection(min_silence=80)).pause_ms == 80


def test_interruptions_follow_the_object() -> None:
    """Off, delayed, or off for the greeting alone; 0 is a delay too."""
    manners = _manners(turn_detection=TurnDetection(interrupt_response=False))
    assert not manners.interruptible
    for delay in (0, 120):
        detection = TurnDetection(interruption_delay=delay)
        assert _manners(turn_detection=detection).insist_ms == delay
    protected = TurnDetection(uninterruptible_turns=("greeting", "dtmf_prompt"))
    assert not _manners(turn_detection=protected).greeting_interruptible
    assert _manners(turn_detection=protected).interruptible


def test_what_a_recogniser_may_know_is_passed_on() -> None:
    """Key terms, prompt, languages; the threshold goes to voice activity."""
    settings = _settings(
        input=InputConfig(
            keyterms=("a", "b"),
            transcription_prompt="p",
            language_codes=("en", "de"),
            turn_detection=TurnDetection(vad_threshold=0.3),
        )
    )
    assert settings.hearing == HearingOptions(("a", "b"), "p", ("en", "de"))
    assert settings.vad_threshold == 0.3


def test_encodings_volume_and_focus() -> None:
    """Each direction has its own encoding."""
    settings = _settings(
        input=InputConfig(format=AudioFormat("audio/pcmu", 8000), voice_focus="far-field"),
        output=OutputConfig(voice="alba", format=AudioFormat("audio/pcma", 8000), volume=0),
    )
    assert (settings.input, settings.output) == (PCMU, PCMA)
    assert settings.voice_focus
    assert settings.volume == 0
    assert settings.voice == VoiceOptions("alba")


def test_a_tool_keeps_its_schema_its_timeout_and_its_notes() -> None:
    """In milliseconds, rounded."""
    schema = {"type": "object", "properties": {}}
    notes = ResponseInstructions(success="s", error="e")
    settings = _settings(
        tools=(
            Tool("f", description="d", parameters=schema, timeout_seconds=1.5),
            Tool("g", response_instructions=notes),
        )
    )
    assert all(tool.arguments is not None for tool in settings.tools)
    assert tuple(replace(tool, arguments=None) for tool in settings.tools) == (
        CallTool(ToolSpec("f", "d", schema), timeout_ms=1500),
        CallTool(ToolSpec("g"), 120_000, success_note="s", error_note="e"),
    )
