"""What has arrived in a call and was not taken yet: bounded, and closed only once."""

from __future__ import annotations

import asyncio
from collections import deque

from antiphon.errors import FellBehind
from antiphon.events import Event

LIMIT = 4096
"""Events kept: 40 s of sound in pieces of 10 ms, about 3 MB."""

PATIENCE_S = 10.0
"""How long a full inbox holds up the socket. It must end before the keepalive of either side
(20 s and 20 s) closes the connection for a reason nobody would understand."""


class Inbox:
    """A queue from the reader of the socket to whoever iterates the call."""

    def __init__(self, limit: int = LIMIT, patience_s: float = PATIENCE_S) -> None:
        self._events: deque[Event] = deque()
        self._limit = limit
        self._patience_s = patience_s
        self._changed = asyncio.Condition()
        self._closed = False
        self._error: Exception | None = None
        self._overflows = False

    async def put(self, event: Event) -> None:
        """Adds an event, waiting for room. Raises ``FellBehind`` when none comes."""
        async with self._changed:
            if not self._overflows and not self._has_room():
                await self._wait_for_room()
            if self._has_room():
                self._events.append(event)
                self._changed.notify_all()

    async def take(self) -> Event | None:
        """The next event; None when the call is over.

        Raises what the inbox was closed with, after everything that came before it.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._events or self._closed)
            if self._events:
                event = self._events.popleft()
                self._changed.notify_all()
                return event
        if self._error is not None:
            raise self._error
        return None

    async def close(self, error: Exception | None = None) -> None:
        """Nothing will follow; the first reason given is the one that counts."""
        async with self._changed:
            if not self._closed:
                self._closed = True
                self._error = error
                self._changed.notify_all()

    async def overflow(self) -> None:
        """From now on a full inbox loses events instead of holding up the socket: for the end
        of a call, when nobody listens any more and ``session.ended`` must still be seen.
        """
        async with self._changed:
            self._overflows = True
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return len(self._events) < self._limit

    async def _wait_for_room(self) -> None:
        try:
            async with asyncio.timeout(self._patience_s):
                await self._changed.wait_for(lambda: self._overflows or self._has_room())
        except TimeoutError:
            raise FellBehind(
                f"{self._limit} events wait and none was taken for {self._patience_s:g} s: "
                "keep `async for event in call` running, and give long work its own task"
            ) from None
