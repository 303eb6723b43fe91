"""The wire's session configuration in the server's own terms."""

from __future__ import annotations

from antiphon_protocol.audio import encoding_of
from antiphon_protocol.session_config import InputConfig, SessionConfig, Tool
from antiphon_providers.interfaces import HearingOptions, ToolSpec, VoiceOptions
from antiphon_server.call.settings import CallSettings, CallTool
from antiphon_server.conversation.manners import ADAPTIVE, Manners, fixed

PAUSE_MS = 200
INSIST_MS = 500


def call_settings(config: SessionConfig, session_ms: int) -> CallSettings:
    """What a configuration means; ``session_ms`` is the longest this session may last."""
    listening = config.input
    detection = listening.turn_detection
    return CallSettings(
        system_prompt=config.system_prompt,
        greeting=config.greeting or None,
        manners=_manners(listening, session_ms),
        vad_threshold=0.5 if detection is None else detection.vad_threshold,
        hearing=HearingOptions(
            keyterms=listening.keyterms or (),
            prompt=listening.transcription_prompt,
            language_codes=listening.language_codes or (),
        ),
        voice_focus=listening.voice_focus is not None,
        voice=VoiceOptions(config.output.voice),
        volume=config.output.volume,
        input=encoding_of(listening.format),
        output=encoding_of(config.output.format),
        tools=tuple(_tool(tool) for tool in config.tools),
    )


def _manners(listening: InputConfig, session_ms: int) -> Manners:
    mode = listening.transcription_mode or "balanced"
    insist_ms = 0 if mode == "min_latency" else INSIST_MS
    detection = listening.turn_detection
    if detection is None:
        return Manners(patience=ADAPTIVE[mode], insist_ms=insist_ms, session_ms=session_ms)
    if detection.interruption_delay is not None:
        insist_ms = detection.interruption_delay
    return Manners(
        patience=fixed(detection.min_silence, detection.max_silence),
        pause_ms=min(PAUSE_MS, detection.min_silence),
        interruptible=detection.interrupt_response,
        greeting_interruptible="greeting" not in detection.uninterruptible_turns,
        insist_ms=insist_ms,
        session_ms=session_ms,
    )


def _tool(tool: Tool) -> CallTool:
    notes = tool.response_instructions
    return CallTool(
        ToolSpec(tool.name, tool.description, tool.parameters),
        timeout_ms=round(tool.timeout_seconds * 1000),
        success_note=notes.success if notes else None,
        error_note=notes.error if notes else None,
    )
