"""The line to the server: one socket after the other, as long as the session lives."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from websockets.exceptions import ConnectionClosed

from antiphon.errors import ConnectionLost
from antiphon.handshake import Introduced
from antiphon.resume import NORMAL_CLOSES, TRIES, Resumption

MOST_KEPT = 32
KEPT_S = 60.0
"""How long, and how many, messages are kept that must arrive: a lost line is noticed within
16 s and come back to within 25 s.
"""
STEADY_S = 2.0
"""A socket that is lost sooner than this after a resume counts as one more failed try."""


class Line:
    """What is sent goes over the socket there is. While there is none, sound is dropped, and
    everything else waits.

    ``resumption`` is how to come back to a socket; None where nobody is to.
    """

    def __init__(self, introduced: Introduced, resumption: Resumption | None) -> None:
        self._socket = introduced.socket
        self._ready = introduced.ready
        self._resumption = resumption
        self._is_up = True
        self._is_over = False
        self._changed = asyncio.Event()
        self._kept: deque[tuple[int, float, str]] = deque(maxlen=MOST_KEPT)
        self._number = 0
        self._came_at = float("-inf")
        self._lost_in_a_row = 0

    @property
    def is_up(self) -> bool:
        """Whether there is a socket."""
        return self._is_up

    @property
    def may_resume(self) -> bool:
        """Whether the loss of this socket is one to come back from: nobody meant to go."""
        return (
            self._resumption is not None
            and bool(self._ready.resume_token)
            and self._socket.close_code not in NORMAL_CLOSES
        )

    async def frames(self) -> AsyncIterator[str | bytes]:
        """What comes over the socket there is, until it is lost."""
        try:
            async for frame in self._socket:
                yield frame
        except ConnectionClosed:
            pass

    # --- sending -------------------------------------------------------------------------

    async def send(self, frame: str) -> None:
        """Sends, once there is a socket.

        Raises ``ConnectionLost`` when there will be none any more.
        """
        while not await self._is_sent(frame):
            await self._changed.wait()

    async def send_surely(self, frame: str) -> None:
        """The same; and after a resume it is sent again, since the socket may have been lost
        with it: only for what the server takes once.
        """
        self._number += 1
        number = self._number
        self._kept.append((number, asyncio.get_running_loop().time(), frame))
        if not await self._is_sent(frame):
            # It goes ahead of all others when there is a socket.
            while not self._is_up:
                self._refuse_if_over()
                await self._changed.wait()

    async def send_now(self, frame: str) -> None:
        """Sends what is only worth something at once: without a socket it is dropped.

        Raises ``ConnectionLost`` when there will be none any more.
        """
        await self._is_sent(frame)

    async def _is_sent(self, frame: str) -> bool:
        self._refuse_if_over()
        socket = self._socket
        if not self._is_up:
            return False
        try:
            await socket.send(frame)
        except ConnectionClosed:
            if not self.may_resume:
                raise self.lost() from None
            if socket is self._socket:
                self._fall()
            return False
        return True

    def _refuse_if_over(self) -> None:
        if self._is_over:
            raise self.lost()

    # --- coming back ---------------------------------------------------------------------

    async def resume(self, last_seq: int) -> Introduced:
        """Comes back: there is a socket again, and what must arrive was sent again.

        Raises what the last try failed with.
        """
        self._fall()
        # After an error of the server's the old socket may still be open.
        self._socket.transport.abort()
        while True:
            back = await self._introduced(last_seq)
            self._socket, self._ready = back.socket, back.ready
            if await self._has_sent_again():
                self._is_up = True
                self._changed.set()
                return back

    async def _introduced(self, last_seq: int) -> Introduced:
        loop = asyncio.get_running_loop()
        steady = loop.time() - self._came_at >= STEADY_S
        self._lost_in_a_row = 0 if steady else self._lost_in_a_row + 1
        if self._resumption is None or self._lost_in_a_row >= TRIES:
            raise self.lost()
        ready = self._ready
        back = await self._resumption.resume(ready.session_id, ready.resume_token, last_seq)
        self._came_at = loop.time()
        return back

    async def _has_sent_again(self) -> bool:
        """Sends what is kept, and what is added meanwhile; False if this socket is lost too."""
        since = asyncio.get_running_loop().time() - KEPT_S
        done = 0
        try:
            while left := [one for one in self._kept if one[0] > done]:
                done, kept_at, frame = left[0]
                if kept_at >= since:
                    await self._socket.send(frame)
        except ConnectionClosed:
            return False
        return True

    # --- the end -------------------------------------------------------------------------

    def lost(self) -> ConnectionLost:
        """The error for a socket that is gone."""
        return ConnectionLost(self._socket.close_code, self._socket.close_reason or "")

    def stay_away(self) -> None:
        """Nobody is to come back any more: the session is being ended."""
        self._resumption = None

    def end(self) -> None:
        """There will be no socket any more; who waits for one is told."""
        self._is_up, self._is_over = False, True
        self._changed.set()

    async def close(self) -> None:
        """Closes the socket there is."""
        await self._socket.close()

    def _fall(self) -> None:
        self._is_up = False
        self._changed.clear()
