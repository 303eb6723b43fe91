"""A WebSocket as sessions know it."""

from __future__ import annotations

import asyncio
from asyncio import Event
from collections.abc import Callable
from typing import Any

import pytest

from antiphon_server.edge.socket import MARK, AsgiSocket
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


async def test_what_a_client_has_taken_is_asked_of_the_server() -> None:
    """Where it can tell; else nobody knows, and the answer is False."""
    marks: list[Callable[[], None]] = []
    client, passed = Client(), Event()
    knowing = AsgiSocket({"extensions": {MARK: marks.append}}, client.to_app.get, client.send)
    assert knowing.mark(passed.set)
    (mark,) = marks
    assert not passed.is_set()
    mark()
    assert passed.is_set()
    scopes: tuple[dict[str, Any], ...] = ({}, {"extensions": None}, {"extensions": {}})
    for scope in scopes:
        assert not AsgiSocket(scope, client.to_app.get, client.send).mark(passed.clear)
    assert passed.is_set()


async def test_nothing_is_asked_of_a_client_that_is_gone() -> None:
    """What it has not said by then it will never say."""
    marks: list[Callable[[], None]] = []
    client = Client()
    client.leave()
    socket = AsgiSocket({"extensions": {MARK: marks.append}}, client.to_app.get, client.send)
    await socket.accept()
    assert await socket.receive() is None
    assert socket.mark(lambda: None)
    assert marks == []


async def test_the_end_is_noticed_by_whoever_waits_for_it() -> None:
    """Whichever side closed, and whoever found out."""

    async def broken(_message: Any) -> None:
        raise OSError

    client = Client()
    closed = AsgiSocket({}, client.to_app.get, client.send)
    await closed.close(1000)
    await closed.ended()
    client.leave()
    left = AsgiSocket({}, client.to_app.get, client.send)
    await left.accept()
    assert await left.receive() is None
    await left.ended()
    cut = AsgiSocket({}, client.to_app.get, broken)
    with pytest.raises(ConnectionError):
        await cut.send("x")
    await cut.ended()
    assert [event["type"] for event in client.events] == ["websocket.close", "websocket.accept"]


async def test_a_second_close_is_harmless() -> None:
    """The first code is the one that is sent; nothing is received any more."""
    client = Client()
    socket = AsgiSocket({}, client.to_app.get, client.send)
    await socket.close(1008)
    await socket.close(1000)
    assert client.closed == 1008
    assert len(client.events) == 1
    assert await socket.receive() is None
