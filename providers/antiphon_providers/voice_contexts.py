"""Voices behind a WebSocket that speaks in contexts: connections, sentences and their sound.

A context is one sentence, so that its end and the times of its words are its own. What vendors
write in their frames is behind ``Wire``; what is here is who may use which connection, what
comes of a context that nobody wants any more, and how long to wait.

Source: what ElevenLabs' "Multi-Context WebSocket" and Cartesia's "Contexts" have in common
(2026-11-22).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from secrets import token_hex
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from antiphon_providers.errors import Malformed, ProviderError, TooSlow, Unavailable
from antiphon_providers.utterance import Chunk, Utterance
from antiphon_providers.vendor_socket import Address, VendorSocket
from antiphon_providers.voice_session import (
    MAX_PCM,
    OLDEST_S,
    RATE,
    Deadline,
    Deadlines,
    Outbox,
    Samples,
    both,
    has_words,
)
from antiphon_providers.voice_timing import Mark, Timing


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


class _Request:
    """A sentence on its way; ``late`` is called where its sound does not come in time."""

    def __init__(self, sentence: str, late: Callable[[int], None]) -> None:
        self.timing = Timing(sentence)
        self.utterance = Utterance()
        self.samples = Samples()
        self.deadline = Deadline(late)

    def hear(self, heard: Heard) -> None:
        """The next sound, with the words that it brings."""
        offset = self.samples.received / 2 * 1000 / RATE if heard.marks_of_frame else 0.0
        words = self.timing.take(heard.marks, offset)
        pcm = self.samples.take(heard.pcm)
        if pcm or words:
            self.utterance.put(Chunk(pcm, words))

    def end(self) -> None:
        """The last of it."""
        self.deadline.set(None)
        self.utterance.put(Chunk(b"", self.timing.end(), ends=True))

    def fail(self, failure: ProviderError) -> None:
        """There will be no more."""
        self.deadline.set(None)
        self.utterance.fail(failure)


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
        self._outbox = Outbox()
        self._failure: ProviderError | None = None
        self._is_suspect = False
        self.is_interrupted = False
        self._speeches = 0
        self._began_at = self._idle_since = asyncio.get_running_loop().time()

    @property
    def is_free(self) -> bool:
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
            self.end()

    def say(self, sentence: str, voice: str) -> Utterance:
        """Asks for a sentence; at once silent where there is nothing to say."""
        context = f"{self._own}-{next(self._contexts)}"
        request = _Request(sentence, lambda ms: self._too_late(context, ms))
        if self._failure is not None:
            request.fail(self._failure)
        elif not has_words(sentence):
            request.end()
        else:
            self._requests[context] = request
            request.utterance.stops_with(lambda: self._drop(context))
            request.deadline.set(self._deadlines.first_ms)
            for frame in self._wire.say(context, sentence, voice):
                self._outbox.put(frame)
        return request.utterance

    def fail(self, failure: ProviderError) -> None:
        """The connection is of no more use; what was asked for fails."""
        if self._failure is None:
            self._failure = failure
        for request in self._requests.values():
            request.fail(self._failure)
        self._requests.clear()
        self._outbox.close()

    def end(self) -> None:
        """It is not wanted any more; nobody takes it from here on."""
        self.fail(self._closed())

    async def run(self) -> None:
        """Talks to the vendor until the connection ends, fails, or was idle for long."""
        sending = self._outbox.deliver(self._socket, self._wire.idle_s / 4, self._idle)
        try:
            await both(self._listen(), sending)
        finally:
            self.end()

    def _closed(self) -> ProviderError:
        return Unavailable("the voice was closed", provider=self._address.provider)

    def _is_old(self, now: float) -> bool:
        return now - self._began_at > OLDEST_S

    def _idle(self) -> None:
        """Nobody wants it any more."""
        if not self._speeches and not self.is_free:
            self.end()

    def _drop(self, context: str) -> None:
        """Nobody wants a sentence any more."""
        request = self._requests.pop(context, None)
        if request is None:
            return
        request.deadline.set(None)
        was_useful = self._failure is None and not self._is_suspect
        self._cancel(context)
        self.is_interrupted |= was_useful and self._failure is not None

    def _cancel(self, context: str) -> None:
        frame = self._wire.cancel(context)
        if frame is not None:
            self._outbox.put(frame)
        elif self._failure is None:
            self.end()
            self._socket.abort()

    def _too_late(self, context: str, ms: int) -> None:
        request = self._requests.pop(context, None)
        if request is None:
            return
        host, provider = self._address.host, self._address.provider
        request.fail(TooSlow(f"no sound from {host} for {ms} ms", provider=provider))
        self._is_suspect = True
        self._cancel(context)

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
        if request.samples.received > MAX_PCM:
            raise self._malformed("does not end a sentence")
        if heard.pcm:
            request.deadline.set(self._deadlines.progress_ms)
        if heard.ends:
            del self._requests[context]
            if request.samples.received:
                request.end()
            else:
                request.fail(self._malformed("gave no sound for a sentence"))

    def _malformed(self, what: str) -> ProviderError:
        """It said something that is no answer; ``what`` without words of the vendor."""
        return Malformed(f"{self._address.host} {what}", provider=self._address.provider)
