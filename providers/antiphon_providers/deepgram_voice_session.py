"""One connection to Deepgram's Aura: sentences in, sound out.

A sentence is its text in ``Speak`` frames, then ``Flush``; its sound comes as binary messages of
PCM until ``Flushed``, sentence after sentence. ``Clear`` drops all that was asked for, and what
comes before ``Cleared`` is still of that. The vendor takes 20 times ``Flush`` in a minute, so a
connection says for itself how many more it can take.

Source: Deepgram's pages "Text to Speech, streaming" (API reference), "Flush" and "Clear", and
the ``deepgram-sdk`` 7.17, ``speak/v1`` (2026-11-22).
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

from msgspec import Struct

from antiphon_providers.deepgram_wire import Wire, frame
from antiphon_providers.errors import ProviderError, TooSlow, Unavailable
from antiphon_providers.utterance import Chunk, Utterance
from antiphon_providers.vendor_words import without

RATE = 24_000
"""Samples per second of the PCM that is asked for."""

_MAX_TEXT = 2000
"""Characters of one ``Speak``."""
_MAX_PCM = RATE * 2 * 600
"""Of one sentence: ten minutes."""
_MAX_FLUSHES, _FLUSHES_S = 20, 61.0
_CLEARED_S = 1.0
"""For the vendor to confirm a ``Clear``; without, the connection is of no more use."""
_LONGEST_IDLE_S = 240.0
_OLDEST_S = 3300.0
"""The vendor ends a connection after an hour; no speech should begin just before."""


class Deadlines(Struct, frozen=True):
    """How patient to be with a sentence, in ms: until its first sound, and until the next."""

    first_ms: int
    progress_ms: int


class Request:
    """A sentence that is to be spoken."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        self.utterance = Utterance()
        self.half = b""
        self.received = 0

    @property
    def has_words(self) -> bool:
        """Whether there is anything to say."""
        return any(character.isalnum() for character in self.sentence)

    def hear(self, pcm: bytes) -> None:
        """The next sound; what is told are whole samples."""
        self.received += len(pcm)
        pcm = self.half + pcm
        whole = len(pcm) // 2 * 2
        pcm, self.half = pcm[:whole], pcm[whole:]
        if pcm:
            self.utterance.put(Chunk(pcm))

    def end(self) -> None:
        """The last of it."""
        self.utterance.put(Chunk(b"", ends=True))


class VoiceSession:
    """A connection that stands. One speech at a time; ``run`` lives as long as it does."""

    def __init__(self, wire: Wire, deadlines: Deadlines) -> None:
        loop = asyncio.get_running_loop()
        self._wire = wire
        self._deadlines = deadlines
        self._requests: deque[Request] = deque()
        self._flushes: deque[float] = deque(maxlen=_MAX_FLUSHES)
        self._clears = 0
        self._warning = ""
        self._outbox: deque[str] = deque()
        self._unsent = asyncio.Event()
        self._deadline: asyncio.TimerHandle | None = None
        self._failure: ProviderError | None = None
        self._began_at = self._idle_since = loop.time()
        self.is_taken = False

    @property
    def is_free(self) -> bool:
        """Whether a speech may begin now."""
        age = asyncio.get_running_loop().time() - self._began_at
        busy = self.is_taken or self._clears or self._failure is not None
        return not busy and age < _OLDEST_S and self.has_room

    @property
    def has_room(self) -> bool:
        """Whether the vendor takes another sentence now."""
        now = asyncio.get_running_loop().time()
        return len(self._flushes) < _MAX_FLUSHES or now - self._flushes[0] > _FLUSHES_S

    def say(self, request: Request) -> None:
        """Asks for a sentence that has words."""
        if self._failure is not None:
            request.utterance.fail(self._failure)
            return
        if not self._requests:
            self._wait(self._deadlines.first_ms)
        self._requests.append(request)
        self._flushes.append(asyncio.get_running_loop().time())
        for at in range(0, len(request.sentence), _MAX_TEXT):
            self._put(frame("Speak", text=request.sentence[at : at + _MAX_TEXT]))
        self._put(frame("Flush"))

    def release(self) -> None:
        """The speech is over, and what is left of it cancelled; another may begin."""
        if self._requests and self._failure is None:
            self._outbox.clear()
            self._put(frame("Clear"))
            self._clears += 1
            self._requests.clear()
            self._wait(round(_CLEARED_S * 1000))
        self.is_taken = False
        self._idle_since = asyncio.get_running_loop().time()

    def fail(self, failure: ProviderError) -> None:
        """The connection is of no more use; what was asked for fails."""
        if self._failure is None:
            self._failure = failure
        for request in self._requests:
            request.utterance.fail(self._failure)
        self._requests.clear()
        self._wait(None)
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
            self.fail(Unavailable("the voice was closed", provider=self._wire.address.provider))

    def _put(self, text: str) -> None:
        self._outbox.append(text)
        self._unsent.set()

    def _wait(self, ms: int | None) -> None:
        """Something must come within so long; None where nothing is due."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None
        if ms is not None:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(ms / 1000, self._too_late, ms)

    def _too_late(self, ms: int) -> None:
        address = self._wire.address
        warned = f"; it had warned: {self._warning}" if self._warning else ""
        self.fail(
            TooSlow(f"no sound from {address.host} for {ms} ms{warned}", provider=address.provider)
        )

    async def _send(self) -> None:
        """Sends what is queued, in order; ends with the use of the connection."""
        with suppress(ProviderError):  # The listener meets the same failure and tells it.
            while self._failure is None:
                try:
                    async with asyncio.timeout(_LONGEST_IDLE_S / 4):
                        await self._unsent.wait()
                except TimeoutError:
                    if self._is_over():
                        await self._wire.socket.send(frame("Close"))
                        return
                self._unsent.clear()
                while self._outbox and self._failure is None:
                    await self._wire.socket.send(self._outbox.popleft())

    def _is_over(self) -> bool:
        now = asyncio.get_running_loop().time()
        is_idle = now - self._idle_since > _LONGEST_IDLE_S
        return not self.is_taken and (is_idle or now - self._began_at > _OLDEST_S)

    async def _listen(self) -> None:
        try:
            while (said := await self._wire.next()) is not None:
                if isinstance(said, bytes):
                    self._heard(said)
                else:
                    self._take(said)
            raise self._wire.ended()
        except ProviderError as failure:
            self.fail(failure)

    def _take(self, said: dict[str, Any]) -> None:
        match said["type"]:
            case "Flushed" if not self._clears:
                self._flushed()
            case "Cleared":
                self._cleared()
            case "Warning":
                words = str(said.get("description") or said.get("code") or "")[:500]
                self._warning = without(self._wire.address.secrets, words)

    def _heard(self, pcm: bytes) -> None:
        """The next sound of the first sentence, unless it is of what was cancelled."""
        if self._clears or not self._requests:
            return
        request = self._requests[0]
        request.hear(pcm)
        if request.received > _MAX_PCM:
            raise self._wire.malformed("does not end a sentence")
        self._wait(self._deadlines.progress_ms)

    def _flushed(self) -> None:
        """The first sentence is complete."""
        if not self._requests:
            return
        if not self._requests[0].received:
            raise self._wire.malformed("gave no sound for a sentence")
        self._requests.popleft().end()
        self._wait(self._deadlines.first_ms if self._requests else None)

    def _cleared(self) -> None:
        self._clears = max(self._clears - 1, 0)
        if not self._clears:
            self._wait(self._deadlines.first_ms if self._requests else None)
