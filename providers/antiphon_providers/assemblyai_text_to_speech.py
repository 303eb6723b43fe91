"""Text to speech by AssemblyAI's streaming WebSocket (``/v1/ws``).

A session has one voice and speaks for one reply at a time. It outlives the reply: the next with
the same voice finds it open, so that a call connects once. What is cancelled is cancelled in
the session, which can be used again when the vendor confirmed it::

    ANTIPHON_TTS=assemblyai ANTIPHON_TTS_API_KEY=... ANTIPHON_TTS_VOICE=aai-anna

Source: AssemblyAI's pages "Streaming TTS, WebSocket API basics" and "Streaming TTS, message
frames", and the ``assemblyai`` SDK 1.8.2, ``tts/v1`` (2026-11-22).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from msgspec import Meta, Struct

from antiphon_providers.assemblyai_voice_session import RATE, Deadlines, VoiceSession
from antiphon_providers.assemblyai_wire import Endpoint, Wire, check_address
from antiphon_providers.errors import ProviderError, Unavailable
from antiphon_providers.interfaces import Sound, VoiceOptions
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.options import json_object
from antiphon_providers.utterance import in_turn
from antiphon_providers.vendor_socket import connect

_ENDPOINT = Endpoint("assemblyai", "wss://tts.us.assemblyai.com", "/v1/ws")
_OWN = frozenset(
    "alba anna charles eve george jane jean mary michael paul vera".split()  # noqa: SIM905
)
"""Names of the catalogue that the vendor has too, with ``aai-`` before them."""
_MAX_FREE = 16
"""Sessions that are kept for the next reply."""


class AssemblyAIVoiceOptions(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which voices, and how patient to be with them."""

    api_key: Annotated[
        str, Meta(description="Empty: `ASSEMBLYAI_API_KEY`, at the vendor's own address only.")
    ] = ""
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
    connect_ms: Annotated[int, Meta(ge=1, description="Milliseconds to a connection.")] = 3000
    first_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds until a session begins, or a sentence sounds.")
    ] = 5000
    progress_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds that the sound may pause once begun.")
    ] = 5000

    def __post_init__(self) -> None:
        check_address(self.base_url, self.api_key)
        if not all(isinstance(voice, str) for voice in json_object(self.voices).values()):
            raise ValueError("voices must map names to texts")

    def voice_of(self, name: str) -> str:
        """The vendor's voice for a name."""
        named = json_object(self.voices).get(name)
        return str(named) if named else f"aai-{name}" if name in _OWN else self.voice

    def __repr__(self) -> str:
        return f"AssemblyAIVoiceOptions(voice={self.voice!r}, base_url={self.base_url!r}, ...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("voice", self.voice), ("base_url", self.base_url)]


class AssemblyAIVoice:
    """AssemblyAI's voices; PCM at 24 kHz, with the times of its words where they come in time."""

    Options = AssemblyAIVoiceOptions
    name = _ENDPOINT.provider
    rate = RATE
    observer: Observer = SILENT

    def __init__(self, options: AssemblyAIVoiceOptions | None = None) -> None:
        self.options = options or AssemblyAIVoiceOptions()
        self._sessions: dict[asyncio.Task[None], tuple[str, VoiceSession]] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._running = False

    async def start(self) -> None:
        """Opens a session with the options' voice; the first reply finds it open.

        Raises as ``speak`` does; after anything but ``Refused`` it can be used all the same.
        """
        self._running = True
        (await self._open(self.options.voice)).release()

    async def close(self) -> None:
        """Ends all sessions; what is being spoken fails with ``Unavailable``."""
        self._running = False
        tasks = {*self._sessions, *self._opening}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """The sentences' sound, each asked for while the one before it sounds.

        Raises ``Refused`` where the key, the voice or the language is not accepted,
        ``Unavailable`` where nobody can be reached or the vendor ends the session, ``TooSlow``
        beyond the options' times and ``Malformed`` for what is no sound.
        """
        session = await self._session(self.options.voice_of(options.voice))
        try:
            async with aclosing(in_turn(sentences, session.say)) as sounds:
                async for sound in sounds:
                    yield sound
        finally:
            session.release()
            self._thin_out()

    async def _session(self, voice: str) -> VoiceSession:
        """One that is nobody else's, new where none is free."""
        if not self._running:
            raise Unavailable("the voice is not running", provider=self.name)
        for own, session in self._sessions.values():
            if own == voice and session.is_free:
                session.is_taken = True
                return session
        return await self._open(voice)

    def _thin_out(self) -> None:
        free = [session for _, session in self._sessions.values() if session.is_free]
        for session in free[_MAX_FREE:]:
            session.end()

    async def _open(self, voice: str) -> VoiceSession:
        """A new session, taken. Whoever waits for it may leave; the next to come finds it."""
        begun: asyncio.Future[VoiceSession] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._live(voice, begun))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        # One that is cancelled before its first step does not come to its own end.
        task.add_done_callback(lambda _task: self._ended(begun))
        try:
            return await asyncio.shield(begun)
        except asyncio.CancelledError:
            begun.add_done_callback(_left)
            raise

    async def _live(self, voice: str, begun: asyncio.Future[VoiceSession]) -> None:
        """A session from its beginning to its end."""
        mine, task = self.options, asyncio.current_task()
        address = _ENDPOINT.address(
            mine.base_url, mine.api_key, self._query(voice), mine.connect_ms
        )
        try:
            async with connect(address, self.observer) as socket:
                wire = Wire(address, socket)
                await wire.begin(mine.first_ms)
                session = VoiceSession(wire, Deadlines(mine.first_ms, mine.progress_ms))
                if task is not None:
                    self._sessions[task] = (voice, session)
                begun.set_result(session)
                await session.run()
        except ProviderError as failure:
            if not begun.done():
                begun.set_exception(failure)
        finally:
            if task is not None:
                self._sessions.pop(task, None)

    def _ended(self, begun: asyncio.Future[VoiceSession]) -> None:
        if not begun.done():
            begun.set_exception(Unavailable("the voice was closed", provider=self.name))

    def _query(self, voice: str) -> dict[str, str]:
        wanted = {
            "voice_id": voice,
            "model_id": self.options.model,
            "language": self.options.language,
            "sample_rate": str(RATE),
            "encoding": "pcm_s16le",
            "word_boundaries": "true",
        }
        return {name: value for name, value in wanted.items() if value}


def _left(begun: asyncio.Future[VoiceSession]) -> None:
    """Nobody waits any more for this session."""
    if begun.exception() is None:
        begun.result().release()
