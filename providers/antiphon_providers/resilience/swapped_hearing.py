"""One call's recogniser, which may be changed between two segments."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from antiphon_providers.errors import ProviderError, Unavailable
from antiphon_providers.interfaces import (
    HearingOptions,
    Recognised,
    SpeechStream,
    SpeechToText,
)
from antiphon_providers.resilience.line import Line, LineDoors
from antiphon_providers.resilience.unanswered import Unanswered


class Recognisers(Protocol):
    """Who hears now."""

    @property
    def current(self) -> SpeechToText:
        """The recogniser for new segments."""
        ...

    def enter(self) -> SpeechToText:
        """The same, in use until ``leave``."""
        ...

    def leave(self, provider: SpeechToText) -> None:
        """It is not used any more."""
        ...


class Turns(Protocol):
    """What else must be over before another recogniser may take over."""

    def heard(self, result: Recognised) -> None:
        """Something was recognised; told before it is asked whether all is over."""
        ...

    def are_over(self) -> bool:
        """Whether nothing is under way."""
        ...


class _NoTurns:
    """Recognisers answer nobody."""

    def heard(self, result: Recognised) -> None:
        pass

    def are_over(self) -> bool:
        return True


class _Post:
    """A line, and whose it is."""

    def __init__(self, provider: SpeechToText, line: Line) -> None:
        self.provider = provider
        self.line = line


class SwappableSpeechStream:
    """Hears with one recogniser, and after ``move`` with another as soon as nothing is pending.

    Where the old one breaks off first, the new one hears again what was not answered. Where
    the new one does not open, the old one goes on, and it is tried again after each answer.
    """

    def __init__(
        self, recognisers: Recognisers, options: HearingOptions, turns: Turns | None = None
    ) -> None:
        self._recognisers = recognisers
        self._turns = turns or _NoTurns()
        self._options = options
        self._doors = LineDoors(self._line_opened, self._recognised, self._broke)
        self._unanswered = Unanswered()
        self._results: asyncio.Queue[Recognised | Exception | None] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._next: _Post | None = None
        self._current: _Post | None = self._enter()
        self._left = False

    def feed(self, pcm: bytes) -> None:
        """Takes speech, and remembers it until it is answered."""
        self._unanswered.feed(pcm)
        if self._current is not None:
            self._current.line.feed(pcm)

    def flush(self) -> None:
        """Asks for the final words."""
        self._unanswered.flush(0.0)
        if self._current is not None:
            self._current.line.flush()

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """Results in order, until the stream is closed. Raises ``ProviderError``."""
        while (result := await self._results.get()) is not None:
            if isinstance(result, Exception):
                raise result
            yield result

    @property
    def current(self) -> tuple[SpeechToText, SpeechStream] | None:
        """The recogniser that hears and its stream; None where there is none at the moment."""
        post = self._current
        if post is None or post.line.stream is None:
            return None
        return post.provider, post.line.stream

    def settle(self) -> None:
        """Something else is over: the other recogniser takes over, if there is one."""
        if self._is_between():
            self._take_over()
            self.move()

    async def opened(self) -> None:
        """Returns when somebody hears. Raises ``ProviderError``."""
        await self._ready

    def move(self) -> None:
        """There may be another recogniser: it is opened, and takes over as soon as may be."""
        wanted, current = self._recognisers.current, self._current
        if self._next is not None and self._next.provider is not wanted:
            self._next.line.close()
            self._next = None
        if self._left or (current is not None and current.provider is wanted):
            return
        if self._next is None:
            self._next = self._enter()

    async def leave(self) -> None:
        """Ends it, and returns when all streams are left."""
        self._left = True
        for post in (self._current, self._next):
            if post is not None:
                post.line.close()
        self._current = self._next = None
        self._results.put_nowait(None)
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _enter(self) -> _Post:
        provider = self._recognisers.enter()
        line = Line(provider, self._options, None, self._doors)
        self._tasks.add(line.task)

        def over(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            self._recognisers.leave(provider)

        line.task.add_done_callback(over)
        return _Post(provider, line)

    def _line_opened(self, line: Line) -> None:
        if self._current is None:
            self._take_over()
        elif self._current.line is line:
            if not self._ready.done():
                self._ready.set_result(None)
        elif self._is_between():
            self._take_over()

    def _is_between(self) -> bool:
        return not self._left and self._unanswered.is_empty and self._turns.are_over()

    def _take_over(self) -> None:
        if self._next is None or self._next.line.stream is None:
            return
        old, self._current, self._next = self._current, self._next, None
        if old is not None:
            old.line.close()
        stream = self._current.line.stream
        if not self._ready.done():
            self._ready.set_result(None)
        try:
            if stream is not None:
                self._unanswered.replay(stream)
        except Exception as error:  # noqa: BLE001 - a provider's defect is its failure
            self._current.line.fail(error)

    def _recognised(self, line: Line, result: Recognised) -> None:
        if self._current is None or self._current.line is not line:
            return
        self._results.put_nowait(result)
        self._turns.heard(result)
        if result.flushed:
            self._unanswered.answered()
            self.settle()

    def _broke(self, line: Line, error: Exception) -> None:
        if self._next is not None and self._next.line is line:
            self._next = None
            if self._current is None:
                self._fail(error)
        elif self._current is not None and self._current.line is line:
            self._current = None
            if self._next is None:
                self._fail(error)
            else:
                self._take_over()

    def _fail(self, error: Exception) -> None:
        failure = error if isinstance(error, ProviderError) else _defect(error)
        if self._ready.done():
            self._results.put_nowait(failure)
        else:
            self._ready.set_exception(failure)


def _defect(error: Exception) -> Unavailable:
    failure = Unavailable(f"the recogniser failed with {type(error).__name__}")
    failure.__cause__ = error
    return failure
