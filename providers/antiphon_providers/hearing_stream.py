"""One call's recogniser over a vendor's socket: audio up, results down.

What vendors' wires have in common is here; in what they differ is their ``Tongue``. Audio goes
up as binary messages of ``frame_ms``, in order with what the vendor is told between them; where
nothing is fed for long there is a sign of life. An answer to each flush is certain: the
vendor's, or at its deadline what is known by then.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Protocol

from msgspec import Struct

from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import HEARING_RATE, Recognised
from antiphon_providers.loudness import loudness
from antiphon_providers.streams import Quiet, Results, beside
from antiphon_providers.vendor_socket import VendorSocket

_BYTES_PER_MS = HEARING_RATE * 2 // 1000
_LONGEST_WAIT_MS = 60_000
"""Of audio that waits for a network that does not take it; what is later is lost anyway."""


class Terms(Struct, frozen=True):
    """What a vendor asks of whoever streams to it.

    ``frame_ms`` of audio go into a message, and no less than ``least_ms``. ``keep_alive`` is
    sent after ``keep_alive_s`` without anything else; bytes are silence, which counts as audio.
    """

    frame_ms: int
    keep_alive: str | bytes
    keep_alive_s: float
    goodbye: str
    least_ms: int = 0


class Hold(Protocol):
    """Stands in the queue: what is behind it is not sent as long as it ``holds``."""

    @property
    def holds(self) -> bool:
        """Whether what is behind it has to wait."""
        ...

    def asks(self) -> str | None:
        """What is to be sent meanwhile, now and once."""
        ...


Item = str | bytes | Hold


class Then(Struct, frozen=True):
    """What follows: results for the call, and what is to be sent."""

    results: list[Recognised]
    items: tuple[Item, ...] = ()


class Tongue(Protocol):
    """One vendor's wire, for one connection; all times are those of its audio, in ms."""

    @property
    def terms(self) -> Terms:
        """How to stream to it."""
        ...

    @property
    def deadline(self) -> float | None:
        """When (loop time) the oldest flush is to be answered with what is known."""
        ...

    def heard(self, at_ms: float, level: float) -> None:
        """Audio was sent up to here, so loud (RMS of int16 samples)."""
        ...

    def flush(self, until_ms: float, now: float) -> Then:
        """The segment ends here; what is to be sent comes behind its audio."""
        ...

    def take(self, said: dict[str, Any]) -> list[Recognised]:
        """The vendor said this. Raises ``ValueError`` for a frame that is none of its kind."""
        ...

    def expire(self, now: float) -> Then:
        """It is too late for a flush's words; what is to be sent comes before all that waits."""
        ...


class Wire(Protocol):
    """A vendor's frames; see its module."""

    @property
    def socket(self) -> VendorSocket:
        """Its connection."""
        ...

    async def next(self) -> dict[str, Any] | bytes | None:
        """The next frame; None after a normal end. Raises ``ProviderError``."""
        ...

    def ended(self) -> ProviderError:
        """What a normal end means that nobody had asked for."""
        ...

    def malformed(self, what: str) -> ProviderError:
        """What it means that the vendor did this."""
        ...


class HearingStream:
    """One call's recogniser; it works while ``run`` does, and all on the event loop."""

    def __init__(self, wire: Wire, tongue: Tongue) -> None:
        self._wire = wire
        self._tongue = tongue
        self._terms = tongue.terms
        self._frame_bytes = self._terms.frame_ms * _BYTES_PER_MS
        self._results = Results()
        self._outbox: deque[Item] = deque()
        self._news = asyncio.Event()
        self._held = bytearray()
        self._queued_ms = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, pcm: bytes) -> None:
        """Takes int16 mono PCM at 16 kHz, any length."""
        if not self._results.is_open:
            return
        self._held += pcm
        while len(self._held) >= self._frame_bytes:
            self._queue(bytes(self._held[: self._frame_bytes]))
            del self._held[: self._frame_bytes]

    def flush(self) -> None:
        """The segment is complete: what is not final yet is asked for.

        Answered at once where nothing can be added to what is known.
        """
        if not self._results.is_open:
            return
        if len(self._held) > 1:
            last = bytes(self._held[: len(self._held) // 2 * 2])
            self._queue(last.ljust(self._terms.least_ms * _BYTES_PER_MS, b"\0"))
        self._held.clear()
        then = self._tongue.flush(self._queued_ms, asyncio.get_running_loop().time())
        for item in then.items:
            self._put(item)
        self._tell(then.results)

    def end(self) -> None:
        """Ends the iteration; nothing is taken any more."""
        self._results.end()
        self._set_timer()

    def __aiter__(self) -> AsyncIterator[Recognised]:
        """Results in order, until the end. Raises ``ProviderError`` when the connection fails."""
        return aiter(self._results)

    async def run(self) -> None:
        """Talks to the vendor until the connection ends; that it does is a failure."""
        await beside(self._send(), self._listen())

    async def leave(self) -> None:
        """Says goodbye; nobody talks to the vendor any more."""
        # Whether it is heard does not matter: the close that follows ends it too.
        with suppress(ProviderError):
            await self._wire.socket.send(self._terms.goodbye)

    def _queue(self, pcm: bytes) -> None:
        """The next message of audio."""
        if len(self._outbox) * self._terms.frame_ms < _LONGEST_WAIT_MS:
            self._put(pcm)
        self._tongue.heard(self._queued_ms, loudness(pcm))

    def _put(self, item: Item) -> None:
        self._outbox.append(item)
        self._news.set()
        if isinstance(item, bytes):
            self._queued_ms += len(item) / _BYTES_PER_MS

    def _tell(self, results: list[Recognised]) -> None:
        """Results go out; what waits may go on; the next deadline is kept."""
        for result in results:
            self._results.tell(result)
        if self._outbox:
            self._news.set()
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self._tongue.deadline
        if deadline is not None and self._results.is_open:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._expire, deadline)

    def _expire(self, deadline: float) -> None:
        then = self._tongue.expire(deadline)
        self._outbox.extendleft(reversed(then.items))
        self._tell(then.results)

    async def _send(self) -> None:
        """Sends what is queued, in order, and signs of life when there is nothing."""
        quiet = Quiet(self._terms.keep_alive_s, self._news)
        try:
            while True:
                self._news.clear()
                while (item := self._next()) is not None:
                    quiet.broken()
                    await self._wire.socket.send(item)
                if quiet.is_over():
                    await self._keep_alive()
                await self._news.wait()
        except ProviderError:
            return  # The listener meets the same failure and tells it.
        finally:
            quiet.close()

    def _next(self) -> str | bytes | None:
        """What is to be sent now."""
        while self._outbox:
            item = self._outbox[0]
            if not isinstance(item, (str, bytes)):
                if item.holds:
                    return item.asks()
                self._outbox.popleft()
                continue
            self._outbox.popleft()
            return item
        return None

    async def _keep_alive(self) -> None:
        alive = self._terms.keep_alive
        if isinstance(alive, bytes):
            self._queued_ms += len(alive) / _BYTES_PER_MS
        await self._wire.socket.send(alive)

    async def _listen(self) -> None:
        """Takes the vendor's frames until the connection ends."""
        try:
            while (said := await self._wire.next()) is not None:
                self._take(said)
            raise self._wire.ended()
        except ProviderError as failure:
            self._results.end(failure)
            self._set_timer()

    def _take(self, said: dict[str, Any] | bytes) -> None:
        if isinstance(said, bytes):
            raise self._wire.malformed("sent sound, though it was to listen")
        try:
            results = self._tongue.take(said)
        except ValueError:
            raise self._wire.malformed("sent a frame that is none of its kind") from None
        self._tell(results)
