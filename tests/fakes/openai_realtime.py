"""OpenAI's Realtime API on this machine (``/v1/realtime``), with faults that can be set.

Sessions of both types: a conversation (``?model=...``) and a transcription
(``?intent=transcription``). Source: OpenAI's guides "Realtime API with WebSocket", "Realtime
conversations" and "Realtime transcription", and the ``openai`` SDK 3.54, ``types/realtime``
(2026-11-22); ``test_openai_realtime_sdk.py`` proves it with that SDK.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from fakes.openai_realtime_response import Answer
from fakes.openai_realtime_session import RealtimeSession

KEY = "sk-of-the-fake"
_PATH = "/v1/realtime"


@dataclass
class Fault:
    """What goes wrong with a connection."""

    status: int | None = None
    """HTTP status in place of the upgrade, with ``body`` and ``headers``."""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    """Never answers the handshake."""
    mute: bool = False
    """Connects and never says anything."""
    after: dict[str, list[str | bytes]] = field(default_factory=dict)
    """What is sent, as it is, after an event of this type came."""
    close: dict[str, tuple[int, str]] = field(default_factory=dict)
    """The close code and reason that an event of this type is answered with; 1006 breaks off."""
    deaf: set[str] = field(default_factory=set)
    """Events of these types are not acted on."""
    delays: dict[str, float] = field(default_factory=dict)
    """Seconds before an event of this type is sent."""
    instead: dict[str, list[str | bytes]] = field(default_factory=dict)
    """What is sent in place of an event of this type."""
    twice: set[str] = field(default_factory=set)
    """Events of these types are sent again."""
    cut: dict[str, int] = field(default_factory=dict)
    """The connection breaks off in place of so many events of this type, counted from 1."""


class Connection:
    """One connection and what came over it."""

    def __init__(self, connection: ServerConnection, fault: Fault) -> None:
        assert connection.request is not None
        self.connection = connection
        self.fault = fault
        self.headers = connection.request.headers
        self.query = parse_qs(urlsplit(connection.request.path).query)
        self.events: list[dict[str, Any]] = []
        self.sent: list[str] = []
        self.arrived = asyncio.Condition()
        self.close_code: int | None = None
        self.session: RealtimeSession | None = None
        self._numbers = itertools.count(1)
        self._sending = asyncio.Lock()

    def types(self) -> list[str]:
        """Of the events that came."""
        return [event["type"] for event in self.events]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of this type that came."""
        return [event for event in self.events if event["type"] == kind]

    async def until(self, kind: str, count: int = 1) -> None:
        """Returns when so many events of this type came."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: self.types().count(kind) >= count)

    async def until_sent(self, kind: str, count: int = 1) -> None:
        """Returns when so many events of this type were sent."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: self.sent.count(kind) >= count)

    async def send(self, kind: str, **fields: Any) -> None:
        """Sends an event; whole events, though several tasks send."""
        fault = self.fault
        message = json.dumps({"type": kind, "event_id": f"event_{next(self._numbers)}", **fields})
        if delay := fault.delays.get(kind):
            await asyncio.sleep(delay)
        async with self._sending:
            if self.sent.count(kind) + 1 == fault.cut.get(kind):
                self.connection.transport.abort()
            for said in fault.instead.get(kind, [message] * (1 + (kind in fault.twice))):
                await self.connection.send(said)
        async with self.arrived:
            self.sent.append(kind)
            self.arrived.notify_all()

    async def error(self, code: str, message: str, event_id: str | None) -> None:
        """Says that something that came was wrong."""
        told = {"type": "invalid_request_error", "code": code, "message": message}
        await self.send("error", error={**told, "param": None, "event_id": event_id})

    async def receive(self) -> dict[str, Any] | None:
        """The next event that is to be acted on; None once the connection is over."""
        while True:
            try:
                event: dict[str, Any] = json.loads(await self.connection.recv())
            except ConnectionClosed:
                return None
            kind = event["type"]
            async with self.arrived:
                self.events.append(event)
                self.arrived.notify_all()
            for said in self.fault.after.get(kind, []):
                await self.connection.send(said)
            if kind in self.fault.close:
                await self._close(*self.fault.close[kind])
                return None
            if kind not in self.fault.deaf:
                return event

    async def _close(self, code: int, reason: str) -> None:
        if code == 1006:
            self.connection.transport.abort()
        else:
            await self.connection.close(code, reason)


class FakeOpenAIRealtime:
    """The vendor; ``faults`` are those of the next connections, ``fault`` that of all others.

    ``transcripts`` is what is heard, commit after commit of each connection (in silence nothing);
    ``answers`` is what it says, response after response of all.
    """

    def __init__(self) -> None:
        self.key = KEY
        self.fault = Fault()
        self.faults: list[Fault] = []
        self.connections: list[Connection] = []
        self.opened = asyncio.Condition()
        self.transcripts: list[str | None] = ["Hello there.", "How are you?", "Goodbye."]
        """None: the transcription fails."""
        self.answers: list[Answer] = []
        self.lasts_s = 3600.0
        """How long a session says that it lasts."""
        self.numbers = itertools.count(1)
        self._server: Server | None = None
        self._leaving = asyncio.Event()
        self._met: dict[ServerConnection, Fault] = {}

    async def __aenter__(self) -> Self:
        self._server = await serve(
            self._serve, "127.0.0.1", 0, process_request=self._accept, compression=None
        )
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._leaving.set()
        assert self._server is not None
        for connection in self.connections:
            connection.connection.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        return port

    @property
    def url(self) -> str:
        """Ends before ``/realtime``."""
        return f"ws://127.0.0.1:{self.port}/v1"

    async def until_opened(self, count: int) -> None:
        """Returns when so many connections were opened."""
        async with self.opened:
            await self.opened.wait_for(lambda: len(self.connections) >= count)

    def items(self) -> list[dict[str, Any]]:
        """The conversation of the last connection, as the model would see it."""
        session = self.connections[-1].session
        assert session is not None
        return [entry.item for entry in session.entries]

    def texts(self) -> list[str]:
        """The same in short: the role or type of each item, and what it says."""
        return [_short(item) for item in self.items()]

    async def _accept(self, connection: ServerConnection, request: Request) -> Response | None:
        fault = self.faults.pop(0) if self.faults else self.fault
        self._met[connection] = fault
        if fault.hang:
            await self._leaving.wait()
        if fault.status is not None:
            return _answer(fault.status, fault.body, fault.headers)
        if urlsplit(request.path).path != _PATH:
            return _answer(404, b"")
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            words = {"message": "Incorrect API key provided.", "code": "invalid_api_key"}
            return _answer(401, json.dumps({"error": words}).encode())
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        met = Connection(connection, self._met.pop(connection))
        async with self.opened:
            self.connections.append(met)
            self.opened.notify_all()
        try:
            if met.fault.mute:
                while await met.receive() is not None:
                    pass
            else:
                met.session = RealtimeSession(met, self)
                await met.session.run()
        except ConnectionClosed:
            pass
        finally:
            await connection.wait_closed()
            met.close_code = connection.close_code


def _short(item: dict[str, Any]) -> str:
    if item["type"] == "function_call":
        return f"call {item['call_id']}: {item['name']} {item['arguments']}"
    if item["type"] == "function_call_output":
        return f"result {item['call_id']}: {item['output']}"
    part = item["content"][0] if item["content"] else {"type": "nothing"}
    return f"{item['role']} {part['type']}: {part.get('text') or part.get('transcript') or ''}"


def _answer(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response:
    fields = Headers({"Content-Length": str(len(body)), **(headers or {})})
    return Response(status, "Words", fields, body)
