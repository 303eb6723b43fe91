"""uvicorn with our settings, on a real socket of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from antiphon_server.edge import transport
from antiphon_server.edge.transport import AddressTaken, HardenedWebSocket, listen, server
from antiphon_server.settings import Settings, read


async def _echo(scope: Any, receive: Any, send: Any) -> None:
    """An application that says what it hears, and floods who asks for it."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await receive()
    await send({"type": "websocket.accept"})
    try:
        while (message := await receive())["type"] == "websocket.receive":
            if message["text"] == "flood":
                for _ in range(10_000):
                    await send({"type": "websocket.send", "text": "x" * 10_000})
            await send({"type": "websocket.send", "text": message["text"]})
    finally:
        scope["state"]["gone"].set()


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The address of a running server, and what is set once a client is gone."""
    listener = listen(settings)
    running = server(_echo, settings)
    running.config.loop = "none"
    ready, gone = asyncio.Event(), asyncio.Event()
    startup = running.startup

    async def started(*args: Any, **kwargs: Any) -> None:
        running.lifespan.state["gone"] = gone
        await startup(*args, **kwargs)
        ready.set()

    running.startup = started  # type: ignore[method-assign]
    running.capture_signals = contextlib.nullcontext  # type: ignore[assignment]
    task = asyncio.create_task(running.serve([listener]))
    await asyncio.wait([task, asyncio.create_task(ready.wait())], return_when="FIRST_COMPLETED")
    host, port = listener.getsockname()[:2]
    try:
        yield f"ws://{host}:{port}/", gone
    finally:
        running.should_exit = True
        await task
        listener.close()


def _settings(**variables: str) -> Settings:
    return read({"ANTIPHON_PORT": "0", **{f"ANTIPHON_{k}": text for k, text in variables.items()}})


def test_a_port_that_is_taken_is_told() -> None:
    """Which, why, and what to do; the socket is not leaked."""
    with listen(_settings()) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressTaken, match=rf"127\.0\.0\.1:{port}: .*--port"):
            listen(_settings(PORT=str(port)))


def test_an_address_that_is_not_ours_is_told() -> None:
    """As a taken one."""
    with pytest.raises(AddressTaken, match=r"192\.0\.2\.1"):
        listen(_settings(HOST="192.0.2.1", API_KEYS="k"))


def test_port_0_is_a_free_one() -> None:
    """Which one can be asked of the socket."""
    with listen(_settings()) as one, listen(_settings()) as other:
        assert 0 < one.getsockname()[1] != other.getsockname()[1]


def test_the_kernel_drops_clients_that_acknowledge_nothing() -> None:
    """``TCP_USER_TIMEOUT`` is set on the listener and inherited by each connection."""
    with listen(_settings()) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), listener.accept()[0] as accepted:
            for each in (listener, accepted):
                ms = each.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
                assert ms == transport.UNREAD_SECONDS * 1000


def test_the_settings_reach_uvicorn() -> None:
    """Our protocol class, the operator's limits, no compression, no access log, no banner."""
    config = server(_echo, _settings(MAX_MESSAGE_BYTES="70000", PING_SECONDS="3")).config
    assert config.ws is HardenedWebSocket
    assert config.ws_max_size == 70_000
    assert (config.ws_ping_interval, config.ws_ping_timeout) == (3, 3)
    assert not config.ws_per_message_deflate
    assert not config.access_log
    assert not config.server_header


async def test_a_message_that_is_too_large_is_1009() -> None:
    """At the limit it is taken; one byte more closes that socket, and no other."""
    async with served(_settings(MAX_MESSAGE_BYTES="65536")) as (address, _):  # noqa: SIM117
        async with connect(address, compression=None) as other:
            async with connect(address, compression=None) as client:
                await client.send("x" * 65_536)
                assert len(await client.recv()) == 65_536
                await client.send("x" * 65_537)
                with pytest.raises(ConnectionClosed):
                    await client.recv()
                assert client.close_code == 1009
            await other.send("still here")
            assert await other.recv() == "still here"


async def test_compression_is_not_spoken() -> None:
    """A client that offers it is served without."""
    async with served(_settings()) as (address, _), connect(address) as client:
        assert client.protocol.extensions == []
        await client.send("plain")
        assert await client.recv() == "plain"


async def test_a_client_that_reads_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a missed pong, although its buffers are full and no close can reach it."""
    monkeypatch.setattr(transport, "ABORT_SECONDS", 0.1)
    async with served(_settings(PING_SECONDS="0.2")) as (address, gone):
        client = await connect(address, compression=None, max_queue=1)
        client.transport.pause_reading()
        await client.send("flood")
        client.transport.pause_reading()
        async with asyncio.timeout(10):
            await gone.wait()
        client.transport.abort()


def test_what_was_loaded_is_kept_from_the_collector() -> None:
    """Frozen objects are not looked at again; collections become rare."""
    thresholds = gc.get_threshold()
    try:
        transport.settle_memory()
        assert gc.get_freeze_count() > 1000
        assert gc.get_threshold()[0] == 50_000
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
