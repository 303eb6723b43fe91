"""Text to speech by ElevenLabs' multi-context WebSocket (``multi-stream-input``).

A connection has one voice. A sentence is a context of its own that is flushed and closed at
once: the vendor says ``isFinal`` when a context has closed, and nothing at the end of a flush. A
context that was flushed goes on although it is closed, so what is cancelled is cancelled with
its connection, which therefore carries one speech at a time; the next is opened meanwhile::

    ANTIPHON_TTS=elevenlabs ANTIPHON_TTS_API_KEY=... ANTIPHON_TTS_VOICE=21m00Tcm4TlvDq8ikWAM

Source: ElevenLabs' pages "Multi-Context WebSocket" (API reference and guide) and "Errors", and
the types of the ``elevenlabs`` SDK 2.78 (2026-11-23). ``eleven_v3`` is not to be had over this
wire.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
import pybase64
from msgspec import Meta, Struct

from antiphon_providers.errors import ProviderError, Refused, Unavailable
from antiphon_providers.interfaces import Sound, VoiceOptions
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.vendor_options import (
    FirstSoundMs,
    SoundProgressMs,
    VendorOptions,
    Voice,
    Voices,
    key_at,
    socket_url,
    voices_by_name,
)
from antiphon_providers.vendor_socket import Address, VendorSocket
from antiphon_providers.vendor_words import without
from antiphon_providers.voice_contexts import ContextSession, Heard
from antiphon_providers.voice_pool import VoicePool
from antiphon_providers.voice_session import RATE, Deadlines
from antiphon_providers.voice_timing import Mark

BASE_URL = "wss://api.elevenlabs.io"
KEY_VARIABLE = "ELEVENLABS_API_KEY"

_INACTIVITY_S = 180
"""After which the vendor ends an idle connection: the longest that may be asked for."""
_NOT_NOW = (
    "rate_limit",
    "busy",
    "concurrent",
    "max_active",
    "unavailable",
    "internal",
    "overload",
    "timeout",
)
"""In the codes of errors that asking again may change: ``rate_limit_exceeded`` and
``concurrent_limit_exceeded`` of all of the vendor's APIs, ``max_active_conversations`` where a
connection has too many contexts.
"""
_MAX_WORDS = 500


class ElevenLabsOptions(VendorOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which voices, how they speak, and how patient to be with them."""

    api_key: Annotated[
        str, Meta(description="Empty: `ELEVENLABS_API_KEY`, at the vendor's own address only.")
    ] = ""
    base_url: Annotated[str, Meta(description="Ends before `/v1/text-to-speech`.")] = BASE_URL
    model: Annotated[str, Meta(min_length=1, description="As `model_id`.")] = "eleven_flash_v2_5"
    voice: Voice = "21m00Tcm4TlvDq8ikWAM"
    voices: Voices = "{}"
    language: Annotated[str, Meta(description="As ISO 639-1; empty: by the text.")] = ""
    stability: (
        Annotated[float, Meta(ge=0, le=1, description="Empty: as the voice is stored.")] | None
    ) = None
    similarity_boost: Annotated[float, Meta(ge=0, le=1, description="Likewise.")] | None = None
    style: Annotated[float, Meta(ge=0, le=1, description="Likewise.")] | None = None
    use_speaker_boost: Annotated[bool | None, Meta(description="Likewise.")] = None
    speed: (
        Annotated[float, Meta(ge=0.7, le=1.2, description="1 is the voice's own pace.")] | None
    ) = None
    auto_mode: Annotated[
        bool, Meta(description="The vendor waits for no more text; right for whole sentences.")
    ] = True
    first_ms: FirstSoundMs = 5000
    progress_ms: SoundProgressMs = 5000

    def __post_init__(self) -> None:
        super().__post_init__()
        voices_by_name(self.voices)

    def voice_of(self, name: str) -> str:
        """The vendor's voice for a name."""
        return voices_by_name(self.voices).get(name) or self.voice


class ElevenLabs:
    """ElevenLabs' voices; PCM at 24 kHz, with the times of the words as they were written."""

    Options = ElevenLabsOptions
    name = "elevenlabs"
    rate = RATE
    observer: Observer = SILENT

    def __init__(self, options: ElevenLabsOptions | None = None) -> None:
        self.options = options or ElevenLabsOptions()
        self._wire = _Wire(self.options)
        self._pool = VoicePool(self._session, lambda: self.observer)

    async def start(self) -> None:
        """Opens a connection with the options' voice; the first reply finds it open.

        Raises as ``speak`` does, where the vendor answers the handshake with it; after anything
        but ``Refused`` it can be used all the same.
        """
        await self._pool.start(self._wire.address(self.options.voice))

    async def close(self) -> None:
        """Ends all connections; what is being spoken fails with ``Unavailable``."""
        await self._pool.close()

    def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """The sentences' sound, each asked for while the one before it sounds.

        Raises ``Refused`` where the key, the model or the voice is not accepted,
        ``Unavailable`` where nobody can be reached or the vendor ends the connection,
        ``TooSlow`` beyond the options' times and ``Malformed`` for what is no sound.
        """
        voice = self.options.voice_of(options.voice)
        address = self._wire.address(voice)
        return self._pool.speak(sentences, address, lambda session, text: session.say(text, voice))

    async def _session(self, address: Address, socket: VendorSocket) -> ContextSession:
        deadlines = Deadlines(self.options.first_ms, self.options.progress_ms)
        return ContextSession(self._wire, address, socket, deadlines)


class _Alignment(Struct, frozen=True):
    """Of the text as it was sent; times are relative to the audio of the same frame."""

    chars: tuple[str, ...] = ()
    charStartTimesMs: tuple[float, ...] = ()  # noqa: N815 - the vendor's name
    charDurationsMs: tuple[float, ...] = ()  # noqa: N815 - the vendor's name


class _Frame(Struct, frozen=True):
    """``normalizedAlignment`` is of the text as it is read out, with numbers in words, and so
    not of the sentence's own words; it is left alone.
    """

    audio: str | None = None
    isFinal: bool | None = None  # noqa: N815 - the vendor's name
    is_final: bool | None = None
    alignment: _Alignment | None = None
    contextId: str | None = None  # noqa: N815 - the vendor's name


class _Wire:
    """The vendor's frames."""

    speeches = 1
    idle_s = _INACTIVITY_S - 10.0

    def __init__(self, options: ElevenLabsOptions) -> None:
        self._options = options
        self._key = key_at(options.api_key, options.base_url, BASE_URL, KEY_VARIABLE)
        given = {
            "stability": options.stability,
            "similarity_boost": options.similarity_boost,
            "style": options.style,
            "use_speaker_boost": options.use_speaker_boost,
            "speed": options.speed,
        }
        self._settings = {name: value for name, value in given.items() if value is not None}

    def address(self, voice: str) -> Address:
        """A connection for one voice."""
        mine = self._options
        query = {
            "model_id": mine.model,
            "output_format": "pcm_24000",
            "sync_alignment": "true",
            "auto_mode": "true" if mine.auto_mode else "false",
            "inactivity_timeout": str(_INACTIVITY_S),
            **({"language_code": mine.language} if mine.language else {}),
        }
        path = f"/v1/text-to-speech/{quote(voice, safe='')}/multi-stream-input"
        return Address(
            provider=ElevenLabs.name,
            url=socket_url(mine.base_url, path, query.items()),
            headers={"xi-api-key": self._key} if self._key else {},
            connect_ms=mine.connect_ms,
            secrets=(self._key,) if self._key else (),
        )

    def say(self, context: str, sentence: str, voice: str) -> tuple[str, ...]:
        """A context begins with a space; the text should end with one, and its context with it."""
        del voice  # It is the connection's.
        opening: dict[str, Any] = {"text": " ", "context_id": context}
        if self._settings:
            opening["voice_settings"] = self._settings
        frames = (
            opening,
            {"text": f"{sentence.strip()} ", "context_id": context, "flush": True},
            {"context_id": context, "close_context": True},
        )
        return tuple(msgspec.json.encode(frame).decode() for frame in frames)

    def cancel(self, context: str) -> None:
        """Nothing stops a context that was flushed but the end of its connection."""
        del context

    def read(self, said: dict[str, Any]) -> Heard | None:
        """Sound, the end of a context, or an error."""
        if said.get("error") or (said.get("code") and said.get("message")):
            return Heard(None, failure=self._error(said))
        frame = msgspec.convert(said, _Frame)
        if frame.contextId is None:
            return None
        return Heard(
            frame.contextId,
            pybase64.b64decode(frame.audio, validate=True) if frame.audio else b"",
            _marks(frame.alignment),
            marks_of_frame=True,
            ends=bool(frame.isFinal or frame.is_final),
        )

    def _error(self, said: dict[str, Any]) -> ProviderError:
        """What an error means, in the vendor's own words."""
        code = str(said.get("error") or said.get("code"))[:_MAX_WORDS]
        words = str(said.get("message") or code)[:_MAX_WORDS]
        secrets = (self._key,) if self._key else ()
        kind = Unavailable if any(part in code.lower() for part in _NOT_NOW) else Refused
        return kind(
            without(secrets, f"the vendor answered {code}: {words}"),
            provider=ElevenLabs.name,
            provider_code=without(secrets, code),
        )


def _marks(alignment: _Alignment | None) -> tuple[Mark, ...]:
    """Characters and when they sound. Raises ``ValueError`` where the lists do not match."""
    if alignment is None:
        return ()
    timed = zip(alignment.chars, alignment.charStartTimesMs, alignment.charDurationsMs, strict=True)
    return tuple(Mark(text, start, start + length, is_part=True) for text, start, length in timed)
