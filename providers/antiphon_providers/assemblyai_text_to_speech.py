"""Text to speech by AssemblyAI's streaming WebSocket (``/v1/ws``).

A session has one voice and speaks for one reply at a time. It outlives the reply: the next with
the same voice finds it open, so that a call connects once. What is cancelled is cancelled in
the session, which can be used again when the vendor confirmed it::

    ANTIPHON_TTS=assemblyai ANTIPHON_TTS_API_KEY=... ANTIPHON_TTS_VOICE=aai-anna

Source: AssemblyAI's pages "Streaming TTS, WebSocket API basics" and "Streaming TTS, message
frames", and the ``assemblyai`` SDK 1.8.2, ``tts/v1`` (2026-11-22).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated

from msgspec import Meta

from antiphon_providers.assemblyai_voice_session import VoiceSession
from antiphon_providers.assemblyai_wire import Endpoint, Key, Wire
from antiphon_providers.interfaces import Sound, VoiceOptions
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.vendor_options import SoundProgressMs, VendorOptions, voices_by_name
from antiphon_providers.vendor_socket import Address, VendorSocket
from antiphon_providers.voice_pool import VoicePool
from antiphon_providers.voice_session import RATE, Deadlines

_ENDPOINT = Endpoint("assemblyai", "wss://tts.us.assemblyai.com", "/v1/ws")
_OWN = frozenset(
    "alba anna charles eve george jane jean mary michael paul vera".split()  # noqa: SIM905
)
"""Names of the catalogue that the vendor has too, with ``aai-`` before them."""
_MAX_FREE = 16
"""Sessions that are kept for the next reply."""


class AssemblyAIVoiceOptions(VendorOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which voices, and how patient to be with them."""

    api_key: Key = ""
    base_url: Annotated[str, Meta(description="Ends before `/v1/ws`.")] = _ENDPOINT.base_url
    model: Annotated[str, Meta(description="As `model_id`; empty: the vendor's choice.")] = ""
    voice: Annotated[
        str,
        Meta(
            min_length=1,
            description="The vendor's voice for names that have none; a session with it is open "
            "before the first call.",
        ),
    ] = "aai-anna"
    voices: Annotated[
        str, Meta(description="JSON object: the name of a voice to the vendor's voice.")
    ] = "{}"
    language: Annotated[str, Meta(description="By its English name; empty: the voice's own.")] = ""
    first_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds until a session begins, or a sentence sounds.")
    ] = 5000
    progress_ms: SoundProgressMs = 5000

    def __post_init__(self) -> None:
        super().__post_init__()
        voices_by_name(self.voices)

    def voice_of(self, name: str) -> str:
        """The vendor's voice for a name."""
        named = voices_by_name(self.voices).get(name)
        return named or (f"aai-{name}" if name in _OWN else self.voice)


class AssemblyAIVoice:
    """AssemblyAI's voices; PCM at 24 kHz, with the times of its words where they come in time."""

    Options = AssemblyAIVoiceOptions
    name = _ENDPOINT.provider
    rate = RATE
    observer: Observer = SILENT

    def __init__(self, options: AssemblyAIVoiceOptions | None = None) -> None:
        self.options = options or AssemblyAIVoiceOptions()
        self._pool = VoicePool(self._session, lambda: self.observer, _MAX_FREE)

    async def start(self) -> None:
        """Opens a session with the options' voice; the first reply finds it open.

        Raises as ``speak`` does; after anything but ``Refused`` it can be used all the same.
        """
        await self._pool.start(self._address(self.options.voice))

    async def close(self) -> None:
        """Ends all sessions; what is being spoken fails with ``Unavailable``."""
        await self._pool.close()

    def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """The sentences' sound, each asked for while the one before it sounds.

        Raises ``Refused`` where the key, the voice or the language is not accepted,
        ``Unavailable`` where nobody can be reached or the vendor ends the session, ``TooSlow``
        beyond the options' times and ``Malformed`` for what is no sound.
        """
        address = self._address(self.options.voice_of(options.voice))
        return self._pool.speak(sentences, address, VoiceSession.say)

    async def _session(self, address: Address, socket: VendorSocket) -> VoiceSession:
        wire = Wire(address, socket)
        await wire.begin(self.options.first_ms)
        return VoiceSession(wire, Deadlines(self.options.first_ms, self.options.progress_ms))

    def _address(self, voice: str) -> Address:
        wanted = {
            "voice_id": voice,
            "model_id": self.options.model,
            "language": self.options.language,
            "sample_rate": str(RATE),
            "encoding": "pcm_s16le",
            "word_boundaries": "true",
        }
        query = {name: value for name, value in wanted.items() if value}
        return _ENDPOINT.address(self.options, query)
