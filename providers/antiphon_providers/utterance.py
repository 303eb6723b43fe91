"""Sentences to sound in order, each begun while the one before is still being consumed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import NamedTuple

from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import Sound, Word

_AHEAD = 2
"""Sentences that are made or wait: the one that is consumed and the next."""


class Chunk(NamedTuple):
    """The next audio of an utterance and the words whose times are known by now."""

    pcm: bytes
    words: tuple[Word, ...] = ()
    ends: bool = False


class Utterance:
    """One sentence being made elsewhere, in a thread or another process.

    ``put`` and ``fail`` are called on the event loop by whoever makes it, until ``is_wanted``
    is False.
    """

    def __init__(self) -> None:
        self._chunks: asyncio.Queue[Chunk | ProviderError] = asyncio.Queue()
        self._wanted = True
        self._stop: Callable[[], object] = lambda: None

    @property
    def is_wanted(self) -> bool:
        """Whether anybody still listens; may be read from any thread."""
        return self._wanted

    def stops_with(self, stop: Callable[[], object]) -> None:
        """What else to do when it is not wanted any more."""
        self._stop = stop

    def put(self, chunk: Chunk) -> None:
        """The next audio."""
        if self._wanted:
            self._chunks.put_nowait(chunk)

    def fail(self, failure: ProviderError) -> None:
        """There will be no more."""
        self._chunks.put_nowait(failure)

    def cancel(self) -> None:
        """Nobody listens any more."""
        if self._wanted:
            self._wanted = False
            self._stop()

    async def next(self) -> Chunk:
        """Its next audio; there is none after one that ends it. Raises ``ProviderError``."""
        chunk = await self._chunks.get()
        if isinstance(chunk, ProviderError):
            raise chunk
        return chunk


class _Begun:
    """Utterances in order, at most ``_AHEAD`` at a time."""

    def __init__(self, sentences: AsyncIterator[str], say: Callable[[str], Utterance]) -> None:
        self._sentences = sentences
        self._say = say
        self._room = asyncio.Semaphore(_AHEAD)
        self._queue: asyncio.Queue[Utterance | BaseException | None] = asyncio.Queue()
        self._wanted: set[Utterance] = set()
        self._task = asyncio.create_task(self._begin())

    async def next(self) -> Utterance | None:
        """The next; None after the last. Raises what the sentences or the voice raised."""
        utterance = await self._queue.get()
        if isinstance(utterance, BaseException):
            raise utterance
        return utterance

    def done(self, utterance: Utterance) -> None:
        """It was consumed: another may begin."""
        self._wanted.discard(utterance)
        self._room.release()

    async def close(self) -> None:
        """Stops all that was begun."""
        for utterance in self._wanted:
            utterance.cancel()
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _begin(self) -> None:
        try:
            await self._room.acquire()
            async for sentence in self._sentences:
                utterance = self._say(sentence)
                self._wanted.add(utterance)
                self._queue.put_nowait(utterance)
                await self._room.acquire()
            self._queue.put_nowait(None)
        except Exception as failure:  # noqa: BLE001 - raised again where the sound is awaited.
            self._queue.put_nowait(failure)


async def in_turn(
    sentences: AsyncIterator[str], say: Callable[[str], Utterance]
) -> AsyncGenerator[Sound, None]:
    """The sound of all sentences; leaving the iteration stops what is being made."""
    begun = _Begun(sentences, say)
    number = 0
    try:
        while (utterance := await begun.next()) is not None:
            chunk = Chunk(b"")
            while not chunk.ends:
                chunk = await utterance.next()
                yield Sound(chunk.pcm, number, chunk.ends, chunk.words)
            begun.done(utterance)
            number += 1
    finally:
        await begun.close()
