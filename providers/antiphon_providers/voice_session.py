"""What connections to voices have in common, whatever they say to their vendor.

A session has an ``Outbox``, whose texts go out in order, and a ``Deadline`` for whatever is due
next; ``both`` runs its two halves, the one that sends and the one that listens.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from msgspec import Struct

from antiphon_providers.errors import ProviderError
from antiphon_providers.vendor_socket import VendorSocket

RATE = 24_000
"""Samples per second of the PCM that is asked for."""
MAX_PCM = RATE * 2 * 600
"""Bytes of one sentence: ten minutes."""
OLDEST_S = 3300.0
"""No session is used for longer: vendors, and proxies, end one after an hour, and no speech
should begin just before.
"""


class Deadlines(Struct, frozen=True):
    """How patient to be with a sentence, in ms: until its first sound, and until the next."""

    first_ms: int
    progress_ms: int


def has_words(sentence: str) -> bool:
    """Whether there is anything to say: marks and white space are no words, digits are."""
    return any(character.isalnum() for character in sentence)


class Samples:
    """PCM of int16 that comes in pieces of any length; ``received`` counts its bytes."""

    def __init__(self) -> None:
        self.received = 0
        self._half = b""

    def take(self, pcm: bytes) -> bytes:
        """The whole samples that are complete by now."""
        self.received += len(pcm)
        pcm = self._half + pcm
        whole = len(pcm) // 2 * 2
        self._half = pcm[whole:]
        return pcm[:whole]


class Deadline:
    """Something must come within some time, or ``late`` is called with it, in ms."""

    def __init__(self, late: Callable[[int], None]) -> None:
        self._late = late
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        """Whether anything is due."""
        return self._timer is not None

    def set(self, ms: int | None) -> None:
        """It must come within so long from now; None where nothing is due."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if ms is not None:
            self._timer = asyncio.get_running_loop().call_later(ms / 1000, self._late, ms)


class Outbox:
    """What is to be said to the vendor, until it is closed."""

    def __init__(self) -> None:
        self._texts: deque[str] = deque()
        self._news = asyncio.Event()
        self._is_finished = self._is_closed = False

    def put(self, text: str) -> None:
        """Sends a text, later."""
        self._texts.append(text)
        self._news.set()

    def clear(self) -> None:
        """Forgets what was not sent yet."""
        self._texts.clear()

    def finish(self) -> None:
        """What waits is the last that is sent."""
        self._is_finished = True
        self._news.set()

    def close(self) -> None:
        """Nothing is sent any more."""
        self._is_closed = True
        self._news.set()

    async def deliver(
        self, socket: VendorSocket, idle_s: float, idle: Callable[[], str | None]
    ) -> None:
        """Sends what is put, in order, until it is closed or the connection fails.

        ``idle`` is called whenever nothing was put for so long, and says what to send then.
        """
        with suppress(ProviderError):  # Whoever listens meets the same failure and tells it.
            while not self._is_closed:
                try:
                    async with asyncio.timeout(idle_s):
                        await self._news.wait()
                except TimeoutError:
                    if (text := idle()) is not None:
                        self._texts.append(text)
                self._news.clear()
                while self._texts and not self._is_closed:
                    await socket.send(self._texts.popleft())
                if self._is_finished:
                    return


async def both(*halves: Coroutine[Any, Any, None]) -> None:
    """Runs the halves of a session until one of them ends; then the other is cancelled."""
    tasks = {asyncio.create_task(half) for half in halves}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
