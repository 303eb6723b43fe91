"""Connections in memory: two ends, and the road between them that decides what arrives."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

LATENCY_S = 0.02
"""One way."""
_MOST_WAITING = 64 * 1024
"""Bytes that a reader who pauses has waiting before the writer is asked to pause."""


class Road:
    """What becomes of one connection: nothing in particular."""

    async def connects(self) -> None:
        """Returns when the connection stands. Raises what ``create_connection`` does."""
        await asyncio.sleep(2 * LATENCY_S)

    def up(self, line: Line, data: bytes) -> None:
        """The client sent something."""
        line.carry(line.server, data)

    def down(self, line: Line, data: bytes) -> None:
        """The server sent something."""
        line.carry(line.client, data)


class Line:
    """One connection: its two ends, and what is on its way between them."""

    def __init__(self, road: Road) -> None:
        self.road = road
        self.client = End(self, self.sent_up)
        self.server = End(self, self.sent_down)
        self.client.peer, self.server.peer = self.server, self.client

    def sent_up(self, data: bytes) -> None:
        """The client sent this."""
        self.road.up(self, data)

    def sent_down(self, data: bytes) -> None:
        """The server sent this."""
        self.road.down(self, data)

    def carry(self, end: End, data: bytes | None, after_s: float = 0.0) -> None:
        """Data arrives at an end, behind what is on its way to it; None: the end of all data."""
        end.expect(data, after_s)

    def reset(self) -> None:
        """It breaks: both ends are told so."""
        for end in (self.client, self.server):
            end.lose(ConnectionResetError("reset by peer"))


class End(asyncio.Transport):
    """One end, as a protocol sees its connection."""

    def __init__(self, line: Line, sent: Callable[[bytes], None]) -> None:
        super().__init__()
        self.line = line
        self.peer: End
        self._sent = sent
        self._loop = asyncio.get_running_loop()
        self._protocol: Any = None
        self._coming: deque[bytes | None] = deque()
        self._coming_at = 0.0
        self._waiting: deque[bytes | None] = deque()
        self._reads = True
        self._is_lost = False
        self._closing = False
        self._ended = False
        self._pausing = False

    def begin(self, protocol: Any) -> None:
        """It is this protocol's."""
        self._protocol = protocol
        protocol.connection_made(self)

    # --- what arrives ----------------------------------------------------------------------

    def expect(self, data: bytes | None, after_s: float) -> None:
        """Data is on its way."""
        self._coming.append(data)
        at = max(self._loop.time() + LATENCY_S + after_s, self._coming_at)
        self._coming_at = at
        self._loop.call_at(at, self._arrive)

    def _arrive(self) -> None:
        self._waiting.append(self._coming.popleft())
        self._hand_over()

    def _hand_over(self) -> None:
        while self._waiting and self._reads and not self._is_lost and not self._closing:
            data = self._waiting.popleft()
            if data:
                self._protocol.data_received(data)
            elif data is None and not self._protocol.eof_received():
                self.close()
        crowded = sum(len(data or b"") for data in self._waiting) > _MOST_WAITING
        self.peer.asked_to_pause(crowded)

    def asked_to_pause(self, crowded: bool) -> None:
        """The other end is behind."""
        if self._is_lost or crowded == self._pausing:
            return
        self._pausing = crowded
        if crowded:
            self._protocol.pause_writing()
        else:
            self._protocol.resume_writing()

    def lose(self, error: Exception | None) -> None:
        """The connection is gone."""
        if not self._is_lost:
            self._is_lost = self._closing = True
            self._loop.call_soon(self._protocol.connection_lost, error)

    # --- as a transport --------------------------------------------------------------------

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Addresses only."""
        if name in {"peername", "sockname"}:
            return ("127.0.0.1", 1)
        return NoSocket() if name == "socket" else default

    def write(self, data: Any) -> None:
        """Sends."""
        if not self._closing and not self._ended and data:
            self._sent(bytes(data))

    def writelines(self, list_of_data: Any) -> None:
        """Sends all of it."""
        self.write(b"".join(list_of_data))

    def can_write_eof(self) -> bool:
        """It can."""
        return True

    def write_eof(self) -> None:
        """Sends no more."""
        if not self._ended:
            self._ended = True
            self.line.carry(self.peer, None)

    def close(self) -> None:
        """Sends no more, and reads no more."""
        if not self._closing:
            self._closing = True
            self.write_eof()
            self.lose_soon()

    def lose_soon(self) -> None:
        """Its own protocol is told."""
        if not self._is_lost:
            self._is_lost = True
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """As ``close``: what was not sent is on its way already."""
        self.close()

    def is_closing(self) -> bool:
        """Whether it is or was closed."""
        return self._closing

    def is_reading(self) -> bool:
        """Whether it takes data."""
        return self._reads and not self._closing

    def pause_reading(self) -> None:
        """Takes no data."""
        self._reads = False

    def resume_reading(self) -> None:
        """Takes data again."""
        if not self._reads:
            self._reads = True
            self._loop.call_soon(self._hand_over)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """They are what they are."""

    def get_write_buffer_size(self) -> int:
        """All is on its way."""
        return 0

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """It is another's from now on."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Whose it is."""
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol


class NoSocket:
    """Where libraries want to set options, or to know an address."""

    family = socket.AF_INET

    def __init__(self, port: int = 1) -> None:
        self._port = port

    def setsockopt(self, *_option: object) -> None:
        """Nothing to set."""

    def getsockname(self) -> tuple[str, int]:
        """Where it listens."""
        return ("127.0.0.1", self._port)

    def getpeername(self) -> tuple[str, int]:
        """Who is there."""
        return ("127.0.0.1", self._port)

    def fileno(self) -> int:
        """There is none."""
        return -1
