"""One session of AssemblyAI's streaming text to speech: sentences in, utterances out.

A sentence is a request: its text in ``Generate`` frames, then ``Flush``. Requests are counted
from 0 and answered in order with ``Audio`` frames, ``FlushDone`` and mostly ``WordBoundaries``,
all with the request's number. ``Cancel`` drops all requests and takes a number too.

Source: AssemblyAI's pages "Streaming TTS, message frames" and "Streaming TTS, limits", and the
``assemblyai`` SDK 1.8.2, ``tts/v1/session.py``, for the counting (2026-11-22).
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pybase64
from msgspec import Struct

from antiphon_providers.assemblyai_wire import Wire, frame
from antiphon_providers.errors import ProviderError, TooSlow, Unavailable
from antiphon_providers.interfaces import Word
from antiphon_providers.utterance import Chunk, Utterance
from antiphon_providers.voice_session import (
    MAX_PCM,
    OLDEST_S,
    Deadline,
    Deadlines,
    Outbox,
    Samples,
    both,
    has_words,
)

_MAX_TEXT = 2000
"""Characters of one ``Generate``."""
_WORDS_S = 0.2
"""How long the times of a sentence's words may come after its sound."""
_KEEP_ALIVE_S = 25.0
_LONGEST_IDLE_S = 240.0


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
        self.samples = Samples()
        self.is_done = False
        self.is_told = False
        self.timer: asyncio.TimerHandle | None = None

    def hear(self, pcm: bytes) -> None:
        """The next sound."""
        if pcm := self.samples.take(pcm):
            self.utterance.put(Chunk(pcm))

    def done(self) -> None:
        """All sound came; the words' times may follow."""
        self.is_done = True
        if self.samples.received:
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
    """A session that began. One speech at a time; ``run`` lives as long as the session."""

    is_interrupted = False

    def __init__(self, wire: Wire, deadlines: Deadlines) -> None:
        self._wire = wire
        self._deadlines = deadlines
        self._requests: dict[int, _Request] = {}
        self._next_id = 0
        self._cancels = 0
        self._outbox = Outbox()
        self._deadline = Deadline(self._too_late)
        self._failure: ProviderError | None = None
        self._began_at = self._idle_since = asyncio.get_running_loop().time()
        self._is_taken = False

    @property
    def is_free(self) -> bool:
        """Whether a speech may begin now."""
        age = asyncio.get_running_loop().time() - self._began_at
        busy = self._is_taken or self._cancels or self._failure is not None
        return not busy and age < OLDEST_S

    def take(self) -> None:
        """A speech begins."""
        self._is_taken = True

    def say(self, sentence: str) -> Utterance:
        """Asks for a sentence; at once silent where there is nothing to say."""
        request = _Request(sentence)
        if self._failure is not None:
            request.fail(self._failure)
        elif not has_words(sentence):
            request.end(())
        else:
            request.utterance.stops_with(self.hush)
            if self._head() is None:
                self._deadline.set(self._deadlines.first_ms)
            self._requests[self._next_id] = request
            self._next_id += 1
            for at in range(0, len(sentence), _MAX_TEXT):
                self._outbox.put(frame("Generate", text=sentence[at : at + _MAX_TEXT]))
            self._outbox.put(frame("Flush"))
        return request.utterance

    def hush(self) -> None:
        """Nobody listens any more: what was asked for is cancelled, once."""
        if self._head() is not None and self._failure is None:
            self._outbox.put(frame("Cancel"))
            self._next_id += 1
            self._cancels += 1
        self._drop()

    def release(self) -> None:
        """The speech is over; another may begin."""
        self.hush()
        self._is_taken = False
        self._idle_since = asyncio.get_running_loop().time()

    def fail(self, failure: ProviderError) -> None:
        """The session is of no more use; what was asked for fails."""
        if self._failure is None:
            self._failure = failure
        for request in self._requests.values():
            request.fail(self._failure)
        self._drop()
        self._outbox.close()

    def end(self) -> None:
        """The session is not wanted any more; nobody takes it from here on."""
        self.fail(Unavailable("the session was closed", provider=self._wire.address.provider))

    async def run(self) -> None:
        """Talks to the vendor until the session ends, fails, or was idle for long."""
        sending = self._outbox.deliver(self._wire.socket, _KEEP_ALIVE_S, self._idle)
        try:
            await both(self._listen(), sending)
        finally:
            self.end()

    def _head(self) -> _Request | None:
        """The first request whose sound is not complete."""
        return next((one for one in self._requests.values() if not one.is_done), None)

    def _drop(self) -> None:
        for request in self._requests.values():
            if request.timer is not None:
                request.timer.cancel()
        self._requests.clear()
        self._deadline.set(None)

    def _too_late(self, ms: int) -> None:
        address = self._wire.address
        self.fail(TooSlow(f"no sound from {address.host} for {ms} ms", provider=address.provider))

    def _idle(self) -> str | None:
        """A sign of life, as long as anybody may want the session."""
        now = asyncio.get_running_loop().time()
        is_idle = now - self._idle_since > _LONGEST_IDLE_S
        if not self._is_taken and (is_idle or now - self._began_at > OLDEST_S):
            self.end()
            return None
        return frame("KeepAlive")

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
        if request.samples.received > MAX_PCM:
            raise self._wire.malformed("does not end a sentence")
        self._deadline.set(self._deadlines.progress_ms)

    def _done(self, flush_id: int) -> None:
        request = self._requests.get(flush_id)
        if request is None or request.is_done:
            return
        if not request.samples.received:
            request.fail(self._wire.malformed("gave no sound for a sentence"))
        else:
            request.done()
        self._deadline.set(None if self._head() is None else self._deadlines.first_ms)

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
