"""What one voice says of a reply, checked: it must sound like an answer, and in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

from msgspec import Struct

from antiphon_providers.errors import Malformed, TooSlow, Unavailable
from antiphon_providers.interfaces import Sound, TextToSpeech, VoiceOptions
from antiphon_providers.resilience.resampling import Resampling
from antiphon_providers.resilience.script import Script
from antiphon_providers.resilience.spoken_sentence import Pace, SpokenSentence

LONGEST_PAUSE_MS = 15_000.0
"""A sentence may last so long, whatever it says,"""
LONGEST_LETTER_MS = 500.0
"""and so much longer for each letter: several times what any language takes."""


class Patience(Struct, frozen=True):
    """Seconds to the voice's first sound, and from one to the next."""

    first_s: float
    progress_s: float


class Recital:
    """One voice's part. ``sounds`` may be called once.

    ``number`` and ``sentence`` are the first sentence that has not ended, and ``None`` where
    nothing is known of it yet.
    """

    def __init__(self, voice: TextToSpeech, rate: int, patience: Patience, pace: Pace) -> None:
        self.number = 0
        self.sentence: SpokenSentence | None = None
        self.waited_s: float | None = None
        """How long the first sound took, once there is one."""
        self._voice = voice
        self._rate = rate
        self._patience = patience
        self._pace = pace
        self._first = 0
        self._given: list[SpokenSentence] = []
        """What the voice was asked to say, from sentence ``_first`` on."""
        self._waits = False
        """Whether the voice waits for the next sentence to be written."""
        self._since = asyncio.get_running_loop().time()
        """When the voice began to owe what it owes, or last gave some of it."""
        self._deadline = asyncio.timeout(None)
        self._resampling = Resampling(voice.rate, rate)
        self._silence = b""
        """Zeros at the beginning of a sentence, which may be all there is."""

    def begin_with(self, number: int, sentence: SpokenSentence | None) -> None:
        """Where to begin: with the rest of ``sentence``, if that broke off."""
        self.number = self._first = number
        self.sentence = sentence

    @property
    def idle_s(self) -> float:
        """How long the voice has owed something and given nothing."""
        return asyncio.get_running_loop().time() - self._since

    @property
    def is_due_s(self) -> float:
        """The same, and 0 while it owes nothing."""
        return 0.0 if self._waits and not self._owes else self.idle_s

    async def sounds(self, script: Script, options: VoiceOptions) -> AsyncGenerator[Sound, None]:
        """What it says, at the rate wanted. Raises ``ProviderError`` and what a voice's defect
        raises; what the writer raised is in the script.
        """
        spoken = self._voice.speak(self._sentences(script), options)
        try:
            while (sound := await self._next(spoken)) is not None:
                checked = self._checked(sound)
                if checked is not None:
                    yield checked
                    # While the listener had no room the voice owed nothing.
                    self._since = asyncio.get_running_loop().time()
        finally:
            close = getattr(spoken, "aclose", None)
            if close is not None:
                await close()
        if script.failure is not None:
            raise script.failure
        if self._owes or await script.get(self.number) is not None:
            raise Unavailable("the voice stopped before the end", provider=self._voice.name)

    # --- what the voice is given ---------------------------------------------------------

    async def _sentences(self, script: Script) -> AsyncIterator[str]:
        number = self._first
        while True:
            self._waits = True
            self._wait()
            try:
                text = await script.get(number)
            finally:
                self._waits = False
            if text is None:
                self._since = asyncio.get_running_loop().time()
                self._wait()
                return
            if not self._owes:
                self._since = asyncio.get_running_loop().time()
            broken = self.sentence if number == self._first else None
            self._given.append(broken or SpokenSentence(text))
            self.sentence = self._given[self.number - self._first]
            self._wait()
            yield self._given[-1].rest
            number += 1

    # --- and what it gives ---------------------------------------------------------------

    async def _next(self, spoken: AsyncIterator[Sound]) -> Sound | None:
        self._deadline = asyncio.timeout_at(self._due())
        try:
            async with self._deadline:
                return await anext(spoken)
        except StopAsyncIteration:
            return None
        except TimeoutError:
            if not self._deadline.expired():
                raise
            raise TooSlow("the voice made no sound in time", provider=self._voice.name) from None

    @property
    def _owes(self) -> bool:
        """Whether a sentence was given that has not ended."""
        return self.number - self._first < len(self._given)

    def _due(self) -> float | None:
        """The loop's time by which there must be something, or None while nothing is owed.

        A sentence that has begun may be waiting for the next one, which tells some voices that
        it is over; one that has not begun waits for nothing.
        """
        begun = self.sentence is None or not self._owes or self.sentence.is_begun
        if self._waits and begun:
            return None
        first = self.waited_s is None
        return self._since + (self._patience.first_s if first else self._patience.progress_s)

    def _wait(self) -> None:
        """What is owed has changed, perhaps while the voice is being waited for."""
        # A voice that was cut off may still ask for words: nothing is to be timed then.
        with suppress(RuntimeError):
            self._deadline.reschedule(self._due())

    def _checked(self, sound: Sound) -> Sound | None:
        """The sound as it goes out, or None while it has only begun with silence."""
        sentence = self.sentence
        if sentence is None or not self._owes or sound.sentence != self.number - self._first:
            raise self._malformed("the voice spoke a sentence out of turn")
        if len(sound.pcm) % 2:
            raise self._malformed("the voice gave half a sample")
        pcm = self._silence + sound.pcm
        is_silent = not sentence.is_begun and pcm.count(0) == len(pcm)
        if is_silent and not sound.ends:
            self._silence = pcm
            self._check_length(sentence, len(pcm) / 2 * 1000 / self._voice.rate)
            return None
        if is_silent and sentence.has_words:
            raise self._malformed("the voice made no sound")
        self._silence = b""
        return self._measured(sentence, Sound(pcm, self.number, sound.ends, sound.words))

    def _measured(self, sentence: SpokenSentence, sound: Sound) -> Sound:
        pcm = self._resampling.feed(sound.pcm)
        if sound.ends:
            pcm += self._resampling.finish()
            self._resampling = Resampling(self._voice.rate, self._rate)
        ms = len(pcm) / 2 * 1000 / self._rate
        words = sentence.sounded(ms, sound.words)
        self._check_length(sentence, sentence.ms)
        if sound.ends:
            words += sentence.ended()
            self._pace.heard(sentence.text, sentence.ms)
            self.number += 1
            at = self.number - self._first
            self.sentence = self._given[at] if at < len(self._given) else None
        if self.waited_s is None and pcm:
            self.waited_s = self.idle_s
        return Sound(pcm, sound.sentence, sound.ends, words)

    def _check_length(self, sentence: SpokenSentence, ms: float) -> None:
        if ms > LONGEST_PAUSE_MS + LONGEST_LETTER_MS * len(sentence.text):
            raise self._malformed("the voice does not end")

    def _malformed(self, message: str) -> Malformed:
        return Malformed(message, provider=self._voice.name)
