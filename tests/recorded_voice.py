"""Real voices, recorded when a test runs, whose true word times are known.

The embedded engines speak a few texts once, outside of virtual time. ``RecordedVoice`` then
gives that sound as fast or slowly as it is told, with the words' times or without.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from msgspec import Struct

from antiphon_providers.interfaces import Sound, VoiceOptions, Word
from antiphon_providers.local.espeak import Espeak
from antiphon_providers.local.flite import Flite
from antiphon_server.conversation.sentences import Sentences

CHUNK_MS = 40

TEXTS = (
    (
        "Welcome back, Jordan. You have three new messages and one reminder. The first message is "
        "from your landlord, who says that the plumber is coming on Wednesday between 8 and 11 in "
        "the morning; someone has to be at home. Shall I read you the others as well?"
    ),
    (
        "I found two Italian restaurants near you. Trattoria Bella is on Market Street, about ten "
        "minutes on foot, and has a table for four at 7:45. Luigi's is closer, but they are full "
        "until nine o'clock. Which one do you want?"
    ),
    (
        "Your balance is $2,318.07. The last payment, 64 dollars and 20 cents to Northern Energy, "
        "went out on October 30th. No other payments are waiting."
    ),
    (
        "Right. So, first of all, don't worry. It happens a lot. Is it on? Good. Now press and "
        "hold the left one, yes, that one, until it beeps. Did it beep? Wonderful. You are all set."
    ),
    (
        "Electromagnetic compatibility describes whether neighbouring equipment operates "
        "satisfactorily without introducing intolerable disturbances. Manufacturers demonstrate "
        "conformity through standardised measurements, usually commissioned from an independent "
        "laboratory."
    ),
    (
        "To confirm, that is reference K L 5 0 9 2, for Maria Gonzalez, arriving on the 14th of "
        "May and leaving on the 18th. The NHS number ends in 6 6 1. We will send a text to your "
        "phone, and an e-mail too, within 30 minutes."
    ),
)
"""Not among those on which ``speech_length`` was fitted."""


class Piece(Struct, frozen=True):
    """What a voice made of one sentence: int16 PCM and when each word sounds, from its start."""

    text: str
    pcm: bytes
    words: tuple[Word, ...]


class Recording(Struct, frozen=True):
    """One text spoken by one voice."""

    voice: str
    text: str
    rate: int
    pieces: tuple[Piece, ...]

    @property
    def ms(self) -> float:
        """How long it is."""
        return sum(len(piece.pcm) for piece in self.pieces) / 2 * 1000 / self.rate

    def words_out(self, played_ms: float) -> int:
        """How many words were out by then: those of which half was."""
        begins_ms, out = 0.0, 0
        for piece in self.pieces:
            out += sum(
                begins_ms + (word.start_ms + word.end_ms) / 2 <= played_ms for word in piece.words
            )
            begins_ms += len(piece.pcm) / 2 * 1000 / self.rate
        return out


class RecordedVoice:
    """A text-to-speech provider that knows one text."""

    name = "recorded"

    def __init__(
        self, recording: Recording, *, word_times: bool, real_time_factor: float = 0.0
    ) -> None:
        self.rate = recording.rate
        self._pieces = {piece.text: piece for piece in recording.pieces}
        self._word_times = word_times
        self._seconds = CHUNK_MS / 1000 * real_time_factor

    async def start(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """There is nothing to release."""

    async def speak(
        self, sentences: AsyncIterator[str], _options: VoiceOptions
    ) -> AsyncGenerator[Sound, None]:
        """The recorded sound, in chunks of 40 ms, each with the words that begin in it."""
        number = -1
        async for text in sentences:
            number += 1
            piece = self._pieces[text]
            words = list(piece.words) if self._word_times else []
            step = self.rate * CHUNK_MS // 1000 * 2
            for at in range(0, len(piece.pcm), step):
                await asyncio.sleep(self._seconds)
                chunk = piece.pcm[at : at + step]
                ends = at + step >= len(piece.pcm)
                reached_ms = (at + len(chunk)) / 2 * 1000 / self.rate
                known = [word for word in words if ends or word.start_ms < reached_ms]
                del words[: len(known)]
                yield Sound(chunk, number, ends, tuple(known))


async def recordings() -> list[Recording]:
    """Each text by a speaker of each engine."""
    made: list[Recording] = []
    speakers: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (Flite(), ("alba", "charles", "paul")),
        (Espeak(), ("alba", "george")),
    )
    for engine, voices in speakers:
        await engine.start()
        for number, text in enumerate(TEXTS):
            made.append(await _recorded(engine, voices[number % len(voices)], text))
        await engine.close()
    return made


async def _recorded(engine: Any, voice: str, text: str) -> Recording:
    sentences = Sentences()
    texts = [*sentences.feed(text), *sentences.finish()]

    async def written() -> AsyncIterator[str]:
        for one in texts:
            yield one

    pcm = [bytearray() for _ in texts]
    words: list[list[Word]] = [[] for _ in texts]
    async for sound in engine.speak(written(), VoiceOptions(voice)):
        pcm[sound.sentence] += sound.pcm
        words[sound.sentence] += sound.words
    pieces = tuple(
        Piece(one, bytes(pcm[number]), tuple(words[number])) for number, one in enumerate(texts)
    )
    return Recording(f"{engine.name} {voice}", text, engine.rate, pieces)
