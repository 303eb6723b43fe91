"""A reply's written pieces, spoken by the text-to-speech: streaming at both ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from msgspec import Struct

from antiphon_providers.errors import Malformed, TooSlow
from antiphon_providers.interfaces import Sound, TextToSpeech, VoiceOptions
from antiphon_server.call.patience import PROGRESS_SECONDS, seconds_from_now
from antiphon_server.call.sound import Resampler
from antiphon_server.call.sounding import Sounding
from antiphon_server.call.timeline import ReplyClock
from antiphon_server.call.writing import closing


class Written(Struct, frozen=True):
    """A piece to be spoken, and its number among the sentences of the reply."""

    number: int
    text: str


Pieces = asyncio.Queue[Written | None]
"""What is to be spoken, in order; None: that was all."""


class Reading:
    """Speaks the pieces of one reply. Cancelling ``speak`` is how it stops."""

    def __init__(
        self,
        voice: TextToSpeech,
        options: VoiceOptions,
        sounding: Sounding,
        clock: ReplyClock,
        now: Callable[[], float],
    ) -> None:
        self.characters = 0
        """How many were given to the voice."""
        self._voice = voice
        self._options = options
        self._sounding = sounding
        self._clock = clock
        self._now = now
        self._deadline = asyncio.timeout(None)
        self._voice_waits = False

    async def speak(self, pieces: Pieces) -> None:
        """Until the pieces end; again, it goes on with others. Raises ``ProviderError``."""
        first = await pieces.get()
        if first is None:
            return
        voice = self._voice
        if self._clock.speech_asked is None:
            self._clock.speech_asked = self._now()
        resampler = self._sounding.resampler(voice.rate)
        sounds = voice.speak(self._texts(first, pieces), self._options)
        before = self._sounding.heard.ms
        self._deadline = asyncio.timeout(None)
        try:
            async with self._deadline, aclosing(closing(sounds)) as stream:
                self._voice_works(True)
                async for sound in stream:
                    await self._sounded(sound, first.number + sound.sentence, resampler)
        except TimeoutError:
            raise TooSlow("text-to-speech stopped speaking", provider=voice.name) from None
        self._sounding.finish(resampler)
        if self._sounding.heard.ms == before:
            raise Malformed("text-to-speech made no sound", provider=voice.name)

    async def _texts(self, first: Written, pieces: Pieces) -> AsyncIterator[str]:
        piece: Written | None = first
        while piece is not None:
            self.characters += len(piece.text)
            yield piece.text
            self._voice_works(not pieces.empty())
            piece = await pieces.get()
            self._voice_works(True)

    def _voice_works(self, works: bool) -> None:
        """Whether the next sound is the voice's to make, within ``PROGRESS_SECONDS``; it owes
        nothing while it waits for words, or for room.
        """
        self._voice_waits = not works
        # A voice that was cut off may still ask for words: nothing is to be timed then.
        with contextlib.suppress(RuntimeError):
            self._deadline.reschedule(seconds_from_now(PROGRESS_SECONDS) if works else None)

    async def _sounded(self, sound: Sound, sentence: int, resampler: Resampler) -> None:
        self._sounding.take(sound, sentence, resampler)
        if sound.ends:
            self._sounding.heard.ended(sentence)
            # Words are of no sound as long as there is none.
            if self._clock.first_sound is not None:
                self._sounding.tell_words(last=False)
        if not self._voice_waits:
            self._voice_works(False)
            await self._sounding.room()
            self._voice_works(True)
        else:
            await self._sounding.room()
