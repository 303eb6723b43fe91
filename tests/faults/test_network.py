"""The network in memory carries what is sent, in order, and breaks as it is told to."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from faults.lines import LATENCY_S, Road
from faults.network import Network, NetworkLoop


def run(main: Any) -> None:
    """In a loop with a network; what was closed has a while to arrive."""

    async def whole() -> None:
        await main()
        await asyncio.sleep(1)

    with asyncio.Runner(loop_factory=NetworkLoop) as runner:
        runner.run(whole())


def network() -> Network:
    """The running loop's."""
    loop: Any = asyncio.get_running_loop()
    found: Network = loop.network
    return found


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A server that says everything back."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1000):
            writer.write(data)
            await writer.drain()
    writer.close()


async def served() -> int:
    """The port of an echo."""
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    return int(server.sockets[0].getsockname()[1])


def test_what_is_sent_arrives_in_order_and_takes_its_time() -> None:
    """There and back; the end of one side ends the other."""

    async def main() -> None:
        port = await served()
        loop = asyncio.get_running_loop()
        reader, writer = await asyncio.open_connection("any.name", port)
        began = loop.time()
        for number in range(100):
            writer.write(f"{number} ".encode())
        assert await reader.readexactly(290) == "".join(f"{n} " for n in range(100)).encode()
        assert loop.time() - began == pytest.approx(2 * LATENCY_S)
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()

    run(main)


def test_nobody_there_and_a_reset_are_told() -> None:
    """As by the kernel."""

    async def main() -> None:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", 9)
        port = await served()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        network().lines[-1][1].reset()
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        writer.close()
        assert [asked for _, asked in network().asked] == [9, port]

    run(main)


def test_a_road_decides_what_becomes_of_a_connection() -> None:
    """One on which nothing comes back."""

    class OneWay(Road):
        def down(self, line: Any, data: bytes) -> None:
            """Lost."""

    async def main() -> None:
        port = await served()
        network().roads[port] = OneWay
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await reader.read(1)
        writer.close()

    run(main)


def test_a_reader_who_pauses_makes_the_writer_wait() -> None:
    """After so much; and all of it arrives in the end."""

    async def main() -> None:
        port = await served()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        size = 2_000_000

        async def write() -> None:
            for _ in range(size // 1000):
                writer.write(bytes(1000))
                await writer.drain()
                await asyncio.sleep(0.001)

        writing = asyncio.create_task(write())
        await asyncio.sleep(10)
        assert not writing.done()
        assert len(await reader.readexactly(size)) == size
        await writing
        writer.close()

    run(main)
