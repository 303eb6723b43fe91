"""A WebSocket as sessions know it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon_server.edge.app import AsgiSocket
from server.edge.asgi_client import Client
from virtual_time import in_virtual_time


async def test_a_socket_that_is_gone_raises_one_kind_of_error() -> None:
    """Whatever the transport raises; afterwards nothing is sent any more, closing is harmless."""
    for failure in (OSError("gone"), RuntimeError("Unexpected ASGI message")):
        tried: list[str] = []

        async def send(
            message: Any, failure: Exception = failure, tried: list[str] = tried
        ) -> None:
            tried.append(message["type"])
            raise failure

        socket = AsgiSocket({}, Client().to_app.get, send)
        for _ in range(2):
            with pytest.raises(ConnectionError):
                await socket.send("x")
        await socket.close(1000)
        assert tried == ["websocket.send"]


async def test_frames_are_text_or_bytes_or_the_end() -> None:
    """An empty text is a frame too."""
    client = Client()
    client.tell("")
    client.to_app.put_nowait({"type": "websocket.receive", "bytes": b"x"})
    client.to_app.put_nowait({"type": "websocket.receive", "bytes": b"", "text": None})
    client.leave()
    socket = AsgiSocket({}, client.to_app.get, client.send)
    await socket.accept()
    assert [await socket.receive() for _ in range(4)] == ["", b"x", b"", None]
    with pytest.raises(ConnectionError):
        await socket.send("x")


@in_virtual_time
async def test_a_close_that_nobody_takes_is_not_waited_for() -> None:
    """After a second it is given up."""

    async def send(_message: Any) -> None:
        await asyncio.Event().wait()

    socket = AsgiSocket({}, Client().to_app.get, send)
    await socket.close(1000)
    assert asyncio.get_running_loop().time() == pytest.approx(1)
