"""Opening a socket and introducing oneself on it: what a new call and a resumed one share."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec import Struct
from websockets.asyncio import client
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from antiphon.errors import CannotConnect, ConnectionLost, TimedOut, error_of
from antiphon.events import Event, SessionErrorEvent, event_of
from antiphon_protocol.errors import ProtocolError
from antiphon_protocol.voice_agent import SessionReady

CLOSE_S = 2.0
"""How long a closing handshake may take before the socket is cut."""

KEEPALIVE_S = 8.0
"""Seconds between pings, and until one counts as unanswered: a line that went dead without a
word is noticed within 16 s, and half of the 30 s in which a session can be resumed are left.
Twice this is more than ``inbox.PATIENCE_S``, for which a full inbox holds up the socket.
"""


class Introduced(Struct, frozen=True):
    """A socket on which the session is ready, and what came before ``session.ready``."""

    socket: client.ClientConnection
    ready: SessionReady
    before: tuple[Event, ...] = ()


async def dial(url: str, key: str | None, timeout_s: float) -> client.ClientConnection:
    """A socket to the server. Raises ``CannotConnect``, ``TimedOut``."""
    try:
        return await client.connect(
            url,
            additional_headers={"Authorization": f"Bearer {key}"} if key else None,
            # Base64 of sound gains little from it, and it triples the memory of a connection.
            compression=None,
            proxy=None if _is_here(url) else True,
            open_timeout=timeout_s,
            close_timeout=CLOSE_S,
            ping_interval=KEEPALIVE_S,
            ping_timeout=KEEPALIVE_S,
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


async def introduce(socket: client.ClientConnection, hello: str, timeout_s: float) -> Introduced:
    """Says ``hello`` and waits until the session listens; closes the socket where it does not.

    Raises ``TimedOut``, ``ConnectionLost``, ``CannotConnect`` where what answers is no voice
    agent server, and the ``SessionError`` with which the server refuses.
    """
    try:
        async with asyncio.timeout(timeout_s):
            # A refused key is answered before it is asked for: the reason is in the inbox.
            with suppress(ConnectionClosed):
                await socket.send(hello)
            return await _ready(socket)
    except BaseException as error:
        await socket.close()
        if isinstance(error, TimeoutError):
            raise TimedOut(f"the session was not ready within {timeout_s:g} s") from None
        if isinstance(error, ConnectionClosed):
            raise ConnectionLost(socket.close_code, socket.close_reason or "") from None
        if isinstance(error, ProtocolError):
            wrong = f"what answers there is no voice agent server: {error}"
            raise CannotConnect(wrong) from error
        raise


async def _ready(socket: client.ClientConnection) -> Introduced:
    before: list[Event] = []
    while True:
        event = event_of(await socket.recv(), asyncio.get_running_loop().time())
        if isinstance(event, SessionReady):
            return Introduced(socket, event, tuple(before))
        if isinstance(event, SessionErrorEvent):
            raise error_of(event)
        before.append(event)
