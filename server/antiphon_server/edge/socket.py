"""A WebSocket as sessions know it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.types import Receive, Scope, Send

MARK = "antiphon.mark"
"""The extension of the ASGI scope by which ``edge.transport`` tells what a client has taken."""

Mark = Callable[[Callable[[], None]], None]

OFFER = "antiphon.offer"
"""The extension of the ASGI scope by which ``edge.transport`` offers a frame as it comes."""

Taker = Callable[[str], bool]

PUSH = "antiphon.push"
"""The extension of the ASGI scope by which ``edge.transport`` sends a frame without a wait."""


class AsgiSocket:
    """Spoken to in raw ASGI messages, because Starlette's own helpers raise untyped errors once
    a socket is gone.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self._receive = receive
        self._send = send
        self._mark: Mark | None = (scope.get("extensions") or {}).get(MARK)
        self._push: Taker | None = (scope.get("extensions") or {}).get(PUSH)
        self._gone = asyncio.Event()
        self._waiting = False

    async def accept(self) -> None:
        """Completes the upgrade."""
        await self._receive()
        await self._send({"type": "websocket.accept"})

    async def receive(self) -> str | bytes | None:
        """The next frame; None once the client is gone."""
        if self._gone.is_set():
            return None
        self._waiting = True
        try:
            message = await self._receive()
        finally:
            self._waiting = False
        if message["type"] != "websocket.receive":
            self._gone.set()
            return None
        frame: str | bytes | None = message.get("text")
        return message.get("bytes", b"") if frame is None else frame

    def offer(self, taker: Taker) -> None:
        """From now on ``taker`` is offered each text frame that nothing is before, while
        ``receive`` waits; what it does not take (False) comes out of ``receive``. It saves waking
        a task for a frame. On a server that cannot do this all frames come out of ``receive``.
        """
        extensions = self.scope.get("extensions") or {}
        if OFFER in extensions:
            extensions[OFFER](lambda frame: self._waiting and taker(frame))

    def push(self, frame: str) -> bool:
        """Sends a text frame where nothing is in its way; False where it must be waited for, by
        ``send``, or the client is gone.
        """
        return self._push is not None and not self._gone.is_set() and self._push(frame)

    async def send(self, frame: str) -> None:
        """Sends a text frame. Raises ``ConnectionError`` once the client is gone."""
        if self._gone.is_set():
            raise ConnectionResetError
        try:
            await self._send({"type": "websocket.send", "text": frame})
        except (OSError, RuntimeError) as gone:
            self._gone.set()
            raise ConnectionResetError from gone

    def mark(self, passed: Callable[[], None]) -> bool:
        """Calls ``passed`` once the client has taken all that was sent so far: a ping follows
        it, and its pong comes back. False on a server that cannot do this.
        """
        if self._mark is None:
            return False
        if not self._gone.is_set():
            self._mark(passed)
        return True

    async def close(self, code: int) -> None:
        """Closes with a code; harmless when closed already."""
        if self._gone.is_set():
            return
        self._gone.set()
        message: dict[str, Any] = {"type": "websocket.close", "code": code}
        try:
            async with asyncio.timeout(1.0):
                await self._send(message)
        except (OSError, RuntimeError, TimeoutError):
            return

    async def ended(self) -> None:
        """Returns once the socket is closed, by whichever side."""
        await self._gone.wait()
