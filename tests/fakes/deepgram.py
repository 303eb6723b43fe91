"""Deepgram on this machine: Nova, Flux and Aura over WebSocket, with faults that can be set.

Source: Deepgram's pages "Live Audio", "Listen (Flux)" and "Text to Speech, streaming" of the
API reference, "Finalize", "Force End Turn" and "Flush"; ``test_deepgram_sdk.py`` proves it with
the vendor's SDK.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from fakes import deepgram_flux, deepgram_nova, deepgram_voice

KEY = "key-of-the-fake"
_PATHS = {"/v1/listen", "/v2/listen", "/v1/speak"}
_MODELS = {"/v1/listen": "nova-", "/v2/listen": "flux-general-", "/v1/speak": "aura-"}


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
    """What is sent, as it is, after a frame of this type came (``Audio`` is audio)."""
    close: dict[str, tuple[int, str]] = field(default_factory=dict)
    """The close code and reason that a frame of this type is answered with; 1006 breaks off."""
    deaf: set[str] = field(default_factory=set)
    """Frames of these types are not acted on."""
    delays: dict[str, float] = field(default_factory=dict)
    """Seconds before a frame of this type is sent (``Sound`` is sound)."""
    instead: dict[str, list[str | bytes]] = field(default_factory=dict)
    """What is sent in place of a frame of this type."""


@dataclass
class Session:
    """One connection and what came over it."""

    connection: ServerConnection
    path: str
    query: dict[str, list[str]]
    headers: Headers
    fault: Fault
    frames: list[dict[str, Any]] = field(default_factory=list)
    audio: bytearray = field(default_factory=bytearray)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    close_code: int | None = None

    def parameter(self, name: str, default: str = "") -> str:
        """The first value of a parameter."""
        return self.query.get(name, [default])[0]

    async def send(self, kind: str, **fields: Any) -> None:
        """Sends a frame."""
        await self._say(kind, json.dumps({"type": kind, **fields}))

    async def sound(self, pcm: bytes) -> None:
        """Sends sound."""
        await self._say("Sound", pcm)

    async def receive(self) -> dict[str, Any] | bytes | None:
        """The next frame that is to be acted on; None once the connection is over."""
        while True:
            try:
                message = await self.connection.recv()
            except ConnectionClosed:
                return None
            received: dict[str, Any] | bytes = message if isinstance(message, bytes) else {}
            if isinstance(message, bytes):
                self.audio += message
                kind = "Audio"
            else:
                self.frames.append(received := json.loads(message))
                kind = self.frames[-1]["type"]
            async with self.arrived:
                self.arrived.notify_all()
            for said in self.fault.after.get(kind, []):
                await self.connection.send(said)
            if kind in self.fault.close:
                await self._break(*self.fault.close[kind])
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

    async def _say(self, kind: str, message: str | bytes) -> None:
        if delay := self.fault.delays.get(kind):
            await asyncio.sleep(delay)
        for said in self.fault.instead.get(kind, [message]):
            await self.connection.send(said)

    async def _break(self, code: int, reason: str) -> None:
        if code == 1006:
            self.connection.transport.abort()
        else:
            await self.connection.close(code, reason)


class FakeDeepgram:
    """The vendor; ``faults`` are those of the next connections, ``fault`` that of all others.

    ``turns`` is what is heard, turn after turn of each connection.
    """

    def __init__(self) -> None:
        self.key = KEY
        self.fault = Fault()
        self.faults: list[Fault] = []
        self.sessions: list[Session] = []
        self.opened = asyncio.Condition()
        self.turns: list[str] = ["Hello there.", "How are you?", "Goodbye."]
        self.ends_turns = False
        """Whether Flux ends turns by itself, after 400 ms of silence."""
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
        """Without a path; of all wires."""
        assert self._server is not None
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    async def until_opened(self, count: int) -> None:
        """Returns when so many connections were opened."""
        async with self.opened:
            await self.opened.wait_for(lambda: len(self.sessions) >= count)

    async def _accept(self, connection: ServerConnection, request: Request) -> Response | None:
        fault = self.faults.pop(0) if self.faults else self.fault
        self._met[connection] = fault
        if fault.hang:
            await self._leaving.wait()
        if fault.status is not None:
            return _answer(fault.status, fault.body, fault.headers)
        return self._refusal(request)

    def _refusal(self, request: Request) -> Response | None:
        """What is wrong with a request; None for nothing."""
        parts = urlsplit(request.path)
        if parts.path not in _PATHS:
            return _answer(404, b"")
        if request.headers.get("Authorization") != f"Token {self.key}":
            words = {"err_code": "INVALID_AUTH", "err_msg": "Invalid credentials."}
            return _answer(401, json.dumps(words).encode())
        model = parse_qs(parts.query).get("model", [""])[0]
        if not model.startswith(_MODELS[parts.path]):
            words = {"err_code": "Bad Request", "err_msg": f"No such model: {model}"}
            return _answer(400, json.dumps({**words, "request_id": "5f7"}).encode())
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        parts = urlsplit(connection.request.path)
        headers = connection.request.headers
        query = parse_qs(parts.query)
        session = Session(connection, parts.path, query, headers, self._met.pop(connection))
        async with self.opened:
            self.sessions.append(session)
            self.opened.notify_all()
        try:
            if session.fault.mute:
                while await session.receive() is not None:
                    pass
            elif parts.path == "/v1/listen":
                await deepgram_nova.Nova(session, self).run()
            elif parts.path == "/v2/listen":
                await deepgram_flux.Flux(session, self).run()
            else:
                await deepgram_voice.Aura(session).run()
        except ConnectionClosed:
            pass
        finally:
            await connection.wait_closed()
            session.close_code = connection.close_code


def _answer(status: int, body: bytes, headers: dict[str, str] | None = None) -> Response:
    fields = Headers({"Content-Length": str(len(body)), **(headers or {})})
    return Response(status, "Words", fields, body)
