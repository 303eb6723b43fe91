"""A model that hears and speaks, whose every piece and pause is a test's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager

from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import (
    ConversationOptions,
    Prompt,
    Recognised,
    Said,
    Sound,
    SpeechStream,
    SpokenPiece,
)
from antiphon_providers.scripted import ScriptedSpeechToText
from server.call.scripted_call import stt

RATE = 24_000

Step = SpokenPiece | float | Exception
"""What it does next: gives a piece, waits so many seconds, fails."""


def pcm(ms: float) -> bytes:
    """So much of its sound."""
    return b"\1\2" * round(RATE * ms / 1000)


def spoken(text: str, *, ms_per_character: float = 60, ahead: bool = True) -> list[Step]:
    """A text and its sound, in pieces of a word: the text first, or each word with its sound."""
    words = [f"{word} " for word in text.split()]
    sounds = [Sound(pcm(len(word) * ms_per_character), 0) for word in words]
    if ahead:
        return [*(Said(word) for word in words), *sounds, Sound(b"", 0, ends=True)]
    both = zip(words, sounds, strict=True)
    return [*(step for word, sound in both for step in (Said(word), sound)), Sound(b"", 0, True)]


class SpokenTwin:
    """Hears as a scripted recogniser does, and answers with ``answers`` in turn."""

    name = "spoken"
    rate = RATE

    def __init__(
        self, *answers: Sequence[Step], hearing: ScriptedSpeechToText | None = None
    ) -> None:
        self.hearing = hearing or stt()
        self.answers = list(answers)
        self.prompts: list[Prompt] = []
        self.asked: list[ConversationOptions] = []
        self.refuses: ProviderError | None = None
        """Why it does not open."""
        self.opening_seconds = 0.0
        self.open_conversations = 0
        self.running = 0
        self.most_running = 0

    async def start(self) -> None:
        """There is nothing to load."""

    async def close(self) -> None:
        """Nothing is kept."""

    @asynccontextmanager
    async def open(self, options: ConversationOptions) -> AsyncIterator[TwinConversation]:
        """The conversation of one call."""
        self.asked.append(options)
        await asyncio.sleep(self.opening_seconds)
        if self.refuses is not None:
            raise self.refuses
        async with self.hearing.open(options.hearing) as stream:
            self.open_conversations += 1
            try:
                yield TwinConversation(self, stream)
            finally:
                self.open_conversations -= 1


class TwinConversation:
    """One call's."""

    def __init__(self, owner: SpokenTwin, stream: SpeechStream) -> None:
        self._owner = owner
        self._stream = stream

    def feed(self, audio: bytes) -> None:
        """As the recogniser."""
        self._stream.feed(audio)

    def flush(self) -> None:
        """As the recogniser."""
        self._stream.flush()

    def __aiter__(self) -> AsyncIterator[Recognised]:
        """As the recogniser."""
        return self._stream.__aiter__()

    async def reply(self, prompt: Prompt) -> AsyncGenerator[SpokenPiece, None]:
        """The next answer."""
        owner = self._owner
        owner.prompts.append(prompt)
        steps = owner.answers.pop(0) if owner.answers else spoken("That was all.")
        owner.running += 1
        owner.most_running = max(owner.most_running, owner.running)
        try:
            for step in steps:
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, float):
                    await asyncio.sleep(step)
                else:
                    yield step
        finally:
            # A vendor is told to stop, which takes a moment.
            await asyncio.sleep(0)
            owner.running -= 1
