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
from typing import Any

from antiphon_providers.deepgram_wire import Wire, frame
from antiphon_providers.errors import ProviderError, TooSlow, Unavailable
from antiphon_providers.utterance import Chunk, Utterance
from antiphon_providers.vendor_words import without
from antiphon_providers.voice_session import (
    MAX_PCM,
    OLDEST_S,
    Deadline,
    Deadlines,
    Outbox,
    Samples,
    both,
)

_MAX_TEXT = 2000
"""Characters of one ``Speak``."""
_MAX_FLUSHES, _FLUSHES_S = 20, 61.0
_CLEARED_S = 1.0
"""For the vendor to confirm a ``Clear``; without, the connection is of no more use."""
_LONGEST_IDLE_S = 240.0


class Request:
    """A sentence that is to be spoken."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        self.utterance = Utterance()
        self.samples = Samples()

    def hear(self, pcm: bytes) -> None:
        """The next sound."""
        if pcm := self.samples.take(pcm):
            self.utterance.put(Chunk(pcm))

    def end(self) -> None:
        """The last of it."""
        self.utterance.put(Chunk(b"", ends=True))


class VoiceSession:
    """A connection that stands. One speech at a time; ``run`` lives as long as it does."""

    is_interrupted = False

    def __init__(self, wire: Wire, deadlines: Deadlines) -> None:
        loop = asyncio.get_running_loop()
        self._wire = wire
        self._deadlines = deadlines
        self._requests: deque[Request] = deque()
        self._flushes: deque[float] = deque(maxlen=_MAX_FLUSHES)
        self._clears = 0
        self._warning = ""
        self._outbox = Outbox()
        self._deadline = Deadline(self._too_late)
        self._failure: ProviderError | None = None
        self._began_at = self._idle_since = loop.time()
        self._is_taken = False

    @property
    def is_free(self) -> bool:
        """Whether a speech may begin now."""
        age = asyncio.get_running_loop().time() - self._began_at
        busy = self._is_taken or self._clears or self._failure is not None
        return not busy and age < OLDEST_S and self.has_room

    @property
    def has_room(self) -> bool:
        """Whether the vendor takes another sentence now."""
        now = asyncio.get_running_loop().time()
        return len(self._flushes) < _MAX_FLUSHES or now - self._flushes[0] > _FLUSHES_S

    def take(self) -> None:
        """A speech begins."""
        self._is_taken = True

    def say(self, request: Request) -> None:
        """Asks for a sentence that has words."""
        if self._failure is not None:
            request.utterance.fail(self._failure)
            return
        if not self._requests:
            self._deadline.set(self._deadlines.first_ms)
        self._requests.append(request)
        self._flushes.append(asyncio.get_running_loop().time())
        for at in range(0, len(request.sentence), _MAX_TEXT):
            self._outbox.put(frame("Speak", text=request.sentence[at : at + _MAX_TEXT]))
        self._outbox.put(frame("Flush"))

    def release(self) -> None:
        """The speech is over, and what is left of it cancelled; another may begin."""
        if self._requests and self._failure is None:
            self._outbox.clear()
            self._outbox.put(frame("Clear"))
            self._clears += 1
            self._requests.clear()
            self._deadline.set(round(_CLEARED_S * 1000))
        self._is_taken = False
        self._idle_since = asyncio.get_running_loop().time()

    def fail(self, failure: ProviderError) -> None:
        """The connection is of no more use; what was asked for fails."""
        if self._failure is None:
            self._failure = failure
        for request in self._requests:
            request.utterance.fail(self._failure)
        self._requests.clear()
        self._deadline.set(None)
        self._outbox.close()

    def end(self) -> None:
        """It is not wanted any more; nobody takes it from here on."""
        self.fail(Unavailable("the voice was closed", provider=self._wire.address.provider))

    async def run(self) -> None:
        """Talks to the vendor until the connection ends, fails, or was idle for long."""
        sending = self._outbox.deliver(self._wire.socket, _LONGEST_IDLE_S / 4, self._idle)
        try:
            await both(self._listen(), sending)
        finally:
            self.end()

    def _too_late(self, ms: int) -> None:
        address = self._wire.address
        warned = f"; it had warned: {self._warning}" if self._warning else ""
        self.fail(
            TooSlow(f"no sound from {address.host} for {ms} ms{warned}", provider=address.provider)
        )

    def _idle(self) -> str | None:
        """Goodbye, where nobody has wanted the connection for long."""
        now = asyncio.get_running_loop().time()
        is_idle = now - self._idle_since > _LONGEST_IDLE_S
        if self._is_taken or not (is_idle or now - self._began_at > OLDEST_S):
            return None
        self._outbox.finish()
        return frame("Close")

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
        if request.samples.received > MAX_PCM:
            raise self._wire.malformed("does not end a sentence")
        self._deadline.set(self._deadlines.progress_ms)

    def _flushed(self) -> None:
        """The first sentence is complete."""
        if not self._requests:
            return
        if not self._requests[0].samples.received:
            raise self._wire.malformed("gave no sound for a sentence")
        self._requests.popleft().end()
        self._deadline.set(self._deadlines.first_ms if self._requests else None)

    def _cleared(self) -> None:
        self._clears = max(self._clears - 1, 0)
        if not self._clears:
            self._deadline.set(self._deadlines.first_ms if self._requests else None)
