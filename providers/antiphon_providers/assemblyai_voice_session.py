"""One session of AssemblyAI's streaming text to speech: sentences in, utterances out.

A sentence is a request: its text in ``Generate`` frames, then ``Flush``. Requests are counted
from 0 and answered in order with ``Audio`` frames, ``FlushDone`` and mostly ``WordBoundaries``,
all with the request's number. ``Cancel`` drops all requests and takes a number too.

Source: AssemblyAI's pages "Streaming TTS, message frames" and "Streaming TTS, limits", and the
``assemblyai`` SDK 1.8.2, ``tts/v1/session.py``, for the counting (2026-11-22).
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any

import msgspec
import pybase64
from msgspec import Struct

from antiphon_providers.assemblyai_wire import Wire, frame
from antiphon_providers.errors import ProviderError, TooSlow, Unavailable
from antiphon_providers.interfaces import Word
from antiphon_providers.utterance import Chunk, Utterance

RATE = 24_000
"""Samples per second of the PCM that is asked for."""

_MAX_TEXT = 2000
"""Characters of one ``Generate``."""
_MAX_PCM = RATE * 2 * 600
"""Of one sentence: ten minutes."""
_WORDS_S = 0.2
"""How long the times of a sentence's words may come after its sound."""
_KEEP_ALIVE_S = 25.0
_LONGEST_IDLE_S = 240.0
_OLDEST_S = 3300.0
"""The vendor ends a session after an hour; no speech should begin just before."""


class Deadlines(Struct, frozen=True):
    """How patient to be with a request, in ms: until its first sound, and until the next."""

    first_ms: int
    progress_ms: int


class _SpokenWord(Struct, frozen=True):
    word: str
    start: float
    end: float


class _Boundaries(Struct, frozen=True):
    """Milliseconds of the session's audio."""

    flush_id: int
    audio_start_ms: float
    words: tuple[_SpokenWord, ...]


class _Audio(Struct, frozen=True):
    flush_id: int
    audio: str


class _Done(Struct, frozen=True):
    flush_id: int


class _Request:
    """A sentence on its way."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        self.utterance = Utterance()
        self.half = b""
        self.received = 0
        self.is_done = False
        self.is_told = False
        self.timer: asyncio.TimerHandle | None = None

    @property
    def has_words(self) -> bool:
        return any(character.isalnum() for character in self.sentence)

    def hear(self, pcm: bytes) -> None:
        """The next sound; what is told are whole samples."""
        self.received += len(pcm)
        pcm = self.half + pcm
        whole = len(pcm) // 2 * 2
        pcm, self.half = pcm[:whole], pcm[whole:]
        if pcm:
            self.utterance.put(Chunk(pcm))

    def done(self) -> None:
        """All sound came; the words' times may follow."""
        self.is_done = True
        if self.received:
            self.timer = asyncio.get_running_loop().call_later(_WORDS_S, self.end, ())
        else:
            self.end(())

    def end(self, words: tuple[Word, ...]) -> None:
        """The last of it."""
        if self.timer is not None:
            self.timer.cancel()
        if not self.is_told:
            self.is_told = True
            self.utterance.put(Chunk(b"", words, ends=True))

    def fail(self, failure: ProviderError) -> None:
        """There will be no more."""
        if self.is_done:
            self.end(())
            return
        self.is_done = self.is_told = True
        self.utterance.fail(failure)


class VoiceSession:
    """A session that began, taken by whoever opened it.

    One speech at a time; ``run`` lives as long as the session.
    """

    def __init__(self, wire: Wire, deadlines: Deadlines) -> None:
        self._wire = wire
        self._deadlines = deadlines
        self._requests: dict[int, _Request] = {}
        self._next_id = 0
        self._cancels = 0
        self._outbox: deque[str] = deque()
        self._unsent = asyncio.Event()
        self._deadline: asyncio.TimerHandle | None = None
        self._failure: ProviderError | None = None
        self._began_at = self._idle_since = asyncio.get_running_loop().time()
        self.is_taken = True

    @property
    def is_free(self) -> bool:
        """Whether a speech may begin now."""
        age = asyncio.get_running_loop().time() - self._began_at
        busy = self.is_taken or self._cancels or self._failure is not None
        return not busy and age < _OLDEST_S

    def say(self, sentence: str) -> Utterance:
        """Asks for a sentence; at once silent where there is nothing to say."""
        request = _Request(sentence)
        if self._failure is not None:
            request.fail(self._failure)
        elif not request.has_words:
            request.end(())
        else:
            request.utterance.stops_with(self.hush)
            if self._head() is None:
                self._wait(self._deadlines.first_ms)
            self._requests[self._next_id] = request
            self._next_id += 1
            for at in range(0, len(sentence), _MAX_TEXT):
                self._put(frame("Generate", text=sentence[at : at + _MAX_TEXT]))
            self._put(frame("Flush"))
        return request.utterance

    def hush(self) -> None:
        """Nobody listens any more: what was asked for is cancelled, once."""
        if self._head() is not None and self._failure is None:
            self._put(frame("Cancel"))
            self._next_id += 1
            self._cancels += 1
        self._drop()

    def release(self) -> None:
        """The speech is over; another may begin."""
        self.hush()
        self.is_taken = False
        self._idle_since = asyncio.get_running_loop().time()

    def fail(self, failure: ProviderError) -> None:
        """The session is of no more use; what was asked for fails."""
        if self._failure is None:
            self._failure = failure
        for request in self._requests.values():
            request.fail(self._failure)
        self._drop()
        self._unsent.set()

    def end(self) -> None:
        """The session is not wanted any more; nobody takes it from here on."""
        self.fail(Unavailable("the session was closed", provider=self._wire.address.provider))

    async def run(self) -> None:
        """Talks to the vendor until the session ends, fails, or was idle for long."""
        tasks = {asyncio.create_task(self._listen()), asyncio.create_task(self._send())}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            self.end()

    def _put(self, text: str) -> None:
        self._outbox.append(text)
        self._unsent.set()

    def _head(self) -> _Request | None:
        """The first request whose sound is not complete."""
        return next((one for one in self._requests.values() if not one.is_done), None)

    def _drop(self) -> None:
        for request in self._requests.values():
            if request.timer is not None:
                request.timer.cancel()
        self._requests.clear()
        self._wait(None)

    def _wait(self, ms: int | None) -> None:
        """The next sound must come within so long; None where none is due."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None
        if ms is not None:
            loop = asyncio.get_running_loop()
            self._deadline = loop.call_later(ms / 1000, self._too_late, ms)

    def _too_late(self, ms: int) -> None:
        address = self._wire.address
        self.fail(TooSlow(f"no sound from {address.host} for {ms} ms", provider=address.provider))

    async def _send(self) -> None:
        """Sends what is queued, in order, and signs of life; ends with the use of the session."""
        with suppress(ProviderError):  # The listener meets the same failure and tells it.
            while self._failure is None:
                try:
                    async with asyncio.timeout(_KEEP_ALIVE_S):
                        await self._unsent.wait()
                except TimeoutError:
                    if self._is_over():
                        self.end()
                        return
                    self._put(frame("KeepAlive"))
                self._unsent.clear()
                while self._outbox:
                    await self._wire.socket.send(self._outbox.popleft())

    def _is_over(self) -> bool:
        now = asyncio.get_running_loop().time()
        idle = not self.is_taken and now - self._idle_since > _LONGEST_IDLE_S
        return idle or (not self.is_taken and now - self._began_at > _OLDEST_S)

    async def _listen(self) -> None:
        try:
            while (said := await self._wire.next()) is not None:
                self._take(said)
            raise self._wire.ended()
        except ProviderError as failure:
            self.fail(failure)
        except (msgspec.ValidationError, ValueError, OverflowError):
            self.fail(self._wire.malformed("sent a frame that is none of its kind"))

    def _take(self, said: dict[str, Any]) -> None:
        """A frame. Those of requests that were cancelled are on their way for a while."""
        match said["type"]:
            case "Audio":
                audio = msgspec.convert(said, _Audio)
                self._heard(audio.flush_id, pybase64.b64decode(audio.audio, validate=True))
            case "FlushDone":
                self._done(msgspec.convert(said, _Done).flush_id)
            case "WordBoundaries":
                self._timed(msgspec.convert(said, _Boundaries))
            case "Cancelled":
                self._cancels = max(self._cancels - 1, 0)

    def _heard(self, flush_id: int, pcm: bytes) -> None:
        request = self._requests.get(flush_id)
        if request is None or request.is_done:
            return
        request.hear(pcm)
        if request.received > _MAX_PCM:
            raise self._wire.malformed("does not end a sentence")
        self._wait(self._deadlines.progress_ms)

    def _done(self, flush_id: int) -> None:
        request = self._requests.get(flush_id)
        if request is None or request.is_done:
            return
        if not request.received:
            request.fail(self._wire.malformed("gave no sound for a sentence"))
        else:
            request.done()
        self._wait(None if self._head() is None else self._deadlines.first_ms)

    def _timed(self, boundaries: _Boundaries) -> None:
        """The words' times, unless they are not the sentence's words."""
        request = self._requests.get(boundaries.flush_id)
        if request is None:
            return
        begin, last = boundaries.audio_start_ms, 0
        words: list[Word] = []
        for spoken in boundaries.words:
            start = max(round(spoken.start - begin), last)
            last = max(round(spoken.end - begin), start)
            words.append(Word(spoken.word, start, last))
        if [word.text for word in words] == request.sentence.split():
            request.end(tuple(words))
        elif request.is_done:
            request.end(())
