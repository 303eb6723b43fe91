"""A network that goes wrong when it is told to, in user space: between a client and a server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

Direction = Literal["up", "down"]
"""``up`` is from the client to the server."""

CHUNK_BYTES = 65_536
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER with no time to linger: closing such a socket sends RST instead of FIN."""


class Link:
    """One connection, both ways."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._ends = (near, far)
        self._flows = asyncio.Event()
        self._flows.set()
        self._left: dict[Direction, int | None] = {"up": None, "down": None}
        self.delay_s = 0.0
        self.bytes: dict[Direction, int] = {"up": 0, "down": 0}
        """What was let through."""

    def freeze(self) -> None:
        """Nothing is let through any more, and neither side is told: a half-open connection."""
        self._flows.clear()

    def close(self) -> None:
        """Both sides see an orderly end (FIN) without a closing handshake of WebSocket."""
        for end in self._ends:
            end.close()

    def reset(self) -> None:
        """Both sides see a reset (RST)."""
        for end in self._ends:
            taken: socket.socket = end.get_extra_info("socket")
            with contextlib.suppress(OSError):  # It was closed by then.
                taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()

    def cut(self, *, up: int, down: int) -> None:
        """Resets in the middle of the next message that is longer than so many bytes."""
        self._left = {"up": up, "down": down}

    async def carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: Direction
    ) -> None:
        """Lets one direction through, until it ends."""
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                await self._flows.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                left = self._left[direction]
                if left is not None and len(data) > left:
                    await self._let_through(writer, data[:left], direction)
                    self.reset()
                    return
                await self._let_through(writer, data, direction)
        # What happens at one end of a connection that is cut off is not seen at the other.
        await self._flows.wait()
        writer.close()

    async def _let_through(
        self, writer: asyncio.StreamWriter, data: bytes, direction: Direction
    ) -> None:
        writer.write(data)
        await writer.drain()
        self.bytes[direction] += len(data)


class FaultProxy:
    """Listens on a port of its own, and connects each client to the server behind it."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._tasks: set[asyncio.Task[None]] = set()
        self.links: list[Link] = []
        self.port = 0
        self.delay_s = 0.0
        """How much later each chunk of a new link arrives."""

    @property
    def link(self) -> Link:
        """The newest connection."""
        return self.links[-1]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client."""
        far_reader, far_writer = await asyncio.open_connection(*self._target)
        link = Link(writer, far_writer)
        link.delay_s = self.delay_s
        self.links.append(link)
        for carried in (
            link.carry(reader, far_writer, "up"),
            link.carry(far_reader, writer, "down"),
        ):
            task = asyncio.get_running_loop().create_task(carried)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def cut_all(self) -> None:
        """Ends every connection."""
        for link in self.links:
            link.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def faulty(host: str, port: int) -> AsyncIterator[FaultProxy]:
    """A proxy in front of that server, for as long as the block runs."""
    proxy = FaultProxy(host, port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.cut_all()
        await server.wait_closed()
