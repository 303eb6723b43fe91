"""What all scripted providers share: they count their streams, wait, and fail as told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, get_args

from msgspec import Struct

from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable

Kind = Literal["unavailable", "refused", "too_slow", "malformed", "stall", "empty"]

AT_OPEN = -1
"""``Fault.after`` of a fault that comes before anything else."""

_ERRORS: dict[str, type[ProviderError]] = {
    "unavailable": Unavailable,
    "refused": Refused,
    "too_slow": TooSlow,
    "malformed": Malformed,
}
_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}
_TEXT = re.compile(
    r"(?P<kind>[a-z_]+)(?: (?:(?P<open>at open)|after (?P<after>\d+)))?(?: times (?P<times>\d+))?"
)


class Fault(Struct, frozen=True):
    """How a scripted provider goes wrong.

    ``kind`` is the error raised, or ``stall`` (nothing more comes, for ever), or ``empty``
    (an answer with nothing in it). ``after`` is the number of results given before, 0 for
    none; ``AT_OPEN`` fails before the provider even begins to answer. ``times`` is how many
    streams it befalls, None for all.
    """

    kind: Kind
    after: int = 0
    times: int | None = None

    @classmethod
    def parse(cls, text: str) -> Fault | None:
        """The fault that a text tells: ``unavailable``, ``refused at open``, ``stall after 3``,
        ``malformed after 1 times 2``; None for an empty text. Raises ``ValueError``.
        """
        if not text.strip():
            return None
        told = _TEXT.fullmatch(text.strip())
        kind = _KINDS.get(told["kind"]) if told else None
        if told is None or kind is None:
            raise ValueError(
                f"'{text}' is no fault; say one of {', '.join(_KINDS)}, then nothing, "
                "'at open' or 'after N', then nothing or 'times N'"
            )
        after = AT_OPEN if told["open"] else int(told["after"] or 0)
        times = None if told["times"] is None else int(told["times"])
        return cls(kind, after, times)


class Closed(Exception):
    """The stream or its provider was closed while the stream waited; its iteration ends."""


class Stream:
    """One open stream of a scripted provider: waits, and fails as its fault tells."""

    def __init__(self, provider: str, fault: Fault | None) -> None:
        self._provider = provider
        self._fault = fault
        self._shut = False
        self._waiter: asyncio.Future[None] | None = None
        self.results = 0

    @property
    def empty(self) -> bool:
        """Whether the stream's answers have nothing in them."""
        return self._fault is not None and self._fault.kind == "empty"

    def stalls(self, at: int | None = None) -> bool:
        """Whether nothing comes any more, at open (``AT_OPEN``) or at the next result (None).

        Raises the fault's error when that is what comes instead.
        """
        fault = self._fault
        here = self.results if at is None else at
        if fault is None or fault.kind == "empty" or here != fault.after:
            return False
        if fault.kind == "stall":
            return True
        raise _ERRORS[fault.kind](f"scripted to be {fault.kind}", provider=self._provider)

    async def open(self) -> None:
        """Raises the error, or waits for ever, when that is to happen at open."""
        if self.stalls(AT_OPEN):
            await self.until(None)

    async def result(self, when: float) -> None:
        """Returns when the stream's next result is due, at the loop's time ``when``.

        Raises the error, or waits for ever, when that comes instead.
        """
        await self.until(when)
        if self.stalls():
            await self.until(None)
        self.results += 1

    async def until(self, when: float | None) -> None:
        """Waits for the loop's time, or with None for ever. Raises ``Closed``."""
        if self._shut:
            raise Closed
        loop = asyncio.get_running_loop()
        if when is not None and when <= loop.time():
            # Others get their turn even where there is no delay.
            await asyncio.sleep(0)
            return
        waiter = self._waiter = loop.create_future()
        timer = loop.call_at(when, _wake, waiter) if when is not None else None
        try:
            await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()
        if self._shut:
            raise Closed

    def shut(self) -> None:
        """Ends what waits, and every wait to come."""
        self._shut = True
        if self._waiter is not None:
            _wake(self._waiter)


class Desk:
    """The front desk of one scripted provider.

    ``opened`` and ``closed`` count streams, replies or questions since the start; ``fault`` may
    be changed at any time and holds for the streams opened from then on.
    """

    def __init__(self, provider: str, fault: Fault | None) -> None:
        self._provider = provider
        self._streams: set[Stream] = set()
        self._shut = False
        self.opened = 0
        self.closed = 0
        self.fault = fault

    @property
    def active(self) -> int:
        """Streams that are open now."""
        return self.opened - self.closed

    @property
    def fault(self) -> Fault | None:
        """By which the next streams fail; None when it has befallen as many as it should."""
        return None if self._left == 0 else self._fault

    @fault.setter
    def fault(self, fault: Fault | None) -> None:
        self._fault = fault
        self._left = None if fault is None else fault.times

    def enter(self) -> Stream:
        """Counts a stream in; ``leave`` must follow."""
        self.opened += 1
        stream = Stream(self._provider, self.fault)
        if self._left:
            self._left -= 1
        if self._shut:
            stream.shut()
        self._streams.add(stream)
        return stream

    def leave(self, stream: Stream) -> None:
        """Counts a stream out."""
        self.closed += 1
        self._streams.discard(stream)
        stream.shut()

    @contextmanager
    def stream(self) -> Iterator[Stream]:
        """A stream for as long as the block runs."""
        stream = self.enter()
        try:
            yield stream
        finally:
            self.leave(stream)

    def shut(self) -> None:
        """Ends all streams, and every one that is opened later."""
        self._shut = True
        for stream in self._streams:
            stream.shut()


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
