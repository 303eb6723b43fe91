"""Text to speech by flite: plain, clear, and quick. English; its voices are recorded people's.

Each speaker has a thread. The text is analysed clause by clause, since nothing sounds before a
whole clause is analysed; then sound comes in steps of 25 ms, between which it can be stopped.
The silence before and after each clause is cut to what a listener expects.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Annotated, get_args
from weakref import WeakSet

from msgspec import Meta, Struct

from antiphon_providers.errors import Unavailable
from antiphon_providers.interfaces import Sound, VoiceOptions, Word
from antiphon_providers.local import flite_library
from antiphon_providers.local.flite_library import FliteSpeaker, TokenTime
from antiphon_providers.local.speakable import SpokenWord, clauses, spoken_words
from antiphon_providers.local.voice_catalogue import Speaker, Voice, voice_named
from antiphon_providers.utterance import Chunk, Utterance, in_turn

_CLAUSE = 80
"""Letters: their analysis takes some 15 ms."""

_LEAD_S = 0.02
_TAIL_S = 0.12
"""Silence kept before the first sound and after the last; flite makes some 0.2 s of each."""

_FIRST_CHUNK_MS = 20
_SECOND_CHUNK_MS = 40
_CHUNK_MS = 80
_BYTES_PER_MS = flite_library.RATE // 1000 * 2


class FliteOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """What can be set of the voice."""

    pace: Annotated[
        float, Meta(ge=0.5, le=2, description="Of all voices: 1.2 is a fifth faster.")
    ] = 1.0


class Flite:
    """flite's voices slt, rms and awb under the names of the catalogue."""

    Options = FliteOptions
    name = "flite"
    rate = flite_library.RATE

    def __init__(self, options: FliteOptions | None = None) -> None:
        self.options = options or FliteOptions()
        self._speakers: dict[Speaker, FliteSpeaker] = {}
        self._threads: dict[Speaker, ThreadPoolExecutor] = {}
        self._spoken: WeakSet[Utterance] = WeakSet()

    async def start(self) -> None:
        """Loads all speakers. Raises ``NotInstalled`` where a library is missing."""
        await asyncio.to_thread(self._load)
        self._threads = {name: ThreadPoolExecutor(1, f"flite-{name}") for name in self._speakers}

    async def close(self) -> None:
        """What is being spoken fails with ``Unavailable``."""
        threads, self._threads = self._threads, {}
        for utterance in list(self._spoken):
            utterance.cancel()
            utterance.fail(Unavailable("the voice was closed", provider=self.name))
        for executor in threads.values():
            await asyncio.to_thread(executor.shutdown, wait=True, cancel_futures=True)

    async def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """The sentences' sound, with the times of their words.

        Raises ``Refused`` for a voice that is not in the catalogue, ``Unavailable`` unless
        started.
        """
        voice = voice_named(options.voice, self.name)
        async with aclosing(in_turn(sentences, lambda text: self._say(text, voice))) as sounds:
            async for sound in sounds:
                yield sound

    def _say(self, sentence: str, voice: Voice) -> Utterance:
        thread = self._threads.get(voice.speaker)
        if thread is None:
            raise Unavailable("the voice is not running", provider=self.name)
        utterance = Utterance()
        self._spoken.add(utterance)
        shaped = Voice(voice.speaker, voice.pitch, voice.pace * self.options.pace)
        recital = _Recital(utterance, self._speakers[voice.speaker], shaped)
        utterance.stops_with(thread.submit(recital.perform, sentence).cancel)
        return utterance

    def _load(self) -> None:
        for name in get_args(Speaker):
            self._speakers[name] = flite_library.speaker(name)
            # The first words load tables; a caller must not wait for that.
            self._speakers[name].speak("Ready.", 1.0, 1.0, lambda _pcm, _times: True)


class _Recital:
    """One sentence being spoken, in the speaker's thread. Made on the event loop."""

    def __init__(self, utterance: Utterance, speaker: FliteSpeaker, voice: Voice) -> None:
        self._utterance = utterance
        self._speaker = speaker
        self._voice = voice
        self._loop = asyncio.get_running_loop()
        self._pcm = bytearray()
        self._sent = 0
        self._words: list[Word] = []

    def perform(self, sentence: str) -> None:
        """Says it, or stops where nobody listens any more."""
        try:
            for clause in clauses(spoken_words(sentence), _CLAUSE):
                if self._utterance.is_wanted:
                    self._say(clause)
            self._send(ends=True)
        except Exception as failure:  # noqa: BLE001 - raised again where the sound is awaited.
            error = Unavailable(f"the voice failed: {failure}", provider="flite")
            self._loop.call_soon_threadsafe(self._utterance.fail, error)

    def _say(self, clause: list[SpokenWord]) -> None:
        text = " ".join(word.said for word in clause if word.said)
        begins_ms = self._ms()
        if not text:
            self._words += (Word(word.written, begins_ms, begins_ms) for word in clause)
            return
        cut: _Cut | None = None

        def heard(pcm: bytes, times: Callable[[], list[TokenTime]]) -> bool:
            nonlocal cut
            if cut is None:
                tokens = times()
                cut = _Cut(tokens)
                self._words += timed(clause, tokens, begins_ms - cut.begins_s * 1000)
            self._pcm += cut.kept(pcm)
            if len(self._pcm) >= self._chunk_ms() * _BYTES_PER_MS:
                self._send()
            return self._utterance.is_wanted and not cut.is_over

        self._speaker.speak(text, self._voice.pitch, self._voice.pace, heard)

    def _ms(self) -> int:
        return round((self._sent + len(self._pcm)) / _BYTES_PER_MS)

    def _chunk_ms(self) -> int:
        if not self._sent:
            return _FIRST_CHUNK_MS
        return _SECOND_CHUNK_MS if self._sent < _CHUNK_MS * _BYTES_PER_MS else _CHUNK_MS

    def _send(self, *, ends: bool = False) -> None:
        chunk = Chunk(bytes(self._pcm), tuple(self._words), ends)
        self._sent += len(self._pcm)
        self._pcm.clear()
        self._words.clear()
        if self._utterance.is_wanted:
            self._loop.call_soon_threadsafe(self._utterance.put, chunk)


class _Cut:
    """Which part of a clause's sound is kept, by the times of its phones."""

    def __init__(self, tokens: list[TokenTime]) -> None:
        self.begins_s = max(0.0, tokens[0].begins_s - _LEAD_S) if tokens else 0.0
        self._begin = round(self.begins_s * flite_library.RATE) * 2
        ends_s = max((token.ends_s for token in tokens), default=0.0)
        self._end = round((ends_s + _TAIL_S) * flite_library.RATE) * 2 if ends_s else None
        self._passed = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more is kept."""
        return self._end is not None and self._passed >= self._end

    def kept(self, pcm: bytes) -> bytes:
        """What is kept of the next sound."""
        here = self._passed
        self._passed += len(pcm)
        end = len(pcm) if self._end is None else max(0, self._end - here)
        return pcm[max(0, self._begin - here) : end]


def timed(clause: list[SpokenWord], tokens: list[TokenTime], offset_ms: float) -> list[Word]:
    """The words as written, with their times; none where the tokens are not those words.

    Written words that are not said take no time.
    """
    if sum(len(word.said.split()) for word in clause) != len(tokens):
        return []
    words: list[Word] = []
    left = iter(tokens)
    now_ms = max(0, round(offset_ms + tokens[0].begins_s * 1000)) if tokens else 0
    for word in clause:
        own = [next(left) for _ in word.said.split()]
        begins_ms = max(now_ms, round(offset_ms + own[0].begins_s * 1000)) if own else now_ms
        now_ms = max(begins_ms, round(offset_ms + own[-1].ends_s * 1000)) if own else now_ms
        words.append(Word(word.written, begins_ms, now_ms))
    return words
