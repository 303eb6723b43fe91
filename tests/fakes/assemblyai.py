"""AssemblyAI on this machine: both of its streaming wires, with faults that can be set.

Source: AssemblyAI's pages "Streaming API", "Universal Streaming, message sequence" and
"Streaming TTS, message frames"; ``test_assemblyai_sdk.py`` proves it with the vendor's SDK.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from fakes import assemblyai_hearing, assemblyai_voice

KEY = "key-of-the-fake"


@dataclass
class Fault:
    """What goes wrong with a connection."""

    status: int | None = None
    """HTTP status in place of the upgrade, with ``body`` and ``headers``."""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    """Never answers the handshake."""
    error: dict[str, Any] | None = None
    """An ``Error`` frame, then the close with its code, in place of ``Begin``."""
    mute: bool = False
    """Never says anything, not even ``Begin``."""
    after: dict[str, list[str | bytes]] = field(default_factory=dict)
    """What is sent, as it is, after a frame of this type came (``Audio`` is audio)."""
    close: dict[str, int] = field(default_factory=dict)
    """The close code that a frame of this type is answered with; 1006 breaks off."""
    deaf: set[str] = field(default_factory=set)
    """Frames of these types are not acted on."""
    delays: dict[str, float] = field(default_factory=dict)
    """Seconds before a frame of this type is sent."""


@dataclass
class Session:
    """One connection and what came over it."""

    connection: ServerConnection
    path: str
    query: dict[str, str]
    headers: Headers
    fault: Fault
    frames: list[dict[str, Any]] = field(default_factory=list)
    audio: bytearray = field(default_factory=bytearray)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    close_code: int | None = None

    async def send(self, kind: str, **fields: Any) -> None:
        """Sends a frame."""
        if delay := self.fault.delays.get(kind):
            await asyncio.sleep(delay)
        await self.connection.send(json.dumps({"type": kind, **fields}))

    async def fail(self, code: int, words: str, **fields: Any) -> None:
        """Says what is wrong and closes."""
        await self.send("Error", error_code=code, error=words, **fields)
        await self.connection.close(code, "See Error message for details")

    async def receive(self) -> dict[str, Any] | bytes | None:
        """The next frame that is to be acted on; None once the session is over."""
        while True:
            try:
                message = await self.connection.recv()
            except ConnectionClosed:
                return None
            if isinstance(message, bytes):
                self.audio += message
                kind, received = "Audio", message
            else:
                received = json.loads(message)
                self.frames.append(received)
                kind = received["type"]
            async with self.arrived:
                self.arrived.notify_all()
            for said in self.fault.after.get(kind, []):
                await self.connection.send(said)
            if kind in self.fault.close:
                await self._break(self.fault.close[kind])
                return None
            if kind not in self.fault.deaf:
                return received

    async def until(self, kind: str, count: int = 1) -> None:
        """Returns when so many frames of this type came."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: self.types().count(kind) >= count)

    def types(self) -> list[str]:
        """Of the frames that came."""
        return [frame["type"] for frame in self.frames]

    async def _break(self, code: int) -> None:
        if code == 1006:
            self.connection.transport.abort()
        else:
            await self.connection.close(code, "See Error message for details")


class FakeAssemblyAI:
    """The vendor; ``faults`` are those of the next connections, ``fault`` that of all others.

    ``turns`` is what is heard, turn after turn of each session; see ``assemblyai_hearing``.
    """

    def __init__(self) -> None:
        self.key = KEY
        self.fault = Fault()
        self.faults: list[Fault] = []
        self.sessions: list[Session] = []
        self.opened = asyncio.Condition()
        self.turns: list[str] = ["Hello there.", "How are you?", "Goodbye."]
        self.ends_turns = False
        """Whether it ends turns by itself, by the silence that the session was opened with."""
        self.word_times = True
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
        for session in self.sessions:
            session.connection.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Without a path; of both wires."""
        assert self._server is not None
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    async def until_opened(self, count: int) -> None:
        """Returns when so many sessions were opened."""
        async with self.opened:
            await self.opened.wait_for(lambda: len(self.sessions) >= count)

    async def _accept(self, connection: ServerConnection, request: Request) -> Response | None:
        fault = self.faults.pop(0) if self.faults else self.fault
        self._met[connection] = fault
        if fault.hang:
            await self._leaving.wait()
        if fault.status is not None:
            headers = Headers({"Content-Length": str(len(fault.body)), **fault.headers})
            return Response(fault.status, "Words", headers, fault.body)
        if urlsplit(request.path).path not in {"/v3/ws", "/v1/ws"}:
            return Response(404, "Not Found", Headers({"Content-Length": "0"}), b"")
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        parts = urlsplit(connection.request.path)
        query, headers = dict(parse_qsl(parts.query)), connection.request.headers
        session = Session(connection, parts.path, query, headers, self._met.pop(connection))
        async with self.opened:
            self.sessions.append(session)
            self.opened.notify_all()
        try:
            if await self._begins(session):
                if parts.path == "/v3/ws":
                    await assemblyai_hearing.Hearing(session, self).run()
                else:
                    await assemblyai_voice.Speaking(session, timed=self.word_times).run()
        except ConnectionClosed:
            pass
        finally:
            await connection.wait_closed()
            session.close_code = connection.close_code

    async def _begins(self, session: Session) -> bool:
        """Whether the session was accepted; where it was not, it was told why."""
        fault = session.fault
        given = session.headers.get("Authorization") or session.query.get("token")
        if fault.mute:
            while await session.receive() is not None:
                pass
            return False
        if fault.error is not None:
            error = {"error_code": 3005, "error": "Session Cancelled", **fault.error}
            await session.fail(error.pop("error_code"), error.pop("error"), **error)
            return False
        if given != self.key:
            await session.fail(1008, "Unauthorized Connection: Invalid API key")
            return False
        return True
