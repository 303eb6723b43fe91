"""Text to speech by Cartesia's WebSocket (``/tts/websocket``).

A connection carries many contexts, of several speeches, at once. A sentence is a context of its
own, so that a writer may pause between sentences: a context ends one second after its sound. A
context that nobody wants any more is cancelled, and what still comes of it is left alone::

    ANTIPHON_TTS=cartesia ANTIPHON_TTS_API_KEY=... ANTIPHON_TTS_VOICE=<id of a voice>

Source: Cartesia's pages "Text to Speech (WebSocket)", "Contexts", "Concurrency and WebSocket
Limits" and "API errors", and the ``cartesia`` SDK 4.2 (2026-11-22).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any

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

BASE_URL = "wss://api.cartesia.ai"
KEY_VARIABLE = "CARTESIA_API_KEY"
VERSION = "2026-03-01"
"""Of the API; the first with errors that have codes."""

_FORMAT = {"container": "raw", "encoding": "pcm_s16le", "sample_rate": RATE}
_WORTH_ANOTHER_TRY = {408, 409, 425, 429}
_FIRST_SERVER_ERROR = 500
_MAX_WORDS = 500


class CartesiaOptions(VendorOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which voices, how they speak, and how patient to be with them."""

    api_key: Annotated[
        str, Meta(description="Empty: `CARTESIA_API_KEY`, at the vendor's own address only.")
    ] = ""
    base_url: Annotated[str, Meta(description="Ends before `/tts/websocket`.")] = BASE_URL
    version: Annotated[str, Meta(min_length=1, description="As `Cartesia-Version`.")] = VERSION
    model: Annotated[str, Meta(min_length=1, description="As `model_id`.")] = "sonic-3"
    voice: Voice = "f786b574-daa5-4673-aa0c-cbe3e8534c02"
    voices: Voices = "{}"
    language: Annotated[str, Meta(description="As ISO 639-1; empty: the vendor's choice.")] = ""
    speed: (
        Annotated[float, Meta(ge=0.6, le=1.5, description="1 is the voice's own pace.")] | None
    ) = None
    volume: Annotated[float, Meta(ge=0.5, le=2.0, description="1 is the voice's own.")] | None = (
        None
    )
    emotion: Annotated[str, Meta(description="One of the vendor's; empty: none.")] = ""
    first_ms: FirstSoundMs = 5000
    progress_ms: SoundProgressMs = 5000

    def __post_init__(self) -> None:
        super().__post_init__()
        voices_by_name(self.voices)

    def voice_of(self, name: str) -> str:
        """The vendor's voice for a name."""
        return voices_by_name(self.voices).get(name) or self.voice


class Cartesia:
    """Cartesia's voices; PCM at 24 kHz, with the times of the words as they were written."""

    Options = CartesiaOptions
    name = "cartesia"
    rate = RATE
    observer: Observer = SILENT

    def __init__(self, options: CartesiaOptions | None = None) -> None:
        self.options = options or CartesiaOptions()
        self._wire = _Wire(self.options)
        self._pool = VoicePool(self._session, lambda: self.observer)

    async def start(self) -> None:
        """Opens a connection; the first reply finds it open.

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
        ``Unavailable`` where nobody can be reached, or beyond the account's concurrency,
        ``TooSlow`` beyond the options' times and ``Malformed`` for what is no sound.
        """
        voice = self.options.voice_of(options.voice)
        address = self._wire.address(voice)
        return self._pool.speak(sentences, address, lambda session, text: session.say(text, voice))

    async def _session(self, address: Address, socket: VendorSocket) -> ContextSession:
        deadlines = Deadlines(self.options.first_ms, self.options.progress_ms)
        return ContextSession(self._wire, address, socket, deadlines)


class _Words(Struct, frozen=True):
    """In seconds of the context's sound."""

    words: tuple[str, ...] = ()
    start: tuple[float, ...] = ()
    end: tuple[float, ...] = ()


class _Frame(Struct, frozen=True):
    type: str
    context_id: str | None = None
    data: str | None = None
    word_timestamps: _Words | None = None
    status_code: int | None = None


class _Wire:
    """The vendor's frames."""

    speeches = 8
    """Of dozens that a connection takes: what shares it, shares its end."""
    idle_s = 240.0
    """The vendor ends a connection after five minutes."""

    def __init__(self, options: CartesiaOptions) -> None:
        self._options = options
        self._key = key_at(options.api_key, options.base_url, BASE_URL, KEY_VARIABLE)
        given = {"speed": options.speed, "volume": options.volume, "emotion": options.emotion}
        config = {name: value for name, value in given.items() if value not in {None, ""}}
        self._request = {
            "model_id": options.model,
            "output_format": _FORMAT,
            "add_timestamps": True,
            "continue": False,
            **({"language": options.language} if options.language else {}),
            **({"generation_config": config} if config else {}),
        }

    def address(self, voice: str) -> Address:
        """The same for all voices."""
        del voice
        bearer = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        return Address(
            provider=Cartesia.name,
            url=socket_url(self._options.base_url, "/tts/websocket"),
            headers={"Cartesia-Version": self._options.version, **bearer},
            connect_ms=self._options.connect_ms,
            secrets=(self._key,) if self._key else (),
        )

    def say(self, context: str, sentence: str, voice: str) -> tuple[str, ...]:
        """A context that begins and ends with this."""
        asked = {
            **self._request,
            "context_id": context,
            "transcript": sentence,
            "voice": {"mode": "id", "id": voice},
        }
        return (msgspec.json.encode(asked).decode(),)

    def cancel(self, context: str) -> str:
        """Stops a context."""
        return msgspec.json.encode({"context_id": context, "cancel": True}).decode()

    def read(self, said: dict[str, Any]) -> Heard | None:
        """Sound, words, the end of a context, or an error."""
        frame = msgspec.convert(said, _Frame)
        if frame.type == "error":
            return Heard(frame.context_id, failure=self._error(said, frame.status_code))
        if frame.context_id is None:
            return None
        match frame.type:
            case "chunk":
                return Heard(frame.context_id, pybase64.b64decode(frame.data or "", validate=True))
            case "timestamps":
                return Heard(frame.context_id, marks=_marks(frame.word_timestamps))
            case "done":
                return Heard(frame.context_id, ends=True)
            case _:
                return None

    def _error(self, said: dict[str, Any], status: int | None) -> ProviderError:
        """What an error means, in the vendor's own words."""
        parts = (said.get("title"), said.get("message") or said.get("error"))
        words = ": ".join(str(part) for part in parts if part)[:_MAX_WORDS]
        code = str(said.get("error_code") or "")[:_MAX_WORDS]
        secrets = (self._key,) if self._key else ()
        for_now = status is None or status >= _FIRST_SERVER_ERROR or status in _WORTH_ANOTHER_TRY
        kind = Unavailable if for_now else Refused
        return kind(
            without(secrets, f"the vendor answered {status}: {words}"),
            provider=Cartesia.name,
            status_code=status,
            provider_code=without(secrets, code) or None,
        )


def _marks(timed: _Words | None) -> tuple[Mark, ...]:
    """Words and when they sound. Raises ``ValueError`` where the lists do not match."""
    if timed is None:
        return ()
    spoken = zip(timed.words, timed.start, timed.end, strict=True)
    return tuple(Mark(word, start * 1000, end * 1000) for word, start, end in spoken)
