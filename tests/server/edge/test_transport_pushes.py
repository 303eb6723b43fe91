"""Frames that the application sends without a wait, on a real socket."""

from __future__ import annotations

import asyncio
from typing import Any

from websockets.asyncio.client import connect

from antiphon_server.edge.socket import AsgiSocket
from server.edge.uvicorn_served import served

SECONDS = 10.0


class Pusher:
    """An application that is a socket for a test to use."""

    def __init__(self) -> None:
        self.opened: asyncio.Future[AsgiSocket] = asyncio.get_running_loop().create_future()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One socket, until the client is gone."""
        socket = AsgiSocket(scope, receive, send)
        await socket.accept()
        self.opened.set_result(socket)
        while await socket.receive() is not None:
            pass


async def test_what_is_pushed_and_what_is_sent_arrive_in_order() -> None:
    """Whole, whatever is in it."""
    pusher = Pusher()
    async with served(pusher) as address, connect(address, compression=None) as client:
        socket = await pusher.opened
        said = ["one", "zwei €", "", "x" * 70_000, "last"]
        for number, text in enumerate(said):
            if number % 2:
                await socket.send(text)
            else:
                assert socket.push(text)
        async with asyncio.timeout(SECONDS):
            assert [await client.recv() for _ in said] == said


async def test_a_client_that_does_not_read_is_pushed_no_more() -> None:
    """Once the kernel's buffers and the transport's are full; and again when it reads."""
    pusher = Pusher()
    async with (
        served(pusher) as address,
        connect(address, compression=None, max_queue=1) as client,
    ):
        socket = await pusher.opened
        pushed = 0
        while socket.push("x" * 50_000):
            pushed += 1
            await asyncio.sleep(0)
            assert pushed < 1_000
        sending = asyncio.create_task(socket.send("sent"))
        async with asyncio.timeout(SECONDS):
            received = [await client.recv() for _ in range(pushed + 1)]
            await sending
        assert received[-1] == "sent"
        assert socket.push("again")
        async with asyncio.timeout(SECONDS):
            assert await client.recv() == "again"


async def test_a_client_that_is_gone_is_pushed_nothing() -> None:
    """Whichever side has closed."""
    for closes in ("client", "server"):
        pusher = Pusher()
        async with served(pusher) as address, connect(address, compression=None) as client:
            socket = await pusher.opened
            if closes == "client":
                await client.close()
                async with asyncio.timeout(SECONDS):
                    await socket.ended()
            else:
                await socket.close(1000)
            assert not socket.push("late")
