"""A client of the application in raw ASGI: no network, virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cached_property
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from msgspec.structs import replace
from starlette.applications import Starlette

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_server.call.services import Services
from antiphon_server.edge.app import create_app
from antiphon_server.edge.node import Node
from antiphon_server.edge.socket import MARK, OFFER, PUSH, Taker
from antiphon_server.settings import STAGE_OPTIONS, Settings, read
from server.call.twins import RecorderTwin

UPDATE = '{"type":"session.update","session":{"greeting":"Hello there."}}'
END = '{"type":"session.end"}'
SCRIPTED = {f"ANTIPHON_{stage.upper()}": "scripted" for stage in STAGE_OPTIONS}

M = TypeVar("M", bound=wire.ServerMessage)


class VirtualNode(Node):
    """A node whose calls live on the loop's clock, with the records in memory: what works on
    threads of its own lives in real time.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.recorder = RecorderTwin()

    @cached_property
    def app(self) -> Starlette:
        """Its application, which clients share."""
        return create_app(self)

    async def start(self) -> None:
        """The providers alone."""
        for provider in self.pipeline.providers.values():
            await provider.start()
        self.ready = True

    @property
    def services(self) -> Services:
        """As ever, but for the clock and the records."""
        clock = asyncio.get_running_loop().time
        return replace(super().services, clock=clock, recorder=self.recorder)


@asynccontextmanager
async def started(**variables: str) -> AsyncIterator[VirtualNode]:
    """A node with scripted providers and these settings, while it serves; nothing of it is left.

    A session ends with its socket, unless ``RESUME_SECONDS`` is given.
    """
    settings = {f"ANTIPHON_{name}": text for name, text in variables.items()}
    with TemporaryDirectory() as folder:
        own = {"ANTIPHON_DATA_DIR": folder, "ANTIPHON_RESUME_SECONDS": "0"}
        node = VirtualNode(read({**SCRIPTED, **own, **settings}))
        try:
            node.create()
            await node.start()
            yield node
        finally:
            await node.close()


class Client:
    """The other end of one ASGI WebSocket."""

    def __init__(self) -> None:
        self.to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.events: list[dict[str, Any]] = []
        self.news = asyncio.Event()
        self.task: asyncio.Task[None]
        self.marks: list[Callable[[], None]] = []
        """What waits for this side to have taken all that was sent."""
        self._taker: Taker | None = None
        self.taken = 0
        """Frames that the application took as they came."""
        self.to_app.put_nowait({"type": "websocket.connect"})

    async def send(self, message: Any) -> None:
        """Takes what the application sends."""
        self.events.append(message)
        self.news.set()

    def push(self, frame: str) -> bool:
        """Takes what the application sends, while the application has not closed."""
        if self.closed is not None:
            return False
        self.events.append({"type": "websocket.send", "text": frame})
        self.news.set()
        return True

    def tell(self, frame: str) -> None:
        """Sends a text frame: what the application does not take as it comes is queued."""
        if self._taker is not None and self.to_app.empty() and self._taker(frame):
            self.taken += 1
            return
        self.to_app.put_nowait({"type": "websocket.receive", "text": frame})

    def offer(self, taker: Taker) -> None:
        """From now on this is offered each frame that no other is before."""
        self._taker = taker

    def update(self, **session: Any) -> None:
        """Sends a ``session.update``."""
        self.tell(json.dumps({"type": "session.update", "session": session}))

    def resume(self, session_id: str, **more: Any) -> None:
        """Asks for a session that was begun on another socket."""
        self.tell(json.dumps({"type": "session.resume", "session_id": session_id, **more}))

    def confirm(self) -> None:
        """Has taken all that was sent so far."""
        for passed in self.marks:
            passed()
        self.marks.clear()

    def leave(self) -> None:
        """Is gone."""
        self.to_app.put_nowait({"type": "websocket.disconnect", "code": 1006})

    @property
    def messages(self) -> list[wire.FromServer]:
        """What was said so far."""
        texts = [event["text"] for event in self.events if event["type"] == "websocket.send"]
        found = [codec.decode_server(text) for text in texts]
        return [message for message in found if message is not None]

    def heard(self, kind: type[M]) -> list[M]:
        """The messages of a kind so far."""
        return [message for message in self.messages if isinstance(message, kind)]

    @property
    def kinds(self) -> list[str]:
        """The types of all messages so far but audio and deltas."""
        tags = [str(message.__struct_config__.tag) for message in self.messages]
        return [tag for tag in tags if tag != "reply.audio" and not tag.endswith(".delta")]

    @property
    def refusal(self) -> tuple[str, int | None]:
        """The code of the one error that was told, and the close code."""
        (error,) = self.heard(wire.SessionError)
        return error.code, self.closed

    @property
    def closed(self) -> int | None:
        """The close code."""
        codes = [event["code"] for event in self.events if event["type"] == "websocket.close"]
        return codes[0] if codes else None

    async def until(self, kind: type[M], count: int = 1) -> M:
        """Returns the message of that kind, once it, or so many of them, have come."""
        while len(found := self.heard(kind)) < count:
            self.news.clear()
            await self.news.wait()
        return found[count - 1]


@asynccontextmanager
async def connected(
    node: VirtualNode,
    query: str = "",
    authorization: str | None = None,
    path: str = "/v1/ws",
    *,
    marks: bool = False,
    offers: bool = True,
) -> AsyncIterator[Client]:
    """A client of the application; it leaves at the end.

    With ``marks`` the server can ask what the client has taken; see ``Client.confirm``. Without
    ``offers`` it is any other server, on which all frames are queued, both ways.
    """
    client = Client()
    marking: dict[str, Any] = {MARK: client.marks.append} if marks else {}
    offering: dict[str, Any] = {OFFER: client.offer, PUSH: client.push} if offers else {}
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": headers,
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}, **marking, **offering},
    }
    client.task = asyncio.create_task(node.app(scope, client.to_app.get, client.send))
    try:
        yield client
    finally:
        client.leave()
        await client.task


@asynccontextmanager
async def visited(
    query: str = "", authorization: str | None = None, path: str = "/v1/ws", **variables: str
) -> AsyncIterator[Client]:
    """A client of a node of its own."""
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(started(**variables))
        yield await stack.enter_async_context(connected(node, query, authorization, path))
