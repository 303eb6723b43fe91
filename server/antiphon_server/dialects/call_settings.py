"""The wire's session configuration in the server's own terms."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import msgspec
from msgspec import Struct

from antiphon_protocol.audio import encoding_of
from antiphon_protocol.session_config import InputConfig, SessionConfig, Tool
from antiphon_providers.interfaces import HearingOptions, ToolSpec, VoiceOptions
from antiphon_server.arguments.check import Arguments
from antiphon_server.call.http_tools import HttpTarget
from antiphon_server.call.settings import CallSettings, CallTool
from antiphon_server.conversation.manners import ADAPTIVE, Manners, fixed

NO_TARGETS: Mapping[str, HttpTarget] = MappingProxyType({})
PAUSE_MS = 200
INSIST_MS = 500


class CallTimes(Struct, frozen=True):
    """How long a session may last, and how long it outlives its socket, in milliseconds."""

    session_ms: int = 10_800_000
    resume_ms: int = 30_000


def call_settings(
    config: SessionConfig, times: CallTimes, http: Mapping[str, HttpTarget] = NO_TARGETS
) -> CallSettings:
    """What a configuration means; ``http`` has the addresses of tools that the server runs."""
    listening = config.input
    detection = listening.turn_detection
    return CallSettings(
        system_prompt=config.system_prompt,
        greeting=config.greeting or None,
        manners=_manners(listening, times),
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
        input_text=listening.type == "text",
        output_text=config.output.type == "text",
        tools=tuple(
            # A later update may give the name to a tool of the client.
            _tool(tool, None if tool.http is None else http.get(tool.name))
            for tool in config.tools
        ),
    )


def _manners(listening: InputConfig, times: CallTimes) -> Manners:
    mode = listening.transcription_mode or "balanced"
    insist_ms = 0 if mode == "min_latency" else INSIST_MS
    detection = listening.turn_detection
    if detection is None:
        return Manners(
            patience=ADAPTIVE[mode],
            insist_ms=insist_ms,
            session_ms=times.session_ms,
            resume_ms=times.resume_ms,
        )
    if detection.interruption_delay is not None:
        insist_ms = detection.interruption_delay
    return Manners(
        patience=fixed(detection.min_silence, detection.max_silence),
        pause_ms=min(PAUSE_MS, detection.min_silence),
        interruptible=detection.interrupt_response,
        greeting_interruptible="greeting" not in detection.uninterruptible_turns,
        refusal_interruptible="tool_refused_ask" not in detection.uninterruptible_turns,
        insist_ms=insist_ms,
        session_ms=times.session_ms,
        resume_ms=times.resume_ms,
    )


@lru_cache(maxsize=1024)
def _checked(schema: bytes) -> Arguments:
    """The check of a tool's arguments; most sessions of a server have the same tools."""
    return Arguments(msgspec.json.decode(schema))


def _tool(tool: Tool, target: HttpTarget | None) -> CallTool:
    notes = tool.response_instructions
    return CallTool(
        ToolSpec(tool.name, tool.description, tool.parameters),
        timeout_ms=round(tool.timeout_seconds * 1000),
        hold=tool.execution_mode == "hold",
        http=target,
        arguments=_checked(msgspec.json.encode(tool.parameters)),
        success_note=notes.success if notes else None,
        error_note=notes.error if notes else None,
    )
