"""The settings of a session as keywords, and the session object they make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict

from msgspec import UNSET, UnsetType

from antiphon_protocol.session_config import (
    AudioFormat,
    EncodingName,
    InputUpdate,
    OutputUpdate,
    SessionUpdate,
    ToolUpdate,
    TranscriptionMode,
    TurnDetectionUpdate,
    VoiceFocus,
    Webhook,
)


class SessionSettings(TypedDict, total=False):
    """What ``connect`` and ``Call.update`` take; a key that is absent keeps its value.

    The greeting, the voice and the encodings freeze when the session starts; everything else
    may change during the call. Source: voice agent protocol, section 3.1.
    """

    agent_id: str
    """A stored agent; alone, without any other setting."""
    system_prompt: str
    """Who the agent is and how it behaves."""
    greeting: str
    """Spoken word for word when the session starts."""
    voice: str
    """A voice of the server's catalogue."""
    volume: float | None
    """Percent, 0 to 100; None is the native level."""
    input_encoding: EncodingName
    """What ``send_audio`` sends: ``audio/pcm`` is int16 little-endian mono at 24 kHz."""
    output_encoding: EncodingName
    """What ``ReplyAudio.samples`` holds: ``audio/pcmu`` and ``audio/pcma`` are G.711 at 8 kHz."""
    turn_detection: TurnDetectionUpdate | None
    """When a turn ends; None, the default, adapts to the speaker."""
    keyterms: Sequence[str] | None
    """Words to expect, such as names; at most 100."""
    transcription_mode: TranscriptionMode | None
    """``min_latency``, ``balanced`` or ``max_accuracy``."""
    transcription_prompt: str | None
    """What the conversation is about; at most 1750 characters."""
    language_codes: Sequence[str] | None
    """Languages to expect; None recognises them by itself."""
    voice_focus: VoiceFocus | None
    """Noise suppression: ``near-field``, ``far-field``, or None for none."""
    voice_focus_threshold: float | None
    """How strongly voice focus acts, 0 to 1."""
    webhook: Webhook
    """Where the server reports this session's events."""


_INPUT_KEYS = (
    "turn_detection",
    "transcription_mode",
    "transcription_prompt",
    "voice_focus",
    "voice_focus_threshold",
)
_INPUT_LISTS = ("keyterms", "language_codes")
_TOP_KEYS = ("agent_id", "system_prompt", "greeting", "webhook")


def session_update(
    settings: SessionSettings, tools: tuple[ToolUpdate, ...] | UnsetType = UNSET
) -> SessionUpdate:
    """The session object that says these settings and nothing else.

    Raises ``TypeError`` for a keyword that is not a setting.
    """
    _refuse_unknown(settings)
    said: dict[str, Any] = dict(settings)
    top = {key: said[key] for key in _TOP_KEYS if key in said}
    heard: dict[str, Any] = {key: said[key] for key in _INPUT_KEYS if key in said}
    heard |= {key: _tuple(said[key]) for key in _INPUT_LISTS if key in said}
    spoken: dict[str, Any] = {key: said[key] for key in ("voice", "volume") if key in said}
    if "input_encoding" in said:
        heard["format"] = AudioFormat(said["input_encoding"])
    if "output_encoding" in said:
        spoken["format"] = AudioFormat(said["output_encoding"])
    return SessionUpdate(
        input=InputUpdate(**heard) if heard else UNSET,
        output=OutputUpdate(**spoken) if spoken else UNSET,
        tools=tools,
        **top,
    )


def _refuse_unknown(settings: SessionSettings) -> None:
    unknown = sorted(set(settings) - set(SessionSettings.__annotations__))
    if unknown:
        known = ", ".join(SessionSettings.__annotations__)
        raise TypeError(f"no such setting: {', '.join(unknown)}; there are: {known}")


def _tuple(items: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if items is None else tuple(items)
