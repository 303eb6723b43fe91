"""The sound of one reply on its way out, whoever makes it, and the words with it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from msgspec import Struct

from antiphon_providers.interfaces import Sound
from antiphon_server.call.outbox import Outbox, Playback
from antiphon_server.call.settings import CallSettings
from antiphon_server.call.sound import Resampler, Samples, amplify, encode
from antiphon_server.call.timeline import ReplyClock
from antiphon_server.conversation.heard import Heard, TimedWord


class SoundingDoors(Struct, frozen=True):
    """How sound and its words leave a reply."""

    outbox: Outbox
    now: Callable[[], float]
    words_timed: Callable[[list[TimedWord], bool], None]
    """Takes the next words, and whether they are the last."""


class Sounding:
    """One reply's sound. ``heard`` is the ledger of its words."""

    def __init__(
        self, settings: CallSettings, clock: ReplyClock, playback: Playback, doors: SoundingDoors
    ) -> None:
        self.heard = Heard()
        self.playback = playback
        self._settings = settings
        self._clock = clock
        self._doors = doors
        self._held: list[TimedWord] = []
        self.told: list[TimedWord] = []
        """Words whose times were told."""

    def resampler(self, rate: int) -> Resampler:
        """For the samples of one that makes sound at this rate."""
        return Resampler(rate, self._settings.output.rate, "LQ")

    def take(self, sound: Sound, sentence: int, resampler: Resampler) -> None:
        """The next sound of a sentence of the ledger; a sound without samples may bring words."""
        if sound.pcm and self._clock.first_sound is None:
            self._clock.first_sound = self._doors.now()
        samples = np.frombuffer(sound.pcm, "<i2")
        words = tuple(TimedWord(word.text, word.start_ms, word.end_ms) for word in sound.words)
        self.heard.sounded(sentence, 1000 * len(samples) / resampler.rate_in, words)
        self._play(resampler.feed(samples))

    def finish(self, resampler: Resampler) -> None:
        """The one whose sound it brought to the reply's rate makes no more."""
        self._play(resampler.finish())

    async def room(self) -> None:
        """Returns when more sound is wanted."""
        await self.playback.room()

    def tell_words(self, *, last: bool) -> None:
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
        untold = text.split()[len(self.told) :]
        times = self.heard.words()[len(self.told) :]
        self._held = []
        pairs = zip(untold, times, strict=False)
        words = [TimedWord(word, timed.start_ms, timed.end_ms) for word, timed in pairs]
        self._tell(words, last=True)

    def _tell(self, words: list[TimedWord], *, last: bool) -> None:
        self.told += words
        if words:
            self._doors.words_timed(words, last)

    def _play(self, samples: Samples) -> None:
        if len(samples):
            loud = amplify(samples, self._settings.volume)
            self._doors.outbox.play(self.playback, encode(loud, self._settings.output))
