"""A client of the application in raw ASGI: no network, virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory
from typing import Any

from msgspec.structs import replace

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_server.call.services import Services
from antiphon_server.edge.app import create_app
from antiphon_server.edge.node import Node
from antiphon_server.settings import STAGE_OPTIONS, Settings, read

UPDATE = '{"type":"session.update","session":{"greeting":"Hello there."}}'
SCRIPTED = {f"ANTIPHON_{stage.upper()}": "scripted" for stage in STAGE_OPTIONS}


class VirtualNode(Node):
    """A node whose calls live on the loop's clock, and which leaves nothing behind."""

    def __init__(self, settings: Settings, folder: TemporaryDirectory[str]) -> None:
        super().__init__(settings)
        self._folder = folder

    async def close(self) -> None:
        """As ever."""
        await super().close()
        self._folder.cleanup()

    @property
    def services(self) -> Services:
        """As ever, but for the clock."""
        return replace(super().services, clock=asyncio.get_running_loop().time)


async def started(**variables: str) -> Node:
    """A node with scripted providers and these settings, ready to serve."""
    settings = {f"ANTIPHON_{name}": text for name, text in variables.items()}
    folder = TemporaryDirectory()
    own = {"ANTIPHON_DATA_DIR": folder.name, "ANTIPHON_RESUME_SECONDS": "0"}
    node = VirtualNode(read({**SCRIPTED, **own, **settings}), folder)
    node.create()
    await node.start()
    return node


class Client:
    """The other end of one ASGI WebSocket."""

    def __init__(self) -> None:
        self.to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.events: list[dict[str, Any]] = []
        self.news = asyncio.Event()
        self.task: asyncio.Task[None]
        self.to_app.put_nowait({"type": "websocket.connect"})

    async def send(self, message: Any) -> None:
        """Takes what the application sends."""
        self.events.append(message)
        self.news.set()

    def tell(self, frame: str) -> None:
        """Sends a text frame."""
        self.to_app.put_nowait({"type": "websocket.receive", "text": frame})

    def leave(self) -> None:
        """Is gone."""
        self.to_app.put_nowait({"type": "websocket.disconnect", "code": 1006})

    @property
    def messages(self) -> list[wire.FromServer]:
        """What was said so far."""
        texts = [event["text"] for event in self.events if event["type"] == "websocket.send"]
        found = [codec.decode_server(text) for text in texts]
        return [message for message in found if message is not None]

    @property
    def closed(self) -> int | None:
        """The close code."""
        codes = [event["code"] for event in self.events if event["type"] == "websocket.close"]
        return codes[0] if codes else None

    async def until(self, kind: type[wire.ServerMessage]) -> None:
        """Returns once a message of that kind has come."""
        while not any(isinstance(message, kind) for message in self.messages):
            self.news.clear()
            await self.news.wait()


@asynccontextmanager
async def connected(
    node: Node, query: str = "", authorization: str | None = None, path: str = "/v1/ws"
) -> AsyncIterator[Client]:
    """A client of the application; it leaves at the end."""
    client = Client()
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
        "extensions": {},
    }
    app = create_app(node)
    client.task = asyncio.create_task(app(scope, client.to_app.get, client.send))
    yield client
    client.leave()
    await client.task
