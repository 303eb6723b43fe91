"""How far away a vendor is: bytes come late from it, and only so many a second."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

PIECE_BYTES = 65_536


@dataclass(frozen=True)
class Distance:
    """Of one vendor, whose every answer comes ``first_byte_s`` after what it answers."""

    first_byte_s: float
    bytes_per_s: float = 1e9
    """Of each connection, on top of ``burst_bytes``."""
    burst_bytes: int = 32_768
    """That come at once after a silence: a vendor sends its first message whole."""
    gate: asyncio.Event | None = None
    """Before it is set, no more than ``gate_bytes`` of each connection come."""
    gate_bytes: int = 49_152


@asynccontextmanager
async def far_away(url: str, distance: Distance) -> AsyncIterator[str]:
    """The address of the vendor at ``url``, from so far away; the order of bytes is kept."""
    parts = urlsplit(url)
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            await _talk(reader, writer, parts.port, distance)
        except (ConnectionError, asyncio.CancelledError):
            # One of both left, or the test is over: either way nobody listens.
            pass
        finally:
            writer.close()
            talks.discard(task)

    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    try:
        yield urlunsplit(parts._replace(netloc=f"127.0.0.1:{port}"))
    finally:
        listening.close()
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


async def _talk(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    port: int | None,
    distance: Distance,
) -> None:
    there, back = await asyncio.open_connection("127.0.0.1", port)
    both = [
        asyncio.create_task(_carry(reader, back)),
        asyncio.create_task(_delay(there, writer, distance)),
    ]
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in both:
            one.cancel()
        await asyncio.gather(*both, return_exceptions=True)
        back.close()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(PIECE_BYTES):
        writer.write(piece)
        await writer.drain()


async def _delay(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, distance: Distance
) -> None:
    """Carries what was read, each piece as late as all, until the vendor has closed."""
    clock = asyncio.get_running_loop().time
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def read() -> None:
        piece = b"-"
        while piece:
            piece = await reader.read(PIECE_BYTES)
            under_way.put_nowait((clock() + distance.first_byte_s, piece))

    reading = asyncio.create_task(read())
    try:
        await _arrive(under_way, writer, distance)
    finally:
        reading.cancel()
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await reading


async def _arrive(
    under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter, distance: Distance
) -> None:
    clock = asyncio.get_running_loop().time
    # The bytes that may still come at once, as of a moment.
    at, allowance, carried = clock(), float(distance.burst_bytes), 0
    while True:
        due, piece = await under_way.get()
        await asyncio.sleep(due - clock())
        if not piece:
            return
        step = 4096
        for start in range(0, len(piece), step):
            part = piece[start : start + step]
            if distance.gate is not None and carried + len(part) > distance.gate_bytes:
                await distance.gate.wait()
            now = clock()
            allowance = min(distance.burst_bytes, allowance + (now - at) * distance.bytes_per_s)
            at = now
            allowance -= len(part)
            if allowance < 0:
                await asyncio.sleep(-allowance / distance.bytes_per_s)
            writer.write(part)
            await writer.drain()
            carried += len(part)
