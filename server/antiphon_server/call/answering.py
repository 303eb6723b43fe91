"""One reply of a model that hears and speaks: its words, its sound, its calls of tools."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from msgspec import Struct

from antiphon_providers.errors import Malformed, ProviderError, TooSlow
from antiphon_providers.interfaces import Prompt, Said, Sound, Spent, SpokenPiece, ToolUse, Used
from antiphon_server.call.interlocutor import Interlocutor
from antiphon_server.call.patience import PROGRESS_SECONDS, seconds_from_now
from antiphon_server.call.sounding import Sounding
from antiphon_server.call.timeline import ReplyClock
from antiphon_server.call.writing import (
    MOST_CHARACTERS,
    added,
    checked,
    closing,
    well_formed,
)

FIRST_SOUND_SECONDS = 4.0
"""To its first sound or call of a tool. Less than a language model has: there is one who can
answer in its place.
"""
MOST_SOUND_MS = 300_000.0
"""How long it may speak: as long as ``MOST_CHARACTERS`` take."""


class AnsweringDoors(Struct, frozen=True):
    """How an answer reaches the rest of its reply."""

    now: Callable[[], float]
    use: Callable[[ToolUse], None]
    """Takes a call of a tool."""
    begins: Callable[[], Awaitable[None]]
    """Returns when its first sound may be heard."""


class Answering:
    """Cancelling ``answer`` is how the model stops."""

    def __init__(
        self, model: Interlocutor, sounding: Sounding, clock: ReplyClock, doors: AnsweringDoors
    ) -> None:
        self.spent = Spent(0, 0)
        self.is_useful = False
        """Whether there was sound, or a tool was called: it cannot be taken back."""
        self._model = model
        self._sounding = sounding
        self._clock = clock
        self._doors = doors
        self._deadline = asyncio.timeout(None)
        self._text = ""
        """What it says, until there is sound for it."""
        self._characters = 0
        self._sentence: int | None = None
        """Its number in the ledger, once it sounds."""
        self._resampler = sounding.resampler(model.model.rate)

    async def answer(self, prompt: Prompt) -> None:
        """What the model says to ``prompt``. Raises ``ProviderError``."""
        self._clock.conversed = self._doors.now()
        name = self._model.model.name
        try:
            await self._ask(prompt)
            if not self.is_useful:
                raise Malformed("speech-to-speech made no sound", provider=name)
        except ProviderError:
            self._fail()
            raise
        except TimeoutError:
            self._fail()
            raise TooSlow("speech-to-speech stopped speaking", provider=name) from None
        self._end(whole=True)

    async def _ask(self, prompt: Prompt) -> None:
        self._deadline = asyncio.timeout(FIRST_SOUND_SECONDS)
        async with aclosing(closing(self._model.reply(prompt))) as pieces, self._deadline:
            async for piece in pieces:
                await self._take(piece)
                if self._sounding.heard.ms > MOST_SOUND_MS:
                    break

    async def _take(self, piece: SpokenPiece) -> None:
        match piece:
            case Said(text):
                self._says(well_formed(text))
            case Sound():
                await self._sounds(piece)
            case Used(use):
                self._doors.use(checked(use, self._model.model.name))
                self._progress()
            case Spent():
                self.spent = added(self.spent, piece)

    def _says(self, text: str) -> None:
        # Of a model that writes without end nothing is told beyond this; it is heard as it is.
        text = text[: MOST_CHARACTERS - self._characters]
        self._characters += len(text)
        if self._sentence is None:
            self._text += text
        else:
            self._sounding.heard.grew(self._sentence, text)
            self._sounding.tell_words(last=False)

    async def _sounds(self, sound: Sound) -> None:
        if self._sentence is None:
            if not sound.pcm:
                return
            if self._clock.conversed_until is None:
                self._clock.conversed_until = self._doors.now()
            self._deadline.reschedule(None)
            await self._doors.begins()
            self._sentence = self._sounding.heard.began()
            self._sounding.heard.grew(self._sentence, self._text)
        self._sounding.take(sound, self._sentence, self._resampler)
        self._sounding.tell_words(last=False)
        # It owes nothing while there is no room for more.
        self._deadline.reschedule(None)
        await self._sounding.room()
        self._progress()

    def _progress(self) -> None:
        self.is_useful = True
        self._deadline.reschedule(seconds_from_now(PROGRESS_SECONDS))

    def _fail(self) -> None:
        if self._clock.conversed_until is None:
            self._clock.conversed_until = self._doors.now()
        self._end(whole=False)

    def _end(self, *, whole: bool) -> None:
        if self._sentence is None:
            return
        self._sounding.finish(self._resampler)
        if whole:
            self._sounding.heard.ended(self._sentence)
        else:
            self._sounding.heard.broke_off(self._sentence)
        self._sounding.tell_words(last=False)
