"""The suite's own HTTP server, which a server under test calls back.

It plays the customer's side: the language model of a stored agent (``/model``), the endpoint
of an HTTP tool and the receiver of webhooks (``/box/NAME``). Standard library only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

PATIENCE_SECONDS = 30.0


@dataclass(frozen=True)
class Request:
    """What the server under test asked."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """Without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        """Names and values of the query, in order."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Response:
    """What to answer: a whole body, or the pieces of a stream of events."""

    status: int = 200
    body: bytes | AsyncIterator[bytes] = b""
    kind: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


Answer = Callable[[Request], Awaitable[Response]]


class Box:
    """A mailbox with an address: keeps what it is sent and answers as it was told.

    ``responses`` are used up one after the other; the last one stays.
    """

    def __init__(self, name: str, *responses: Response) -> None:
        self.name = name
        self.responses = list(responses) or [Response(body=b"{}")]
        self.received: list[Request] = []
        self._arrived = asyncio.Condition()

    async def take(self, request: Request) -> Response:
        """Keeps one request."""
        async with self._arrived:
            response = self.responses[min(len(self.received), len(self.responses) - 1)]
            self.received.append(request)
            self._arrived.notify_all()
        return response

    async def wait(
        self, found: Callable[[list[Request]], bool], seconds: float = PATIENCE_SECONDS
    ) -> list[Request]:
        """Everything received, once that is what is wanted. Raises ``TimeoutError``."""
        async with self._arrived, asyncio.timeout(seconds):
            await self._arrived.wait_for(lambda: found(self.received))
        return self.received


class Peer:
    """The running server. ``base`` is where the server under test reaches it."""

    def __init__(self, base: str = "") -> None:
        self.base = base
        self.model: Answer = _no_model
        self._boxes: dict[str, Box] = {}
        self._connections: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self, port: int) -> int:
        """Listens; returns the port, a free one for 0."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        bound: int = self._server.sockets[0].getsockname()[1]
        self.base = self.base or f"http://127.0.0.1:{bound}"
        return bound

    async def close(self) -> None:
        """Cuts all connections."""
        assert self._server is not None
        self._server.close()
        for writer in self._connections:
            writer.transport.abort()
        await self._server.wait_closed()

    def box(self, *responses: Response) -> tuple[str, Box]:
        """A new mailbox and its address."""
        name = uuid.uuid4().hex
        self._boxes[name] = Box(name, *responses)
        return f"{self.base}/box/{name}", self._boxes[name]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            while (request := await _read(reader)) is not None:
                await _write(writer, await self._answer(request))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # The server under test hung up, as it may; or the run is over.
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _answer(self, request: Request) -> Response:
        _, _, rest = request.path.partition("/")
        kind, _, name = rest.partition("/")
        if kind == "model":
            return await self.model(request)
        if kind == "box" and (box := self._boxes.get(name)):
            return await box.take(request)
        return Response(404, b'{"error":"no such path"}')


async def _no_model(request: Request) -> Response:
    return Response(503, json.dumps({"error": f"no model for {request.path}"}).encode())


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {
        name.strip().lower(): value.strip()
        for name, colon, value in (line.partition(":") for line in lines)
        if colon
    }
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _read_chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).split(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


async def _write(writer: asyncio.StreamWriter, response: Response) -> None:
    lines = [f"HTTP/1.1 {response.status} Words", f"content-type: {response.kind}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    whole = isinstance(response.body, bytes)
    length = f"content-length: {len(response.body)}" if isinstance(response.body, bytes) else ""
    lines.append(length if whole else "transfer-encoding: chunked")
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
    if isinstance(response.body, bytes):
        writer.write(response.body)
    else:
        async with contextlib.aclosing(_chunks(response.body)) as chunks:
            async for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
    await writer.drain()


async def _chunks(pieces: AsyncIterator[bytes]) -> Any:
    async for piece in pieces:
        yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
    yield b"0\r\n\r\n"
