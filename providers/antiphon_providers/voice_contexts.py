"""Voices behind a WebSocket that speaks in contexts: connections, sentences and their sound.

A context is one sentence, so that its end and the times of its words are its own. What vendors
write in their frames is behind ``Wire``; what is here is who may use which connection, what
comes of a context that nobody wants any more, and how long to wait.

Source: what ElevenLabs' "Multi-Context WebSocket" and Cartesia's "Contexts" have in common
(2026-11-22).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from secrets import token_hex
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from antiphon_providers.errors import Malformed, ProviderError, TooSlow, Unavailable
from antiphon_providers.utterance import Chunk, Utterance
from antiphon_providers.vendor_socket import Address, VendorSocket
from antiphon_providers.voice_timing import Mark, Timing

RATE = 24_000
"""Samples per second of the PCM that is asked for."""

_MAX_PCM = RATE * 2 * 600
"""Of one sentence: ten minutes."""
_OLDEST_S = 3300.0
"""No connection is used for longer; many vendors and proxies end one after an hour."""


class Heard(Struct, frozen=True):
    """What a frame says of a context; ``context`` None is all of the connection.

    ``marks`` are of this frame's sound where ``marks_of_frame``, else of all of the context's.
    """

    context: str | None
    pcm: bytes = b""
    marks: tuple[Mark, ...] = ()
    marks_of_frame: bool = False
    ends: bool = False
    failure: ProviderError | None = None


class Wire(Protocol):
    """A vendor's frames. ``speeches`` may share a connection, which ends after ``idle_s``."""

    speeches: int
    idle_s: float

    def address(self, voice: str) -> Address:
        """Where to connect for a voice; connections of one address are the same."""
        ...

    def say(self, context: str, sentence: str, voice: str) -> tuple[str, ...]:
        """The frames that ask for a sentence."""
        ...

    def cancel(self, context: str) -> str | None:
        """The frame that stops a context; None where only the connection's end does."""
        ...

    def read(self, said: dict[str, Any]) -> Heard | None:
        """What a frame says; None for nothing. Raises ``ValueError`` for what is no frame."""
        ...


class Deadlines(Struct, frozen=True):
    """How patient to be with a sentence, in ms: until its first sound, and until the next."""

    first_ms: int
    progress_ms: int


class _Request:
    """A sentence on its way."""

    def __init__(self, sentence: str) -> None:
        self.timing = Timing(sentence)
        self.utterance = Utterance()
        self.half = b""
        self.received = 0
        self.timer: asyncio.TimerHandle | None = None

    def hear(self, heard: Heard) -> None:
        """The next sound; what is told are whole samples."""
        offset = self.received / 2 * 1000 / RATE if heard.marks_of_frame else 0.0
        words = self.timing.take(heard.marks, offset)
        self.received += len(heard.pcm)
        pcm = self.half + heard.pcm
        whole = len(pcm) // 2 * 2
        pcm, self.half = pcm[:whole], pcm[whole:]
        if pcm or words:
            self.utterance.put(Chunk(pcm, words))

    def end(self) -> None:
        """The last of it."""
        self.wait(None, _nothing)
        self.utterance.put(Chunk(b"", self.timing.end(), ends=True))

    def fail(self, failure: ProviderError) -> None:
        """There will be no more."""
        self.wait(None, _nothing)
        self.utterance.fail(failure)

    def wait(self, ms: int | None, late: Callable[[], None]) -> None:
        """The next sound must come within so long; None where none is due."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer = None
        if ms is not None:
            self.timer = asyncio.get_running_loop().call_later(ms / 1000, late)


class ContextSession:
    """A connection that stands; ``run`` lives as long as it does.

    ``is_interrupted`` where it was of use until a speech was cancelled, which ended it.
    """

    def __init__(
        self, wire: Wire, address: Address, socket: VendorSocket, deadlines: Deadlines
    ) -> None:
        self._wire = wire
        self._address = address
        self._socket = socket
        self._deadlines = deadlines
        self._requests: dict[str, _Request] = {}
        # Names of no other connection's contexts: an account may have many at once.
        self._own = token_hex(8)
        self._contexts = count(1)
        self._outbox: deque[str] = deque()
        self._unsent = asyncio.Event()
        self._failure: ProviderError | None = None
        self._is_suspect = False
        self.is_interrupted = False
        self._speeches = 0
        self._began_at = self._idle_since = asyncio.get_running_loop().time()

    @property
    def has_room(self) -> bool:
        """Whether a speech may begin now."""
        now = asyncio.get_running_loop().time()
        fresh = self._speeches > 0 or now - self._idle_since < self._wire.idle_s
        sound = self._failure is None and not self._is_suspect
        return sound and fresh and self._speeches < self._wire.speeches and not self._is_old(now)

    def take(self) -> None:
        """A speech begins."""
        self._speeches += 1

    def release(self) -> None:
        """A speech is over."""
        self._speeches -= 1
        self._idle_since = asyncio.get_running_loop().time()
        if self._is_suspect and not self._speeches:
            self.fail(self._closed())

    def say(self, sentence: str, voice: str) -> Utterance:
        """Asks for a sentence; at once silent where there is nothing to say."""
        request = _Request(sentence)
        if self._failure is not None:
            request.fail(self._failure)
        elif not any(character.isalnum() for character in sentence):
            request.end()
        else:
            context = f"{self._own}-{next(self._contexts)}"
            self._requests[context] = request
            request.utterance.stops_with(lambda: self._drop(context))
            request.wait(self._deadlines.first_ms, lambda: self._too_late(context))
            for frame in self._wire.say(context, sentence, voice):
                self._put(frame)
        return request.utterance

    def fail(self, failure: ProviderError) -> None:
        """The connection is of no more use; what was asked for fails."""
        if self._failure is None:
            self._failure = failure
        for request in self._requests.values():
            request.fail(self._failure)
        self._requests.clear()
        self._unsent.set()

    async def run(self) -> None:
        """Talks to the vendor until the connection ends, fails, or was idle for long."""
        tasks = {asyncio.create_task(self._listen()), asyncio.create_task(self._send())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            self.fail(self._closed())

    def _closed(self) -> ProviderError:
        return Unavailable("the voice was closed", provider=self._address.provider)

    def _is_old(self, now: float) -> bool:
        return now - self._began_at > _OLDEST_S

    def _put(self, frame: str) -> None:
        self._outbox.append(frame)
        self._unsent.set()

    def _drop(self, context: str) -> None:
        """Nobody wants a sentence any more."""
        request = self._requests.pop(context, None)
        if request is None:
            return
        request.wait(None, _nothing)
        was_useful = self._failure is None and not self._is_suspect
        self._cancel(context)
        self.is_interrupted |= was_useful and self._failure is not None

    def _cancel(self, context: str) -> None:
        frame = self._wire.cancel(context)
        if frame is not None:
            self._put(frame)
        elif self._failure is None:
            self.fail(self._closed())
            self._socket.abort()

    def _too_late(self, context: str) -> None:
        request = self._requests.pop(context, None)
        if request is None:
            return
        ms = self._deadlines.progress_ms if request.received else self._deadlines.first_ms
        host, provider = self._address.host, self._address.provider
        request.fail(TooSlow(f"no sound from {host} for {ms} ms", provider=provider))
        self._is_suspect = True
        self._cancel(context)

    async def _send(self) -> None:
        """Sends what is queued, in order; ends with the use of the connection."""
        with suppress(ProviderError):  # The listener meets the same failure and tells it.
            while self._failure is None:
                try:
                    async with asyncio.timeout(self._wire.idle_s / 4):
                        await self._unsent.wait()
                except TimeoutError:
                    if not self._speeches and not self.has_room:
                        self.fail(self._closed())
                self._unsent.clear()
                while self._outbox and self._failure is None:
                    await self._socket.send(self._outbox.popleft())

    async def _listen(self) -> None:
        try:
            async for message in self._socket:
                self._take(msgspec.json.decode(message, type=dict[str, Any]))
            host, provider = self._address.host, self._address.provider
            raise Unavailable(f"{host} ended the connection", provider=provider)
        except ProviderError as failure:
            self.fail(failure)
        except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
            self.fail(self._malformed("sent something that is no frame"))

    def _take(self, said: dict[str, Any]) -> None:
        """A frame; those of contexts that nobody wants any more are on their way for a while."""
        heard = self._wire.read(said)
        if heard is None:
            return
        if heard.context is None:
            if heard.failure is not None:
                raise heard.failure
            return
        request = self._requests.get(heard.context)
        if request is None:
            return
        if heard.failure is not None:
            del self._requests[heard.context]
            request.fail(heard.failure)
            return
        self._heard(heard.context, request, heard)

    def _heard(self, context: str, request: _Request, heard: Heard) -> None:
        request.hear(heard)
        if request.received > _MAX_PCM:
            raise self._malformed("does not end a sentence")
        if heard.pcm:
            request.wait(self._deadlines.progress_ms, lambda: self._too_late(context))
        if heard.ends:
            del self._requests[context]
            if request.received:
                request.end()
            else:
                request.fail(self._malformed("gave no sound for a sentence"))

    def _malformed(self, what: str) -> ProviderError:
        """It said something that is no answer; ``what`` without words of the vendor."""
        return Malformed(f"{self._address.host} {what}", provider=self._address.provider)


def _nothing() -> None:
    """Is due."""
