"""Opening a call: address, key, handshake, session."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from ipaddress import ip_address
from typing import Any, Unpack
from urllib.parse import urlsplit

from msgspec import UNSET
from websockets.asyncio import client
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from antiphon.address import socket_url
from antiphon.call import Call
from antiphon.errors import CannotConnect, ConnectionLost, TimedOut, error_of
from antiphon.events import SessionErrorEvent, event_of
from antiphon.settings import SessionSettings, session_update
from antiphon.tools import Tools
from antiphon_protocol import codec
from antiphon_protocol.errors import ProtocolError
from antiphon_protocol.voice_agent import SessionReady, UpdateSession

CONNECT_S = 10.0
"""How long a session may take to be ready; the hosted service takes one second."""

CLOSE_S = 2.0
"""How long a closing handshake may take before the socket is cut."""


@asynccontextmanager
async def connect(
    url: str,
    key: str | None = None,
    *,
    tools: Tools | Iterable[Callable[..., Any]] = (),
    timeline: bool = False,
    timeout_s: float = CONNECT_S,
    **settings: Unpack[SessionSettings],
) -> AsyncIterator[Call]:
    """A call to the server at ``url``, open and ready inside the ``async with``.

    ``url`` may be http, https, ws or wss, with or without ``/v1/ws``; ``key`` is an API key or
    a temporary token; ``tools`` are functions the model may call; ``timeline`` asks for a
    ``TurnTimeline`` event after each reply; the settings are those of ``SessionSettings``.

    Raises ``CannotConnect`` when there is no such server, ``TimedOut`` when the session is not
    ready after ``timeout_s`` seconds, and a ``SessionError`` such as ``Unauthorized`` or
    ``InvalidSettings`` when the server refuses. At the end the session is ended, tools are
    cancelled and the socket is closed, within a few seconds at worst.
    """
    registry = tools if isinstance(tools, Tools) else Tools(tools)
    declared = registry.declarations() if len(registry) else UNSET
    hello = codec.encode(UpdateSession(session_update(settings, declared)))
    socket = await _open(socket_url(url, timeline=timeline), key, timeout_s)
    try:
        ready = await _introduce(socket, hello, timeout_s)
    except BaseException:
        await socket.close()
        raise
    call = Call(socket, ready, registry)
    try:
        yield call
    finally:
        await call.leave()


async def _open(url: str, key: str | None, timeout_s: float) -> client.ClientConnection:
    try:
        return await client.connect(
            url,
            additional_headers={"Authorization": f"Bearer {key}"} if key else None,
            # Base64 of sound gains little from it, and it triples the memory of a connection.
            compression=None,
            proxy=None if _is_here(url) else True,
            open_timeout=timeout_s,
            close_timeout=CLOSE_S,
        )
    except TimeoutError:
        raise TimedOut(f"no answer from {url} within {timeout_s:g} s") from None
    except InvalidStatus as error:
        status = error.response.status_code
        raise CannotConnect(f"{url} answered with HTTP {status} instead of a socket") from error
    except (OSError, ValueError, WebSocketException) as error:
        raise CannotConnect(f"no voice agent server at {url}: {error}") from error


def _is_here(url: str) -> bool:
    """Whether the address is this machine, where no proxy is asked."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _introduce(socket: client.ClientConnection, hello: str, timeout_s: float) -> SessionReady:
    """Configures the session and waits until it listens."""
    try:
        async with asyncio.timeout(timeout_s):
            # A refused key is answered before it is asked for: the reason is in the inbox.
            with suppress(ConnectionClosed):
                await socket.send(hello)
            return await _ready(socket)
    except TimeoutError:
        raise TimedOut(f"the session was not ready within {timeout_s:g} s") from None
    except ConnectionClosed:
        raise ConnectionLost(socket.close_code, socket.close_reason or "") from None
    except ProtocolError as error:
        raise CannotConnect(f"what answers there is no voice agent server: {error}") from error


async def _ready(socket: client.ClientConnection) -> SessionReady:
    while True:
        event = event_of(await socket.recv(), asyncio.get_running_loop().time())
        if isinstance(event, SessionReady):
            return event
        if isinstance(event, SessionErrorEvent):
            raise error_of(event)
