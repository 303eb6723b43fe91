"""The caller's microphone: words and silence, frame by frame, at the pace of speech."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from antiphon_protocol.audio import Encoding
from simulation import words


class Microphone:
    """Sends what is said, and between that nothing, or silence where it ``streams``."""

    def __init__(
        self, encoding: Encoding, chunk_ms: int, send: Callable[[str], None], *, streams: bool
    ) -> None:
        self._encoding = encoding
        self._chunk_ms = chunk_ms
        self._send = send
        self._streams = streams
        self._pending: deque[str] = deque()
        self._wanted = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._next_word = 0
        self.is_voiced = False
        """Whether a word is being sent."""
        self.said: list[int] = []
        """The numbered words that were begun."""

    @property
    def is_idle(self) -> bool:
        """Whether all that was to be said, and the silence after it, was sent."""
        return self._idle.is_set()

    async def run(self) -> None:
        """Sends until cancelled."""
        while True:
            if not self._pending:
                self.is_voiced = False
                self._idle.set()
                self._wanted.clear()
                if not self._streams:
                    await self._wanted.wait()
            name = self._pending.popleft() if self._pending else ""
            self.is_voiced = bool(name)
            self._send(words.frame_of(name, self._chunk_ms, self._encoding))
            await asyncio.sleep(self._chunk_ms / 1000)

    async def say(self, count: int, silence_ms: int) -> None:
        """So many new words, as far as there are any; returns after the silence."""
        last = min(self._next_word + count, words.MOST_WORDS)
        numbers = range(self._next_word, last)
        self._next_word = last
        self.said += numbers
        await self._play([words.name_of(number) for number in numbers], silence_ms)

    async def hum(self, seconds: float) -> None:
        """One new word, drawn out."""
        names = [words.name_of(self._next_word)] if self._next_word < words.MOST_WORDS else []
        self._next_word += len(names)
        await self._play(names * round(1000 * seconds / words.WORD_MS), 600)

    async def nod(self, name: str) -> None:
        """A word that only shows that the caller listens."""
        await self._play([name], 400)

    async def _play(self, names: list[str], silence_ms: int) -> None:
        for name in names:
            self._pending.extend([name] * (words.WORD_MS // self._chunk_ms))
        self._pending.extend([""] * max(1, silence_ms // self._chunk_ms))
        self._idle.clear()
        self._wanted.set()
        await self._idle.wait()
