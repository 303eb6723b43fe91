"""Frames that the application takes as they come, on a real socket."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from antiphon_server.edge.socket import AsgiSocket
from antiphon_server.edge.transport import AT_ONCE
from server.edge.uvicorn_served import served

SECONDS = 10.0


class Reader:
    """An application that takes what begins with "now", and reads the rest at its leisure."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.taken = 0
        self.busy = asyncio.Event()
        self.free = asyncio.Event()
        self.free.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One socket."""
        socket = AsgiSocket(scope, receive, send)
        await socket.accept()
        socket.offer(self.take)
        while (frame := await socket.receive()) is not None:
            self.order.append(str(frame))
            if frame == "wait":
                self.busy.set()
                await self.free.wait()
            if frame == "end":
                await socket.send("over")

    def take(self, frame: str) -> bool:
        """A frame that no other is before."""
        if not frame.startswith("now"):
            return False
        self.order.append(frame)
        self.taken += 1
        return True


async def test_what_is_not_taken_is_read_and_the_order_is_kept() -> None:
    """Also for what comes while the application is busy with an earlier frame."""
    reader = Reader()
    async with served(reader) as address, connect(address, compression=None) as client:
        reader.free.clear()
        sent = ["now 1", "later 2", "now 3", "wait", "now 4", "now 5", "later 6", "now 7"]
        for frame in sent[:4]:
            await client.send(frame)
        async with asyncio.timeout(SECONDS):
            await reader.busy.wait()
        for frame in sent[4:]:
            await client.send(frame)
        reader.free.set()
        await client.send("end")
        async with asyncio.timeout(SECONDS):
            assert await client.recv() == "over"
        assert reader.order == [*sent, "end"]
        assert reader.taken >= 1


async def test_of_one_read_only_so_many_are_taken_as_they_come() -> None:
    """The rest is queued, so that a client that floods keeps nobody else waiting for long."""
    reader = Reader()
    count = 40 * AT_ONCE
    async with served(reader) as address, connect(address, compression=None) as client:
        # In one write, so that few reads get them all.
        for number in range(count):
            client.protocol.send_text(f"now {number}".encode())
        client.transport.write(b"".join(client.protocol.data_to_send()))
        await client.send("end")
        async with asyncio.timeout(SECONDS):
            assert await client.recv() == "over"
    assert reader.order == [*(f"now {number}" for number in range(count)), "end"]
    assert AT_ONCE <= reader.taken < count / 2


async def test_a_frame_in_pieces_is_read_whole() -> None:
    """It is not taken: it is not there before its last piece."""
    reader = Reader()
    async with served(reader) as address, connect(address, compression=None) as client:
        await client.send(iter(["now ", "in ", "pieces"]))
        await client.send("end")
        async with asyncio.timeout(SECONDS):
            assert await client.recv() == "over"
    assert reader.order == ["now in pieces", "end"]
    assert reader.taken == 0


async def test_text_that_is_none_closes_the_socket() -> None:
    """1007, as RFC 6455 has it (8.1); another socket is not touched."""
    reader = Reader()
    async with (
        served(reader) as address,
        connect(address, compression=None) as other,
        connect(address, compression=None) as client,
    ):
        client.protocol.send_text(b"now \xff")
        client.transport.write(b"".join(client.protocol.data_to_send()))
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1007
        await other.send("end")
        assert await other.recv() == "over"
    assert reader.order == ["end"]
