"""What a configuration of the wire means."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from antiphon_protocol.audio import PCM, PCMA, PCMU
from antiphon_protocol.session_config import (
    AudioFormat,
    HttpTool,
    InputConfig,
    OutputConfig,
    ResponseInstructions,
    SessionConfig,
    Tool,
    TurnDetection,
)
from antiphon_providers.interfaces import HearingOptions, ToolSpec, VoiceOptions
from antiphon_server.call.http_tools import HttpTarget
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


def test_text_in_and_out_are_told_apart() -> None:
    """Each direction for itself."""
    assert not _settings().input_text
    assert not _settings().output_text
    settings = _settings(input=InputConfig(type="text"))
    assert (settings.input_text, settings.output_text) == (True, False)
    settings = _settings(output=OutputConfig(type="text"))
    assert (settings.input_text, settings.output_text) == (False, True)


def test_a_tool_may_be_held_for() -> None:
    """``execution_mode`` (section 3.3)."""
    tools = (Tool("f", execution_mode="hold"), Tool("g"))
    assert [tool.hold for tool in _settings(tools=tools).tools] == [True, False]


def test_a_tool_with_an_address_is_run_here() -> None:
    """At the address that its agent has, and only while it is that agent's tool: a later update
    may give the name to a tool of the client.
    """
    target = HttpTarget("https://tools.example/f")
    times, http = CallTimes(60_000), {"f": target}
    for tool, expected in (
        (Tool("f", http=HttpTool(target.url)), target),
        (Tool("f"), None),
        (Tool("g", http=HttpTool(target.url)), None),
    ):
        (found,) = call_settings(SessionConfig("sess_1", tools=(tool,)), times, http).tools
        assert found.http == expected


def test_arguments_are_checked_against_the_tools_schema() -> None:
    """Compiled once for all sessions that have the tool."""
    schema = {"properties": {"n": {"type": "integer"}}}
    one, other = (_settings(tools=(Tool("f", parameters=schema),)).tools[0] for _ in range(2))
    assert one.arguments is not None
    assert one.arguments is other.arguments
    assert one.arguments.check({"n": 1}) == ()
    assert one.arguments.check({"n": "one"})


def test_a_question_after_a_refused_call_may_be_protected() -> None:
    """``tool_refused_ask`` among the ``uninterruptible_turns``."""
    protected = TurnDetection(uninterruptible_turns=("tool_refused_ask",))
    assert not _manners(turn_detection=protected).refusal_interruptible
    assert _manners(turn_detection=protected).greeting_interruptible
    assert _manners(turn_detection=TurnDetection()).refusal_interruptible


@pytest.mark.parametrize("listening", [{}, {"turn_detection": TurnDetection()}])
def test_the_times_are_the_operators(listening: dict[str, Any]) -> None:
    """How long a session lasts, and how long it outlives its socket."""
    config = SessionConfig("sess_1", input=InputConfig(**listening))
    manners = call_settings(config, CallTimes(60_000, 7_000)).manners
    assert (manners.session_ms, manners.resume_ms) == (60_000, 7_000)
