"""The sockets of one session, one after the other: the newest counts, the others leave."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec import Struct

from antiphon_server.call.dialect import Dialect, Socket
from antiphon_server.call.outbox import ClientStalled, Outbox, Sent

GOODBYE_SECONDS = 2.0
"""How long the last messages may take to be sent."""


class SocketDoors(Struct, frozen=True):
    """How sockets reach their session."""

    spawn: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]
    sent: Sent
    lost: Callable[[Socket], None]
    broke: Callable[[], None]
    """Is called while an exception that is a fault of ours is handled."""


class Sockets:
    """What an outbox is sent over."""

    def __init__(self, outbox: Outbox, doors: SocketDoors) -> None:
        self.current: Socket | None = None
        self.close_code = 1011
        self._outbox = outbox
        self._doors = doors
        self._writer: asyncio.Task[None] | None = None
        self._leaving: list[asyncio.Task[None]] = []
        """What still speaks to a socket; the end of the session waits for it."""

    def connect(self, socket: Socket, dialect: Dialect) -> None:
        """From now on this one is sent to."""
        self.current = socket
        self._writer = self._doors.spawn(self._write(socket, dialect), "write")
        self._leaving.append(self._writer)

    def drop(self) -> None:
        """The current one is gone."""
        if self._writer is not None:
            self._writer.cancel()
        self.current = self._writer = None
        self._outbox.drop()

    def cut(self, socket: Socket) -> None:
        """Closes one whose client does not read: it may read again one day, and must then learn
        that this socket is no use.
        """
        self._leaving.append(self._doors.spawn(socket.close(self.close_code), "cut"))

    def fence(self, socket: Socket, dialect: Dialect) -> None:
        """An old one learns that it has no session any more, if it still can."""
        self._leaving.append(self._doors.spawn(_fence(socket, dialect), "fence"))

    async def leave(self) -> None:
        """Returns once all have got their last messages, or have had the time for it."""
        self._outbox.close()
        await asyncio.wait(self._leaving, timeout=GOODBYE_SECONDS)

    async def close(self) -> None:
        """Closes the current one, if there is one."""
        if self.current is not None:
            await self.current.close(self.close_code)

    async def _write(self, socket: Socket, dialect: Dialect) -> None:
        try:
            await self._outbox.run(socket, dialect.audio, self._doors.sent)
        except (ClientStalled, ConnectionError):
            self._doors.lost(socket)
            await socket.close(self.close_code)
        except Exception:  # noqa: BLE001
            self._doors.broke()


async def _fence(socket: Socket, dialect: Dialect) -> None:
    frame, code = dialect.taken_over()
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(GOODBYE_SECONDS):
            await socket.send(frame)
    await socket.close(code)
