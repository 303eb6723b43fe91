"""The faulty network does what it is told, or nothing that is proven with it holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest

from endurance.fault_proxy import FaultProxy, faulty

QUIET_S = 0.2
"""How long nothing must happen."""


class Ends(NamedTuple):
    """Both ends of a connection through a proxy."""

    proxy: FaultProxy
    near: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    far: tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    """A client and a server that are connected."""
    accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accepted.put((reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server, faulty("127.0.0.1", server.sockets[0].getsockname()[1]) as proxy:
        near = await asyncio.open_connection("127.0.0.1", proxy.port)
        far = await accepted.get()
        yield Ends(proxy, near, far)
        for _, writer in (near, far):
            writer.transport.abort()


async def _silent(reader: asyncio.StreamReader) -> bool:
    """Whether nothing comes, not even an end."""
    try:
        await asyncio.wait_for(reader.read(1), QUIET_S)
    except TimeoutError:
        return True
    return False


async def test_what_is_sent_arrives_in_both_directions(ends: Ends) -> None:
    """As long as nothing else is wished."""
    ends.near[1].write(b"hello")
    assert await ends.far[0].readexactly(5) == b"hello"
    ends.far[1].write(b"you")
    assert await ends.near[0].readexactly(3) == b"you"
    assert ends.proxy.link.bytes == {"up": 5, "down": 3}


async def test_an_end_is_passed_on(ends: Ends) -> None:
    """The other side of a client that leaves sees that."""
    ends.near[1].close()
    assert await ends.far[0].read() == b""


async def test_a_frozen_link_swallows_everything_and_nobody_is_told(ends: Ends) -> None:
    """Half-open: also when the client has gone for good, the server sees nothing of it."""
    ends.proxy.link.freeze()
    ends.near[1].write(b"lost")
    ends.far[1].write(b"lost")
    assert await _silent(ends.near[0])
    ends.near[1].transport.abort()
    assert await _silent(ends.far[0])
    assert ends.proxy.link.bytes == {"up": 0, "down": 0}


async def test_a_reset_is_a_reset_on_both_sides(ends: Ends) -> None:
    """And no orderly end."""
    ends.proxy.link.reset()
    for reader, _ in (ends.near, ends.far):
        with pytest.raises(ConnectionResetError):
            await reader.read()


async def test_a_closed_link_ends_in_order_on_both_sides(ends: Ends) -> None:
    """FIN and nothing else."""
    ends.proxy.link.close()
    assert await ends.near[0].read() == b""
    assert await ends.far[0].read() == b""


async def test_a_cut_lets_the_beginning_of_a_message_through(ends: Ends) -> None:
    """Three bytes of it, then a reset."""
    ends.proxy.link.cut(up=3, down=3)
    ends.near[1].write(b"a message")
    assert await ends.far[0].readexactly(3) == b"a m"
    with pytest.raises(ConnectionResetError):
        await ends.far[0].read()
    with pytest.raises(ConnectionResetError):
        await ends.near[0].read()


async def test_a_delayed_link_is_late(ends: Ends) -> None:
    """By at least as much as was asked for."""
    loop = asyncio.get_running_loop()
    ends.proxy.link.delay_s = 0.05
    began = loop.time()
    ends.near[1].write(b"late")
    assert await ends.far[0].readexactly(4) == b"late"
    assert loop.time() - began >= 0.05
