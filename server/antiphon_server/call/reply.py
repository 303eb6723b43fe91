"""One reply: words into sound. Cancelling ``run`` is how it stops.

The model writes, its words become pieces worth speaking, the pieces become sound, the sound is
paced out: four stages that run at the same time, joined by queues. Where the client wants text,
the pieces are shown as they come. A model that hears and speaks does the first three at once;
what it does not do is done by the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

import structlog
from msgspec import Struct
from msgspec.structs import replace

from antiphon_providers.errors import ProviderError, Unavailable
from antiphon_providers.interfaces import LanguageModel, Prompt, TextToSpeech, ToolUse
from antiphon_server.call.answering import Answering, AnsweringDoors
from antiphon_server.call.interlocutor import Interlocutor
from antiphon_server.call.outbox import Outbox, Playback
from antiphon_server.call.reading import Pieces, Reading, Written
from antiphon_server.call.settings import CallSettings
from antiphon_server.call.sounding import Sounding, SoundingDoors
from antiphon_server.call.timeline import ReplyClock
from antiphon_server.call.writing import Courtesy, Writing, WritingDoors
from antiphon_server.conversation.heard import Heard, TimedWord
from antiphon_server.conversation.vocabulary import (
    Event,
    Failure,
    ReplyFailed,
    ReplyFinished,
    ReplyTroubled,
)
from antiphon_server.observe import metrics, notes

log = structlog.get_logger()


class SpeakingServices(Struct, frozen=True):
    """The providers that answer."""

    language_model: LanguageModel
    text_to_speech: TextToSpeech
    courtesy: Courtesy = Courtesy()
    interlocutor: Interlocutor | None = None
    """Answers in speech what was said in speech, where the call has one."""


class Task(Struct, frozen=True):
    """What a reply has to do: say ``text`` verbatim, answer ``prompt``, or apologise for the
    recogniser that understood nothing (``misheard_by``).
    """

    text: str | None = None
    prompt: Prompt | None = None
    misheard_by: str | None = None


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
        self.clock = clock
        self.playback = playback
        self.is_text = settings.output_text
        self.shown = ""
        """What was shown of it, where it is text."""
        self.writing = Writing(
            services.language_model, clock, WritingDoors(doors.now, self._give, self._use)
        )
        self._services = services
        self._courtesy = services.courtesy
        self._outbox = doors.outbox
        self._doors = doors
        timed = partial(doors.words_timed, clock.number)
        self.sounding = Sounding(
            settings, clock, playback, SoundingDoors(doors.outbox, doors.now, timed)
        )
        self.reading = Reading(
            services.text_to_speech, settings.voice, self.sounding, clock, doors.now
        )
        self.answering: Answering | None = None
        """Where a model that hears and speaks answers."""
        # Bounded by MOST_CHARACTERS alone: a model that is faster than the voice must not be
        # kept waiting, because its deadlines are for writing.
        self._pieces: Pieces = asyncio.Queue()
        self._fills = False
        """Whether a filler is said, or was."""

    @property
    def heard(self) -> Heard:
        """The ledger of its words."""
        return self.sounding.heard

    async def run(self, task: Task) -> None:
        """Writes, speaks and plays; notices how it ended."""
        model = self._services.interlocutor
        try:
            left: Task | None = task
            if model is not None and task.prompt is not None and not self.is_text:
                left = await self._converse(model, task.prompt)
            if left is not None:
                await self._cascade(left)
        except _StageFailed as failed:
            self._doors.notice(ReplyFailed(self.number, _told_as(failed)))
            return
        if not self.is_text:
            self.sounding.tell_words(last=True)
            self._outbox.complete(self.playback)
            await self.playback.finished()
        self._doors.notice(ReplyFinished(self.number))

    async def _cascade(self, task: Task) -> None:
        """Raises ``_StageFailed``, of whichever stage failed first."""
        failed: list[_StageFailed] = []
        try:
            async with asyncio.TaskGroup() as stages:
                stages.create_task(self._write(task), name=f"write-{self.number}")
                express = self._show() if self.is_text else self._read()
                stages.create_task(express, name=f"speak-{self.number}")
        except* _StageFailed as failures:
            failed += _leaves(failures)
        if failed:
            raise failed[0]

    # --- words ---------------------------------------------------------------------------

    async def _write(self, task: Task) -> None:
        courtesy = self._courtesy
        if task.text is not None:
            self.writing.say(task.text)
        elif task.misheard_by is not None:
            failure = Unavailable("what was said was not understood", provider=task.misheard_by)
            self.writing.apologise(self._apology(_StageFailed("speech_to_text", failure)))
        elif task.prompt is not None:
            try:
                await self.writing.answer(
                    task.prompt, replace(courtesy, filler="") if self.is_text else courtesy
                )
            except ProviderError as failure:
                self.writing.apologise(self._apology(_StageFailed("language_model", failure)))
        self._pieces.put_nowait(None)

    def _apology(self, failed: _StageFailed) -> str:
        """What is said instead of what is missing. Raises what failed, where nothing is."""
        apology = self._courtesy.apology
        if not apology:
            raise failed from failed.failure
        self._doors.notice(ReplyTroubled(self.number, _told_as(failed)))
        return apology

    def _give(self, piece: str) -> None:
        self._pieces.put_nowait(Written(self.heard.wrote(piece), piece))

    def _use(self, use: ToolUse) -> None:
        self._doors.tool_used(self.number, use)

    # --- text ----------------------------------------------------------------------------

    async def _show(self) -> None:
        """Shows words as they are written. The last one is held back until it is known to be
        followed, as with spoken ones.
        """
        held: list[str] = []
        while (piece := await self._pieces.get()) is not None:
            words = [*held, *piece.text.split()]
            held = words[-1:]
            self._show_words(words[:-1], last=False)
        self._show_words(held, last=True)

    def _show_words(self, words: list[str], *, last: bool) -> None:
        if words:
            self.shown = " ".join(filter(None, (self.shown, *words)))
            self._doors.words_shown(self.number, words, last)

    # --- sound ---------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            await self.reading.speak(self._pieces)
        except ProviderError as failure:
            raise _StageFailed("text_to_speech", failure) from failure

    async def _converse(self, model: Interlocutor, prompt: Prompt) -> Task | None:
        """The model's answer; what is left to do if it failed. Raises ``_StageFailed``."""
        failure: ProviderError | None = None
        async with asyncio.TaskGroup() as tasks:
            filling = tasks.create_task(self._fill(), name=f"fill-{self.number}")

            async def begins() -> None:
                if not self._fills:
                    filling.cancel()
                await asyncio.wait([filling])

            def use(use: ToolUse) -> None:
                if not self._fills:
                    filling.cancel()
                self._use(use)

            doors = AnsweringDoors(self._doors.now, use, begins)
            answering = self.answering = Answering(model, self.sounding, self.clock, doors)
            try:
                await answering.answer(prompt)
            except ProviderError as failed:
                failure = failed
            await begins()
        return None if failure is None else self._left(prompt, failure, answering)

    def _left(self, prompt: Prompt, failure: ProviderError, answering: Answering) -> Task:
        failed = _StageFailed("speech_to_speech", failure)
        if answering.is_useful:
            return Task(text=self._apology(failed))
        # Nothing of it was heard: the caller need not know.
        told = _told_as(failed)
        name, model = failure.provider or "", self._services.language_model.name
        metrics.PROVIDER_SWITCHES.labels("speech_to_speech", name, model, failure.code).inc()
        log.warning("the language model answers instead", provider=name, error=told.message)
        if self._fills:
            self._courtesy = replace(self._courtesy, filler="")
        return Task(prompt=prompt)

    async def _fill(self) -> None:
        """Says the filler while the model is slow to begin; it is worth no failure."""
        courtesy = self._courtesy
        if not courtesy.filler:
            return
        await asyncio.sleep(courtesy.filler_ms / 1000)
        self._fills = True
        number = self.heard.wrote(courtesy.filler)
        pieces: Pieces = asyncio.Queue()
        pieces.put_nowait(Written(number, courtesy.filler))
        pieces.put_nowait(None)
        try:
            await self.reading.speak(pieces)
        except ProviderError as failure:
            self.heard.broke_off(number)
            _told_as(_StageFailed("text_to_speech", failure))


_WIRE_CODES = {
    "speech_to_text": "stt_provider_error",
    "language_model": "llm_provider_error",
    "text_to_speech": "tts_provider_error",
    "speech_to_speech": "s2s_provider_error",
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
    attributes = {"antiphon.stage": failed.stage, "error.type": failure.code}
    notes.note("reply.failed", **attributes, **{"gen_ai.provider.name": provider})
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
