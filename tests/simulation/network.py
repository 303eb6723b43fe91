"""One WebSocket of a simulated call: the application on one end, the client on the other, and
a network between them that takes time and fails.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_server.edge.socket import MARK, OFFER, PUSH, Taker

KEEPALIVE_S = 20.0
"""After so long without a pong the server's side is told that the socket is gone."""
BUFFER_BYTES = 64 * 1024
"""What kernels hold for a client that does not read."""

Passed = Callable[[], None]


class Ends(Protocol):
    """Who uses a link: a watcher of what the server sends, and the client."""

    def sent(self, link: Link, message: wire.FromServer, text: str) -> None:
        """The application sent a frame, whatever becomes of it."""
        ...

    def hung_up(self, link: Link, code: int) -> None:
        """The application closed the link, whether or not the client learns of it."""
        ...

    def arrived(self, link: Link, message: wire.FromServer, text: str) -> None:
        """A frame reached the client."""
        ...

    def closed(self, link: Link, code: int) -> None:
        """The client learnt that the link is closed."""
        ...


class Link:
    """The link. ``tell``, ``close`` and the faults are the client's; the rest is ASGI."""

    def __init__(self, number: int, latency_s: float, ends: Ends) -> None:
        self.number = number
        self.is_up = True
        """Frames can pass."""
        self.lost_at: float | None = None
        """When the server's side learnt that it is gone, or closed it itself."""
        self.stalls = 0
        """How often the client stopped reading."""
        self._loop = asyncio.get_running_loop()
        self.latency_s = latency_s
        self._ends = ends
        self._up: deque[dict[str, Any]] = deque()
        self._down: deque[tuple[str, Any, Any]] = deque()
        self._down_bytes = 0
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._to_app.put_nowait({"type": "websocket.connect"})
        self._taker: Taker | None = None
        self._is_reset = False
        self._is_dark = False
        self._is_in_frame = False
        self._reads = asyncio.Event()
        self._reads.set()
        self._keepalive: asyncio.TimerHandle | None = None

    # --- the application's end -------------------------------------------------------------

    def scope(self, authorization: str) -> dict[str, Any]:
        """What the application is called with."""
        return {
            "type": "websocket",
            "path": "/v1/ws",
            "query_string": b"",
            "headers": [(b"authorization", authorization.encode())],
            "extensions": {MARK: self.mark, OFFER: self.offer, PUSH: self.push},
        }

    async def receive(self) -> dict[str, Any]:
        """The next ASGI message."""
        return await self._to_app.get()

    def offer(self, taker: Taker) -> None:
        """As ``edge.transport``: from now on ``taker`` is offered what no other frame is before."""
        self._taker = taker

    def push(self, frame: str) -> bool:
        """As ``edge.transport``: takes a frame if the kernel has room for it."""
        if self._is_reset or self.lost_at is not None or not self._has_room(len(frame)):
            return False
        self._say(frame)
        return True

    async def send(self, message: Any) -> None:
        """Takes an ASGI message. Raises ``OSError`` once the link is known to be gone."""
        if self._is_reset:
            raise OSError("the link is gone")
        kind = message["type"]
        if kind == "websocket.send":
            text = message["text"]
            decoded = codec.decode_server(text)
            assert decoded is not None, text
            self._ends.sent(self, decoded, text)
            await self._taken(len(text))
            self._fly(("frame", decoded, text), len(text))
        elif kind == "websocket.close":
            self._lost()
            self._ends.hung_up(self, message["code"])
            await self._taken(0)
            self._fly(("close", message["code"], None), 0)

    def _say(self, text: str) -> None:
        decoded = codec.decode_server(text)
        assert decoded is not None, text
        self._ends.sent(self, decoded, text)
        self._fly(("frame", decoded, text), len(text))

    def _has_room(self, size: int) -> bool:
        is_full = not self._reads.is_set() and self._down_bytes + size > BUFFER_BYTES
        return not self._is_in_frame and not is_full

    async def _taken(self, size: int) -> None:
        """Returns once the kernel has room for it."""
        while not self._has_room(size):
            await self._reads.wait()
            if self._is_reset:
                raise OSError("the link is gone")

    def mark(self, passed: Passed) -> None:
        """As ``edge.transport``: calls ``passed`` once the client has taken what was sent."""
        if not self._is_reset:
            self._fly(("mark", passed, None), 0)

    def finished(self) -> None:
        """The application is done with the link: a client that was not told learns of it."""
        self._lost()
        if self.is_up:
            self._fly(("close", 1006, None), 0)

    # --- on the way ------------------------------------------------------------------------

    def _fly(self, item: tuple[str, Any, Any], size: int) -> None:
        """Towards the client."""
        if self._is_dark or not self.is_up:
            return
        self._down.append(item)
        self._down_bytes += size
        if self.latency_s:
            self._loop.call_later(self.latency_s, self._land)
        else:
            self._land()

    def _land(self) -> None:
        if not self._down or not self._reads.is_set():
            return
        kind, first, second = self._down.popleft()
        if kind == "frame":
            self._down_bytes -= len(second)
            self._ends.arrived(self, first, second)
        elif kind == "mark":
            self._pong(first)
        elif self.is_up:
            self.is_up = False
            self._ends.closed(self, first)

    def _pong(self, passed: Passed) -> None:
        if self.latency_s:
            self._loop.call_later(self.latency_s, self._pong_back, passed)
        else:
            passed()

    def _pong_back(self, passed: Passed) -> None:
        if not self._is_dark and not self._is_reset:
            passed()

    def _rise(self) -> None:
        if self._up:
            self._reach_app(self._up.popleft())

    # --- the client's end ------------------------------------------------------------------

    def tell(self, frame: str | bytes) -> None:
        """Sends a frame."""
        key = "text" if isinstance(frame, str) else "bytes"
        self._send_up({"type": "websocket.receive", key: frame})

    def _send_up(self, message: dict[str, Any]) -> None:
        if self._is_dark or not self.is_up:
            return
        if self.latency_s:
            self._up.append(message)
            self._loop.call_later(self.latency_s, self._rise)
        else:
            self._reach_app(message)

    def _reach_app(self, message: dict[str, Any]) -> None:
        text, taker = message.get("text"), self._taker
        if text is None or taker is None or not self._to_app.empty() or not taker(text):
            self._to_app.put_nowait(message)

    def close(self) -> None:
        """Closes it properly; what is on its way to the client is not read any more."""
        self._send_up({"type": "websocket.disconnect", "code": 1000})
        self._loop.call_later(self.latency_s, self._end)
        self._forget()

    def reset(self) -> None:
        """It breaks, and both ends know; what is on its way either way is lost."""
        self._up.clear()
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1006})
        self._end()
        self._forget()

    def go_dark(self) -> None:
        """Nothing passes any more, and neither end is told."""
        self._is_dark = True
        self._up.clear()
        self._forget()
        self._keepalive = self._loop.call_later(KEEPALIVE_S, self.reset)

    def break_in_frame(self) -> None:
        """The next frame will never be wholly through; ``reset`` is to follow."""
        self._is_in_frame = True
        self._reads.clear()

    def stall(self) -> None:
        """The client stops reading."""
        self.stalls += 1
        self._reads.clear()

    def read_on(self) -> None:
        """The client reads again."""
        if self._is_in_frame:
            return
        self._reads.set()
        while self._down and self._reads.is_set():
            self._land()

    def hang_up(self) -> None:
        """No timer of it is left."""
        if self._keepalive is not None:
            self._keepalive.cancel()

    def _end(self) -> None:
        """The server's side learns of it: nothing can be sent any more."""
        self._lost()
        self._is_reset = True
        self._is_in_frame = False
        self._reads.set()

    def _forget(self) -> None:
        self.is_up = False
        self._down.clear()

    def _lost(self) -> None:
        if self.lost_at is None:
            self.lost_at = self._loop.time()
