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
from typing import Annotated

from msgspec import Meta

from antiphon_providers.deepgram_voice_session import Request, VoiceSession
from antiphon_providers.deepgram_wire import (
    BASE_URL,
    Key,
    Wire,
    address_of,
    extra_query,
)
from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import Sound, VoiceOptions
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.utterance import Utterance, in_turn
from antiphon_providers.vendor_options import (
    ExtraQuery,
    FirstSoundMs,
    SoundProgressMs,
    VendorOptions,
    voices_by_name,
)
from antiphon_providers.vendor_socket import Address, VendorSocket
from antiphon_providers.voice_pool import VoicePool
from antiphon_providers.voice_session import RATE, Deadlines, has_words

_MAX_FREE = 16
"""Connections that are kept for the next reply."""


class DeepgramVoiceOptions(VendorOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which voices, and how patient to be with them."""

    api_key: Key = ""
    base_url: Annotated[str, Meta(description="Ends before `/v1/speak`.")] = BASE_URL
    voice: Annotated[
        str, Meta(min_length=1, description="The vendor's model for names that have none.")
    ] = "aura-2-thalia-en"
    voices: Annotated[
        str, Meta(description="JSON object: the name of a voice to the vendor's model.")
    ] = "{}"
    extra_query: ExtraQuery = "{}"
    first_ms: FirstSoundMs = 5000
    progress_ms: SoundProgressMs = 5000

    def __post_init__(self) -> None:
        super().__post_init__()
        extra_query(self.extra_query)
        voices_by_name(self.voices)

    def voice_of(self, name: str) -> str:
        """The vendor's model for a name; one of its own names is taken as it is."""
        named = voices_by_name(self.voices).get(name)
        return named or (name if name.startswith("aura-") else self.voice)


class DeepgramVoice:
    """Aura's voices; PCM at 24 kHz."""

    Options = DeepgramVoiceOptions
    name = "deepgram"
    rate = RATE
    observer: Observer = SILENT

    def __init__(self, options: DeepgramVoiceOptions | None = None) -> None:
        self.options = options or DeepgramVoiceOptions()
        self._pool = VoicePool(self._session, lambda: self.observer, _MAX_FREE)

    async def start(self) -> None:
        """Connects with the options' voice; the first reply finds the connection open.

        Raises as ``speak`` does; after anything but ``Refused`` it can be used all the same.
        """
        await self._pool.start(self._address(self.options.voice))

    async def close(self) -> None:
        """Ends all connections; what is being spoken fails with ``Unavailable``."""
        await self._pool.close()

    async def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """The sentences' sound, each asked for while the one before it sounds.

        Raises ``Refused`` where the key or the voice is not accepted, ``Unavailable`` where
        nobody can be reached or the vendor ends the connection, ``TooSlow`` beyond the options'
        times and ``Malformed`` for what is no sound.
        """
        speech = _Speech(self._pool, self._address(self.options.voice_of(options.voice)))
        try:
            async with aclosing(in_turn(sentences, speech.say)) as sounds:
                async for sound in sounds:
                    yield sound
        finally:
            await speech.close()
            self._pool.thin_out()

    async def _session(self, address: Address, socket: VendorSocket) -> VoiceSession:
        deadlines = Deadlines(self.options.first_ms, self.options.progress_ms)
        return VoiceSession(Wire(address, socket), deadlines)

    def _address(self, voice: str) -> Address:
        query = {
            "model": voice,
            "encoding": "linear16",
            "sample_rate": RATE,
            **extra_query(self.options.extra_query),
        }
        return address_of(self.name, self.options, "/v1/speak", query)


class _Speech:
    """One reply, on one connection or, where it is long, on several after each other."""

    def __init__(self, pool: VoicePool[VoiceSession], address: Address) -> None:
        self._pool = pool
        self._address = address
        self._sessions: list[VoiceSession] = []
        self._unsaid: asyncio.Queue[Request] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def say(self, sentence: str) -> Utterance:
        """Asks for a sentence; at once silent where there is nothing to say."""
        request = Request(sentence)
        if not has_words(sentence):
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
                    self._sessions.append(await self._pool.session(self._address))
                self._sessions[-1].say(request)
            except ProviderError as failure:
                request.utterance.fail(failure)
