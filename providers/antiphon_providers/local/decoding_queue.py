"""Threads that decode speech for all calls, the most urgent first.

Each thread has a recogniser of its own: one recogniser given to two threads mixes their
callers' words.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable
from enum import IntEnum
from queue import PriorityQueue
from typing import Protocol


class Urgency(IntEnum):
    """What goes before what."""

    FINAL = 0
    """A caller has paused and waits for an answer."""
    SETTLED = 1
    """The earlier part of a long segment."""
    LOOK = 2
    """Words while they are spoken."""
    END = 3
    """No work: the thread ends."""


class Hears(Protocol):
    """A recogniser."""

    def words(self, pcm: bytes) -> str:
        """What is said. Raises what it likes."""
        ...

    def close(self) -> None:
        """Frees it."""
        ...


class Decoding:
    """One piece of audio on its way to words.

    ``done`` is called on the event loop with the words or the failure, unless the decoding was
    cancelled before; a cancelled one that has not begun is never begun.
    """

    def __init__(self, pcm: bytes, done: Callable[[Decoding, str | Exception], None]) -> None:
        self.pcm = pcm
        self._done = done
        self._wanted = True
        self.has_begun = False

    @property
    def is_wanted(self) -> bool:
        """Whether anybody waits for it."""
        return self._wanted

    def cancel(self) -> None:
        """Nobody waits any more."""
        self._wanted = False

    def answer(self, words: str | Exception) -> None:
        """Tells the result, on the event loop."""
        if self._wanted:
            self._done(self, words)


class DecodingQueue:
    """The threads and what waits for them."""

    def __init__(self, recognisers: list[Hears], loop: asyncio.AbstractEventLoop) -> None:
        self.decoded = 0
        self._loop = loop
        self._order = itertools.count()
        self._waiting: PriorityQueue[tuple[Urgency, int, Decoding | None]] = PriorityQueue()
        self._threads = [
            threading.Thread(target=self._work, args=(one,), name=f"moonshine-{n}", daemon=True)
            for n, one in enumerate(recognisers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def is_free(self) -> bool:
        """Whether nothing waits."""
        return self._waiting.empty()

    def put(self, decoding: Decoding, urgency: Urgency) -> None:
        """Adds to what waits."""
        self._waiting.put((urgency, next(self._order), decoding))

    def close(self) -> None:
        """Ends the threads once what is not cancelled is done; blocks until then."""
        for _ in self._threads:
            self._waiting.put((Urgency.END, next(self._order), None))
        for thread in self._threads:
            thread.join()

    def _work(self, recogniser: Hears) -> None:
        while True:
            _, _, decoding = self._waiting.get()
            if decoding is None:
                recogniser.close()
                return
            if not decoding.is_wanted:
                continue
            decoding.has_begun = True
            answer: str | Exception
            try:
                answer = recogniser.words(decoding.pcm)
            except Exception as failure:  # noqa: BLE001 - told to the stream that asked.
                answer = failure
            self.decoded += 1
            try:
                self._loop.call_soon_threadsafe(decoding.answer, answer)
            except RuntimeError:  # The loop is gone, and so is whoever asked.
                return
