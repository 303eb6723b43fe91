"""Text to speech by Deepgram's Aura, streaming (``/v1/speak``).

A connection has one voice, which is the vendor's ``model``, and speaks for one reply at a time.
It outlives the reply: the next with the same voice finds it open. What is cancelled is cleared
on the connection, which can be used again when the vendor confirmed it. A reply of more
sentences than one connection takes in a minute goes on with another. There are no word times
on this wire::

    ANTIPHON_TTS=deepgram ANTIPHON_TTS_API_KEY=... ANTIPHON_TTS_VOICE=aura-2-thalia-en

Source: Deepgram's pages "Text to Speech, streaming" (API reference) and "Flush", and the
``deepgram-sdk`` 7.17, ``speak/v1`` (2026-11-22).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any

from msgspec import Meta, Struct, structs

from antiphon_providers.deepgram_voice_session import RATE, Deadlines, Request, VoiceSession
from antiphon_providers.deepgram_wire import (
    BASE_URL,
    Wire,
    address_of,
    check_address,
    extra_query,
)
from antiphon_providers.errors import ProviderError, Unavailable
from antiphon_providers.interfaces import Sound, VoiceOptions
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.options import json_object
from antiphon_providers.utterance import Utterance, in_turn
from antiphon_providers.vendor_socket import connect

_MAX_FREE = 16
"""Connections that are kept for the next reply."""


class DeepgramVoiceOptions(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which voices, and how patient to be with them."""

    api_key: Annotated[
        str, Meta(description="Empty: `DEEPGRAM_API_KEY`, at the vendor's own address only.")
    ] = ""
    base_url: Annotated[str, Meta(description="Ends before `/v1/speak`.")] = BASE_URL
    voice: Annotated[
        str, Meta(min_length=1, description="The vendor's model for names that have none.")
    ] = "aura-2-thalia-en"
    voices: Annotated[
        str, Meta(description="JSON object: the name of a voice to the vendor's model.")
    ] = "{}"
    extra_query: Annotated[
        str, Meta(description="JSON object of more parameters of the connection, as they are.")
    ] = "{}"
    connect_ms: Annotated[int, Meta(ge=1, description="Milliseconds to a connection.")] = 3000
    first_ms: Annotated[int, Meta(ge=1, description="Milliseconds until a sentence sounds.")] = 5000
    progress_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds that the sound may pause once begun.")
    ] = 5000

    def __post_init__(self) -> None:
        check_address(self.base_url, self.api_key)
        extra_query(self.extra_query)
        if not all(isinstance(voice, str) for voice in json_object(self.voices).values()):
            raise ValueError("voices must map names to texts")

    def voice_of(self, name: str) -> str:
        """The vendor's model for a name; one of its own names is taken as it is."""
        named = json_object(self.voices).get(name)
        return str(named) if named else name if name.startswith("aura-") else self.voice

    def __repr__(self) -> str:
        return f"DeepgramVoiceOptions(voice={self.voice!r}, base_url={self.base_url!r}, ...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("voice", self.voice), ("base_url", self.base_url)]


class DeepgramVoice:
    """Aura's voices; PCM at 24 kHz."""

    Options = DeepgramVoiceOptions
    name = "deepgram"
    rate = RATE
    observer: Observer = SILENT

    def __init__(self, options: DeepgramVoiceOptions | None = None) -> None:
        self.options = options or DeepgramVoiceOptions()
        self._sessions: dict[asyncio.Task[None], tuple[str, VoiceSession]] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._running = False

    async def start(self) -> None:
        """Connects with the options' voice; the first reply finds the connection open.

        Raises as ``speak`` does; after anything but ``Refused`` it can be used all the same.
        """
        self._running = True
        await self._open(self.options.voice)

    async def close(self) -> None:
        """Ends all connections; what is being spoken fails with ``Unavailable``."""
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

        Raises ``Refused`` where the key or the voice is not accepted, ``Unavailable`` where
        nobody can be reached or the vendor ends the connection, ``TooSlow`` beyond the options'
        times and ``Malformed`` for what is no sound.
        """
        speech = _Speech(self, self.options.voice_of(options.voice))
        try:
            async with aclosing(in_turn(sentences, speech.say)) as sounds:
                async for sound in sounds:
                    yield sound
        finally:
            await speech.close()
            self._thin_out()

    async def session(self, voice: str) -> VoiceSession:
        """A connection that is nobody else's, new where none is free."""
        opened: VoiceSession | None = None
        while opened is None or opened.is_taken:
            if not self._running:
                raise Unavailable("the voice is not running", provider=self.name)
            for own, session in self._sessions.values():
                if own == voice and session.is_free:
                    session.is_taken = True
                    return session
            # Another reply may be quicker to take it than this one.
            opened = await self._open(voice)
        opened.is_taken = True
        return opened

    def _thin_out(self) -> None:
        free = [task for task, (_, session) in self._sessions.items() if not session.is_taken]
        for task in free[:-_MAX_FREE]:
            task.cancel()

    async def _open(self, voice: str) -> VoiceSession:
        """A new connection. Whoever waits for it may leave; the next to come finds it."""
        begun: asyncio.Future[VoiceSession] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._live(voice, begun))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        try:
            return await asyncio.shield(begun)
        except asyncio.CancelledError:
            # Nobody is left to be told why it failed.
            begun.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise

    async def _live(self, voice: str, begun: asyncio.Future[VoiceSession]) -> None:
        """A connection from its beginning to its end."""
        mine, task = self.options, asyncio.current_task()
        query = {
            "model": voice,
            "encoding": "linear16",
            "sample_rate": RATE,
            **extra_query(mine.extra_query),
        }
        address = structs.replace(
            address_of(self.name, mine.base_url, mine.api_key, "/v1/speak", query),
            connect_ms=mine.connect_ms,
        )
        try:
            async with connect(address, self.observer) as socket:
                wire = Wire(address, socket)
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
            if not begun.done():
                closed = Unavailable("the voice was closed", provider=self.name)
                begun.set_exception(closed)


class _Speech:
    """One reply, on one connection or, where it is long, on several after each other."""

    def __init__(self, voice: DeepgramVoice, model: str) -> None:
        self._voice = voice
        self._model = model
        self._sessions: list[VoiceSession] = []
        self._unsaid: asyncio.Queue[Request] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def say(self, sentence: str) -> Utterance:
        """Asks for a sentence; at once silent where there is nothing to say."""
        request = Request(sentence)
        if not request.has_words:
            request.end()
        else:
            self._unsaid.put_nowait(request)
            if self._task is None:
                self._task = asyncio.create_task(self._ask())
        return request.utterance

    async def close(self) -> None:
        """What is not said yet is cancelled, at once; the connections are free again."""
        if self._task is not None:
            self._task.cancel()
        known = len(self._sessions)
        for session in self._sessions:
            session.release()
        if self._task is not None:
            await asyncio.wait({self._task})
        # Those from before may be another reply's by now.
        for session in self._sessions[known:]:
            session.release()

    async def _ask(self) -> None:
        while True:
            request = await self._unsaid.get()
            try:
                if not self._sessions or not self._sessions[-1].has_room:
                    self._sessions.append(await self._voice.session(self._model))
                self._sessions[-1].say(request)
            except ProviderError as failure:
                request.utterance.fail(failure)
