"""A voice that hums: a tone as long as the text would take to say."""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct

from antiphon_providers.interfaces import Sound, VoiceOptions, Word
from antiphon_providers.scripted.desk import Closed, Desk, Fault
from antiphon_providers.scripted.tones import sine, tone_of

_REMEMBERED_SENTENCES = 100
_HUM_HZ = 220
_NUMBER = re.compile(r"\d+")


class TextToSpeechScript(Struct, frozen=True, forbid_unknown_fields=True):
    """How the scripted voice behaves."""

    rate: Annotated[int, Meta(ge=8000, le=48000, description="Samples per second.")] = 24_000
    ms_per_character: Annotated[float, Meta(gt=0, description="Of speech.")] = 60
    chunk_ms: Annotated[int, Meta(ge=5, le=5000, description="Of speech in one sound.")] = 40
    first_sound_ms: Annotated[
        float, Meta(ge=0, description="Milliseconds from a sentence to its first sound.")
    ] = 0
    real_time_factor: Annotated[
        float, Meta(ge=0, description="Time taken for a second of speech, in seconds.")
    ] = 0
    word_times: Annotated[bool, Meta(description="Whether it says when each word is.")] = True
    mode: Annotated[
        Literal["hum", "echo"],
        Meta(description="`echo`: sounds the number in the sentence, as `tones.tone_of`."),
    ] = "hum"
    fault: Annotated[str, Meta(description="See `Fault.parse`; counts sounds.")] = ""

    def __post_init__(self) -> None:
        Fault.parse(self.fault)


class ScriptedTextToSpeech:
    """Every character takes the same time, so the times of its words are exact.

    ``sing`` in the constructor replaces the tone: from a sentence to its int16 mono PCM at
    ``rate``. The sentences last spoken are in ``spoken``, the voices in ``voices``.
    """

    Options = TextToSpeechScript
    name = "scripted"

    def __init__(
        self,
        options: TextToSpeechScript | None = None,
        *,
        sing: Callable[[str], bytes] | None = None,
    ) -> None:
        self.options = options or TextToSpeechScript()
        self.rate = self.options.rate
        self.desk = Desk(self.name, Fault.parse(self.options.fault))
        self.spoken: deque[str] = deque(maxlen=_REMEMBERED_SENTENCES)
        self.voices: deque[str] = deque(maxlen=_REMEMBERED_SENTENCES)
        self._sing = sing or (self._sung_number if self.options.mode == "echo" else self._hummed)
        # A second of a whole number of hertz repeats without a seam.
        self._hum = sine(_HUM_HZ, 1000, self.rate)

    async def start(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """Running speech ends, at the latest with its next sentence."""
        self.desk.shut()

    async def speak(
        self, sentences: AsyncIterator[str], options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """The sentences' sound, one sentence after the other, each when it is due."""
        with self.desk.stream() as stream:
            self.voices.append(options.voice)
            number = -1
            seconds = self.options.chunk_ms / 1000 * self.options.real_time_factor
            try:
                await stream.open()
                async for sentence in sentences:
                    number += 1
                    self.spoken.append(sentence)
                    due = asyncio.get_running_loop().time() + self.options.first_sound_ms / 1000
                    for sound in self._sounds(number, "" if stream.empty else sentence):
                        await stream.result(due)
                        yield sound
                        due += seconds
            except Closed:
                return

    def _sounds(self, number: int, sentence: str) -> Iterator[Sound]:
        pcm = self._sing(sentence)
        words = self._words(sentence) if self.options.word_times else []
        step = self.rate * self.options.chunk_ms // 1000 * 2
        for at in range(0, max(len(pcm), 1), step):
            chunk = pcm[at : at + step]
            ends = at + step >= len(pcm)
            reached_ms = (at + len(chunk)) // 2 * 1000 / self.rate
            known = len([word for word in words if ends or word.start_ms < reached_ms])
            yield Sound(chunk, number, ends, tuple(words[:known]))
            del words[:known]

    def _words(self, sentence: str) -> list[Word]:
        each = self.options.ms_per_character
        return [
            Word(word.group(), round(word.start() * each), round(word.end() * each))
            for word in re.finditer(r"\S+", sentence.rstrip())
        ]

    def _duration_ms(self, sentence: str) -> float:
        return len(sentence.rstrip()) * self.options.ms_per_character

    def _hummed(self, sentence: str) -> bytes:
        samples = round(self._duration_ms(sentence) * self.rate / 1000)
        seconds = samples // self.rate + 1
        return (self._hum * seconds)[: samples * 2]

    def _sung_number(self, sentence: str) -> bytes:
        number = _NUMBER.search(sentence)
        if number is None:
            return self._hummed(sentence)
        return tone_of(int(number.group()), self._duration_ms(sentence), self.rate)
