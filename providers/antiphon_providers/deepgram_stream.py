"""One call's connection to one of Deepgram's recognisers: audio up, results down.

What the two wires have in common is here; in what they differ is their ``Tongue``. Audio goes
up as binary messages of ``frame_ms``, in order with what the vendor is told between them. An
answer to each flush is certain: the vendor's, or after ``final_ms`` what is known by then.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Protocol

from antiphon_providers.deepgram_segments import Segments, Told
from antiphon_providers.deepgram_wire import Wire, frame
from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import HEARING_RATE, Recognised
from antiphon_providers.loudness import loudness

_BYTES_PER_MS = HEARING_RATE * 2 // 1000
_KEEP_ALIVE_S = 4.0
"""Without audio: the vendor says 3 to 5 s, and ends a connection after 10 s."""
_LONGEST_WAIT_MS = 60_000
"""Of audio that waits for a network that does not take it; what is later is lost anyway."""


class Tongue(Protocol):
    """One of the wires, for one connection."""

    @property
    def frame_ms(self) -> int:
        """How much audio goes into a message."""
        ...

    @property
    def settle_s(self) -> float:
        """See ``Segments``."""
        ...

    @property
    def keep_alive(self) -> str | None:
        """What keeps a connection without audio; None: silence does."""
        ...

    @property
    def end(self) -> str:
        """What ends a segment."""
        ...

    @property
    def pad_ms(self) -> int | None:
        """Silence that follows a segment which is ended only when all of it was heard, and
        before which nothing of the next is sent. None where ``end`` covers what was sent.
        """
        ...

    def told(self, said: dict[str, Any]) -> Told | None:
        """What a frame says; None where nothing of interest. Raises ``ValueError``."""
        ...


class DeepgramStream:
    """One call's recogniser. Use it as a context; everything happens on the event loop."""

    def __init__(self, wire: Wire, tongue: Tongue, final_ms: int, *, partials: bool) -> None:
        self._wire = wire
        self._tongue = tongue
        self._final_s = final_ms / 1000
        self._frame_bytes = tongue.frame_ms * _BYTES_PER_MS
        self._segments = Segments(partials=partials, settle_s=tongue.settle_s)
        self._results: asyncio.Queue[Recognised | ProviderError | None] = asyncio.Queue()
        # A number is that of a segment, before whose answer nothing else is sent.
        self._outbox: deque[str | bytes | int] = deque()
        self._news = asyncio.Event()
        self._held = bytearray()
        self._queued_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._is_open = True

    async def __aenter__(self) -> DeepgramStream:
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._listen())]
        return self

    async def __aexit__(self, kind: object, *_error: object) -> None:
        self.end()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        if kind is None:
            # Whether it is heard does not matter: the close that follows ends it too.
            with suppress(ProviderError):
                await self._wire.socket.send(frame("CloseStream"))

    def feed(self, pcm: bytes) -> None:
        """Takes int16 mono PCM at 16 kHz, any length."""
        if not self._is_open:
            return
        self._held += pcm
        while len(self._held) >= self._frame_bytes:
            self._queue(bytes(self._held[: self._frame_bytes]))
            del self._held[: self._frame_bytes]

    def flush(self) -> None:
        """The segment is complete: what is not final yet is asked for.

        Answered at once where nothing can be added to what is known.
        """
        if not self._is_open:
            return
        if len(self._held) > 1:
            self._queue(bytes(self._held[: len(self._held) // 2 * 2]))
        self._held.clear()
        pad_ms = self._tongue.pad_ms
        was_fed, is_silent = self._segments.fed, self._segments.is_silent
        if pad_ms and not is_silent:
            for _ in range(0, pad_ms, self._tongue.frame_ms):
                self._queue(bytes(self._frame_bytes))
        now = asyncio.get_running_loop().time()
        results = self._segments.flush(self._queued_s, now, self._final_s)
        if pad_ms and not is_silent:
            self._put(was_fed)
        elif not is_silent and self._segments.answered <= was_fed:
            self._put(self._tongue.end)
        self._tell(results)

    def end(self) -> None:
        """Ends the iteration; nothing is taken any more."""
        if self._is_open:
            self._is_open = False
            self._results.put_nowait(None)
        self._set_timer()

    async def __aiter__(self) -> AsyncIterator[Recognised]:
        """Results in order, until the end. Raises ``ProviderError`` when the connection fails."""
        while (result := await self._results.get()) is not None:
            if isinstance(result, ProviderError):
                raise result
            yield result

    def _queue(self, pcm: bytes) -> None:
        """The next message of audio."""
        waiting = len(self._outbox) * self._tongue.frame_ms
        if waiting < _LONGEST_WAIT_MS:
            self._put(pcm)
            self._queued_s += len(pcm) / _BYTES_PER_MS / 1000
        self._segments.heard(self._queued_s, loudness(pcm))

    def _put(self, item: str | bytes | int) -> None:
        self._outbox.append(item)
        self._news.set()

    def _tell(self, results: list[Recognised]) -> None:
        """Results go out; the next deadline is kept."""
        for result in results:
            self._results.put_nowait(result)
        if results:
            self._news.set()
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._segments.deadline
        if deadline is not None and self._is_open:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._expire, deadline)

    def _expire(self, deadline: float) -> None:
        # The vendor's turn is over in any case, or the next segment would be part of it.
        if self._tongue.pad_ms:
            self._outbox.appendleft(self._tongue.end)
        self._tell(self._segments.expire(deadline))

    async def _send(self) -> None:
        """Sends what is queued, in order, and signs of life when there is nothing."""
        with suppress(ProviderError):  # The listener meets the same failure and tells it.
            while True:
                self._news.clear()
                while self._outbox and not self._is_held():
                    item = self._outbox.popleft()
                    if not isinstance(item, int):
                        await self._wire.socket.send(item)
                if self._tongue.pad_ms and self._segments.ask():
                    await self._wire.socket.send(self._tongue.end)
                try:
                    async with asyncio.timeout(_KEEP_ALIVE_S):
                        await self._news.wait()
                except TimeoutError:
                    await self._keep_alive()

    def _is_held(self) -> bool:
        item = self._outbox[0]
        return isinstance(item, int) and self._segments.answered <= item

    async def _keep_alive(self) -> None:
        if self._tongue.keep_alive is not None:
            await self._wire.socket.send(self._tongue.keep_alive)
        else:
            self._queued_s += self._tongue.frame_ms / 1000
            await self._wire.socket.send(bytes(self._frame_bytes))

    async def _listen(self) -> None:
        """Takes the vendor's frames until the connection ends; that it does is a failure."""
        try:
            while (said := await self._wire.next()) is not None:
                self._take(said)
            raise self._wire.ended()
        except ProviderError as failure:
            if self._is_open:
                self._is_open = False
                self._results.put_nowait(failure)
                self._set_timer()

    def _take(self, said: dict[str, Any] | bytes) -> None:
        if isinstance(said, bytes):
            raise self._wire.malformed("sent sound, though it was to listen")
        try:
            told = self._tongue.told(said)
        except ValueError:
            raise self._wire.malformed("sent a frame that is none of its kind") from None
        if told is not None:
            self._tell(self._segments.take(told))
            # All of the first segment may have been heard now.
            self._news.set()
