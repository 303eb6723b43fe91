"""One reply: words into sound. Cancelling ``run`` is how it stops.

The model writes, its words become pieces worth speaking, the pieces become sound, the sound is
paced out: four stages that run at the same time, joined by bounded queues. Where the client
wants text, the pieces are shown as they come.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from antiphon_providers.errors import Malformed, ProviderError, TooSlow
from antiphon_providers.interfaces import (
    LanguageModel,
    Prompt,
    Sound,
    TextToSpeech,
    ToolUse,
)
from antiphon_server.call.outbox import Outbox, Playback
from antiphon_server.call.settings import CallSettings
from antiphon_server.call.sound import Resampler, Samples, amplify, encode
from antiphon_server.call.timeline import ReplyClock
from antiphon_server.call.writing import (
    PROGRESS_SECONDS,
    Courtesy,
    Writing,
    WritingDoors,
    closing,
    seconds_from_now,
)
from antiphon_server.conversation.heard import Heard, TimedWord
from antiphon_server.conversation.vocabulary import (
    Event,
    Failure,
    ReplyFailed,
    ReplyFinished,
    ReplyTroubled,
)
from antiphon_server.observe import metrics


class SpeakingServices(Struct, frozen=True):
    """The providers that answer."""

    language_model: LanguageModel
    text_to_speech: TextToSpeech
    courtesy: Courtesy = Courtesy()


class Task(Struct, frozen=True):
    """What a reply has to do: say ``text`` verbatim, or answer ``prompt``."""

    text: str | None = None
    prompt: Prompt | None = None


class ReplyDoors(Struct, frozen=True):
    """How a reply reaches the rest of the session."""

    outbox: Outbox
    now: Callable[[], float]
    notice: Callable[[Event], None]
    tool_used: Callable[[int, ToolUse], None]
    words_timed: Callable[[int, list[TimedWord], bool], None]
    words_shown: Callable[[int, list[str], bool], None]


class Reply:
    """One reply, from its prompt to its last sound."""

    def __init__(
        self,
        services: SpeakingServices,
        settings: CallSettings,
        clock: ReplyClock,
        playback: Playback,
        doors: ReplyDoors,
    ) -> None:
        self.number = clock.number
        self.heard = Heard()
        self.clock = clock
        self.playback = playback
        self.is_text = settings.output_text
        self.shown = ""
        """What was shown of it, where it is text."""
        self.characters = 0
        """How many were given to the voice."""
        self.writing = Writing(
            services.language_model, clock, WritingDoors(doors.now, self._give, self._use)
        )
        self._services = services
        self._settings = settings
        self._outbox = doors.outbox
        self._doors = doors
        self._now = doors.now
        # Bounded by MOST_CHARACTERS alone: a model that is faster than the voice must not be
        # kept waiting, because its deadlines are for writing.
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._voice_deadline = asyncio.timeout(None)
        self._voice_waits = False
        self._held: list[TimedWord] = []
        self._told = 0

    async def run(self, task: Task) -> None:
        """Writes, speaks and plays; notices how it ended."""
        failed: list[_StageFailed] = []
        try:
            async with asyncio.TaskGroup() as stages:
                stages.create_task(self._write(task), name=f"write-{self.number}")
                express = self._show() if self.is_text else self._speak()
                stages.create_task(express, name=f"speak-{self.number}")
        except* _StageFailed as failures:
            failed += _leaves(failures)
        if failed:
            self._fail(failed[0])
            return
        if not self.is_text:
            self._outbox.complete(self.playback)
            await self.playback.finished()
        self._doors.notice(ReplyFinished(self.number))

    # --- words ---------------------------------------------------------------------------

    async def _write(self, task: Task) -> None:
        courtesy = self._services.courtesy
        if task.text is not None:
            self.writing.say(task.text)
        elif task.prompt is not None:
            try:
                await self.writing.answer(
                    task.prompt, replace(courtesy, filler="") if self.is_text else courtesy
                )
            except ProviderError as failure:
                failed = _StageFailed("language_model", failure)
                if not courtesy.apology:
                    raise failed from failure
                self._doors.notice(ReplyTroubled(self.number, _told_as(failed)))
                self.writing.apologise(courtesy.apology)
        self._pieces.put_nowait(None)

    def _give(self, piece: str) -> None:
        self.heard.wrote(piece)
        self._pieces.put_nowait(piece)

    def _use(self, use: ToolUse) -> None:
        self._doors.tool_used(self.number, use)

    # --- text ----------------------------------------------------------------------------

    async def _show(self) -> None:
        """Shows words as they are written. The last one is held back until it is known to be
        followed, as with spoken ones.
        """
        held: list[str] = []
        while (piece := await self._pieces.get()) is not None:
            words = [*held, *piece.split()]
            held = words[-1:]
            self._show_words(words[:-1], last=False)
        self._show_words(held, last=True)

    def _show_words(self, words: list[str], *, last: bool) -> None:
        if words:
            self.shown = " ".join(filter(None, (self.shown, *words)))
            self._doors.words_shown(self.number, words, last)

    # --- sound ---------------------------------------------------------------------------

    async def _next_pieces(self, first: str) -> AsyncIterator[str]:
        piece: str | None = first
        while piece is not None:
            self.characters += len(piece)
            yield piece
            self._voice_works(not self._pieces.empty())
            piece = await self._pieces.get()
            self._voice_works(True)

    def _voice_works(self, works: bool) -> None:
        """Whether the next sound is the voice's to make, within ``PROGRESS_SECONDS``; it owes
        nothing while it waits for words, or for room.
        """
        self._voice_waits = not works
        # A voice that was cut off may still ask for words: nothing is to be timed then.
        with contextlib.suppress(RuntimeError):
            self._voice_deadline.reschedule(seconds_from_now(PROGRESS_SECONDS) if works else None)

    async def _speak(self) -> None:
        first = await self._pieces.get()
        if first is None:
            return
        try:
            await self._speak_pieces(first)
        except ProviderError as failure:
            raise _StageFailed("text_to_speech", failure) from failure

    async def _speak_pieces(self, first: str) -> None:
        voice = self._services.text_to_speech
        self.clock.speech_asked = self._now()
        resampler = Resampler(voice.rate, self._settings.output.rate, "LQ")
        sounds = voice.speak(self._next_pieces(first), self._settings.voice)
        try:
            async with self._voice_deadline, aclosing(closing(sounds)) as stream:
                self._voice_works(True)
                async for sound in stream:
                    if sound.pcm and self.clock.first_sound is None:
                        self.clock.first_sound = self._now()
                    await self._sounded(sound, resampler)
        except TimeoutError:
            raise TooSlow("text-to-speech stopped speaking", provider=voice.name) from None
        self._play(resampler.finish())
        self._tell_words(last=True)
        if self.clock.first_sound is None:
            raise Malformed("text-to-speech made no sound", provider=voice.name)

    async def _sounded(self, sound: Sound, resampler: Resampler) -> None:
        rate = self._services.text_to_speech.rate
        samples = np.frombuffer(sound.pcm, "<i2")
        words = tuple(TimedWord(word.text, word.start_ms, word.end_ms) for word in sound.words)
        self.heard.sounded(sound.sentence, 1000 * len(samples) / rate, words)
        self._play(resampler.feed(samples))
        if sound.ends:
            self.heard.ended(sound.sentence)
            self._tell_words(last=False)
        if not self._voice_waits:
            self._voice_works(False)
            await self.playback.room()
            self._voice_works(True)
        else:
            await self.playback.room()

    def _tell_words(self, *, last: bool) -> None:
        """Tells the words whose times are known. The last one so far is held back, because
        only the last of the reply goes without a trailing space (protocol section 9, row 14).
        """
        self._held += self.heard.new_words()
        keep = 0 if last else 1
        words, self._held = (
            self._held[: len(self._held) - keep],
            self._held[-keep or len(self._held) :],
        )
        self._tell(words, last=last)

    def tell_up_to(self, text: str) -> None:
        """Tells the words of what was heard that were not told yet: the reply ends with them."""
        untold = text.split()[self._told :]
        times = self.heard.words()[self._told :]
        self._held = []
        pairs = zip(untold, times, strict=False)
        words = [TimedWord(word, timed.start_ms, timed.end_ms) for word, timed in pairs]
        self._tell(words, last=True)

    def _tell(self, words: list[TimedWord], *, last: bool) -> None:
        self._told += len(words)
        if words:
            self._doors.words_timed(self.number, words, last)

    def _play(self, samples: Samples) -> None:
        if len(samples):
            loud = amplify(samples, self._settings.volume)
            self._outbox.play(self.playback, encode(loud, self._settings.output))

    # --- failure -------------------------------------------------------------------------

    def _fail(self, failed: _StageFailed) -> None:
        self._doors.notice(ReplyFailed(self.number, _told_as(failed)))


_WIRE_CODES = {
    "language_model": "llm_provider_error",
    "text_to_speech": "tts_provider_error",
}


class _StageFailed(Exception):
    """A provider failed, and which stage it served."""

    def __init__(self, stage: str, failure: ProviderError) -> None:
        super().__init__(failure.message)
        self.stage = stage
        self.failure = failure


def _told_as(failed: _StageFailed) -> Failure:
    """What the client is told of a failure, which is counted."""
    failure = failed.failure
    provider = failure.provider or failed.stage
    metrics.PROVIDER_ERRORS.labels(failed.stage, provider, failure.code).inc()
    return Failure(
        _WIRE_CODES[failed.stage],
        failure.message,
        failure.retryable,
        failure.status_code,
        failure.provider_code,
        failure.provider_param,
    )


def _leaves(failures: BaseExceptionGroup[_StageFailed]) -> list[_StageFailed]:
    found: list[_StageFailed] = []
    for failure in failures.exceptions:
        found += _leaves(failure) if isinstance(failure, BaseExceptionGroup) else [failure]
    return found
