"""What streams of calls have in common: who has one open, and how its results are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Generic, Protocol, TypeVar

from antiphon_providers.errors import ProviderError, Unavailable
from antiphon_providers.interfaces import Recognised


class Stream(Protocol):
    """One call's use of a provider; ``run`` does its work until it is cancelled or failed."""

    async def run(self) -> None:
        """Works for the call."""
        ...

    def end(self) -> None:
        """Ends its results; nothing is taken any more."""
        ...


AnyStream = TypeVar("AnyStream", bound=Stream)


class OpenStreams(Generic[AnyStream]):
    """The streams of a provider, from its start to its close; ``what`` it is, for an error."""

    def __init__(self, provider: str, what: str = "the recogniser") -> None:
        self._provider = provider
        self._what = what
        self._streams: set[AnyStream] = set()
        self._running = False

    def start(self) -> None:
        """Streams may be opened."""
        self._running = True

    def close(self) -> None:
        """Ends all streams."""
        self._running = False
        for stream in list(self._streams):
            stream.end()

    def check(self) -> None:
        """Raises ``Unavailable`` where none may be opened."""
        if not self._running:
            raise Unavailable(f"{self._what} is not running", provider=self._provider)

    @asynccontextmanager
    async def keep(self, stream: AnyStream) -> AsyncIterator[AnyStream]:
        """The stream, at work as long as the context lasts."""
        self._streams.add(stream)
        working = asyncio.create_task(stream.run())
        try:
            yield stream
        finally:
            self._streams.discard(stream)
            stream.end()
            working.cancel()
            await asyncio.wait({working})


class Results:
    """What one call's recogniser tells, in order, until it ends or fails."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Recognised | ProviderError | None] = asyncio.Queue()
        self.is_open = True

    def tell(self, result: Recognised) -> None:
        """The next result."""
        if self.is_open:
            self._queue.put_nowait(result)

    def end(self, failure: ProviderError | None = None) -> None:
        """There are no more; whoever iterates is told why, after what came before."""
        if self.is_open:
            self.is_open = False
            self._queue.put_nowait(failure)

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """Results until the end. Raises ``ProviderError`` where it failed."""
        while (result := await self._queue.get()) is not None:
            if isinstance(result, ProviderError):
                raise result
            yield result


async def beside(companion: Coroutine[Any, Any, None], work: Coroutine[Any, Any, None]) -> None:
    """Does the work, and the companion's until it is done."""
    other = asyncio.create_task(companion)
    try:
        await work
    finally:
        other.cancel()
        await asyncio.wait({other})


class Quiet:
    """Wakes whoever waits for ``news`` once nothing was sent for ``seconds``.

    One timer for all: that something was sent is a moment that it looks at when it is due, and
    costs no timer of its own.
    """

    def __init__(self, seconds: float, news: asyncio.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._seconds = seconds
        self._news = news
        self._is_over = False
        self._broken_at = self._loop.time()
        self._timer = self._loop.call_later(seconds, self._look)

    def broken(self) -> None:
        """Something is sent."""
        self._broken_at = self._loop.time()

    def is_over(self) -> bool:
        """Whether it lasted so long; told once, for what is sent then breaks it."""
        if not self._is_over:
            return False
        self._is_over = False
        self.broken()
        return True

    def close(self) -> None:
        """Nobody is woken any more."""
        self._timer.cancel()

    def _look(self) -> None:
        left = self._broken_at + self._seconds - self._loop.time()
        if left <= 0:
            self._is_over = True
            self._news.set()
            left = self._seconds
        self._timer = self._loop.call_later(left, self._look)
