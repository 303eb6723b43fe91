"""uvicorn, with the settings and the repairs that live calls need."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import signal
import socket
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from http import HTTPStatus
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request

from antiphon_server.edge.socket import MARK, OFFER, PUSH, Taker
from antiphon_server.settings import Settings

ABORT_SECONDS = 2.0
"""After a missed pong a close is tried; a client that reads nothing is cut this much later."""
UNREAD_SECONDS = 20
"""How long the kernel keeps data that a client does not acknowledge."""
BACKLOG = 1024
AT_ONCE = 16
"""Messages of one read that are taken as they come; others have a turn before the rest."""

Farewell = Callable[[], Awaitable[None]]


class AddressTaken(Exception):
    """The address cannot be listened on; the message says why and what to do."""


class HardenedWebSocket(WebSocketsSansIOProtocol):
    """uvicorn waits for ever for a client that reads nothing; this one is cut. And it tells
    what a client has taken: a ping goes after it, and the pong comes back (RFC 6455, 5.5.3).

    Each text frame is offered to the application as it comes, where that asked for it: to queue
    it, to pause the socket and to wake a task is half of what a frame of audio costs.
    """

    _taker: Taker | None = None
    _left_at_once = 0

    def handle_connect(self, event: Request) -> None:
        """The application may set marks."""
        super().handle_connect(event)
        self._marks: OrderedDict[bytes, Callable[[], None]] = OrderedDict()
        self._marked = 0
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            extensions: dict[str, Any] = self.scope["extensions"]
            extensions[MARK] = self.mark
            extensions[OFFER] = self.offer
            extensions[PUSH] = self.push

    def data_received(self, data: bytes) -> None:
        """Some bytes came."""
        self._left_at_once = AT_ONCE
        super().data_received(data)

    def offer(self, taker: Taker) -> None:
        """From now on ``taker`` is offered each text frame that no other is before."""
        self._taker = taker

    def push(self, text: str) -> bool:
        """Sends a text frame if the socket is open and takes it."""
        if not self.writable.is_set() or not self.handshake_complete or self.close_sent:
            return False
        if self.disconnected or self.transport.is_closing():
            return False
        self.conn.send_text(text.encode())
        self.transport.write(b"".join(self.conn.data_to_send()))
        return True

    def handle_text(self, event: Frame) -> None:
        """A frame that is taken as it comes; or as in uvicorn."""
        if not self._is_taken(event):
            super().handle_text(event)

    def _is_taken(self, event: Frame) -> bool:
        taker = self._taker
        if taker is None or not event.fin or self.close_sent or not self.queue.empty():
            return False
        self._left_at_once -= 1
        if self._left_at_once < 0:
            return False
        try:
            text = bytes(event.data).decode()
        except UnicodeDecodeError:
            return False
        return taker(text)

    def mark(self, passed: Callable[[], None]) -> None:
        """Calls ``passed`` once the client's side has taken all that was sent so far."""
        if self.close_sent or self.transport.is_closing():
            return
        self._marked += 1
        payload = self._marked.to_bytes(8)
        self._marks[payload] = passed
        self.conn.send_ping(payload)
        self.transport.write(b"".join(self.conn.data_to_send()))

    def handle_pong(self, event: Frame) -> None:
        """A pong answers its ping and all before it."""
        payload = bytes(event.data)
        if payload not in self._marks:
            super().handle_pong(event)
            return
        while True:
            answered, passed = self._marks.popitem(last=False)
            passed()
            if answered == payload:
                return

    def keepalive_timeout(self) -> None:
        """A pong is missing: close, and abort if even that is not taken."""
        super().keepalive_timeout()
        self.loop.call_later(ABORT_SECONDS, self.transport.abort)


def listen(settings: Settings) -> socket.socket:
    """A listening socket. Raises ``AddressTaken``."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # Inherited by every connection: stalled readers are dropped by the kernel.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_SECONDS * 1000)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(BACKLOG)
    except OSError as failure:
        listener.close()
        raise AddressTaken(
            f"cannot listen on {settings.host}:{settings.port}: {failure.strerror or failure}. "
            f"{_advice(failure)}"
        ) from failure
    return listener


def _advice(failure: OSError) -> str:
    """What to do about an address that cannot be had."""
    if failure.errno == errno.EADDRINUSE:
        return "Stop what listens there, or choose another port with --port or ANTIPHON_PORT"
    if failure.errno == errno.EACCES:
        return "Choose a port from 1024 on, with --port or ANTIPHON_PORT"
    return "Choose an address of this machine, with --host or ANTIPHON_HOST"


class QuietlyStoppedServer(uvicorn.Server):
    """uvicorn raises the signal that stopped it once more, as a KeyboardInterrupt into the
    middle of its own clean-up. This one is told to stop, and stops; before it cuts its clients
    off it waits for ``farewell``, which tells them in the words of their wire.
    """

    def __init__(self, config: uvicorn.Config, farewell: Farewell | None = None) -> None:
        super().__init__(config)
        self._farewell = farewell

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's, after the farewell."""
        for listening in self.servers:
            listening.close()
        if self._farewell is not None:
            await self._farewell()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The first SIGINT or SIGTERM stops the server, the second one at once."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """As uvicorn's, but any second signal forces."""
        del sig, frame
        self.force_exit = self.should_exit
        self.should_exit = True


def server(app: Any, settings: Settings, farewell: Farewell | None = None) -> uvicorn.Server:
    """The HTTP server, not yet running; give it the socket of ``listen``."""
    return QuietlyStoppedServer(
        uvicorn.Config(
            app,
            ws=HardenedWebSocket,
            ws_max_size=settings.max_message_bytes,
            ws_ping_interval=settings.ping_seconds,
            ws_ping_timeout=settings.ping_seconds,
            # Base64 gains little from it, and it triples the memory of a connection.
            ws_per_message_deflate=False,
            loop="uvloop",
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=5,
        ),
        farewell,
    )


def settle_memory() -> None:
    """Keeps what was loaded out of the garbage collector's sight: a full collection would stop
    every call for tens of milliseconds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
