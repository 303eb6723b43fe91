"""What the fakes of voices that speak in contexts have in common: connections and faults."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from fakes.assemblyai_voice import sound

KEY = "key-of-the-fake"
CONTEXT = "$c"
"""In what is sent in place of an answer: the context that was asked for."""
RATE = 24_000
CHARACTER_MS = 40
"""How long the fakes speak each character."""


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
    """Takes everything in and never says anything."""
    instead: list[str | bytes] | None = None
    """What is sent, as it is, in place of all that the vendor would say."""
    close: tuple[int, str] | None = None
    """The code and reason that it closes with after its first sound; 1006 breaks off."""
    stalls: bool = False
    """Says nothing more after its first sound."""
    first_s: float = 0.0
    """Before each context's first sound."""


@dataclass
class Session:
    """One connection and what came over it."""

    connection: ServerConnection
    path: str
    query: dict[str, list[str]]
    headers: Headers
    fault: Fault
    frames: list[dict[str, Any]] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    has_sounded: bool = False

    async def send(self, frame: dict[str, Any], *, is_sound: bool = False) -> None:
        """Sends a frame, or what goes wrong in its place."""
        if self.fault.mute or (self.fault.stalls and self.has_sounded):
            return
        if self.fault.instead is not None:
            said, self.fault.instead = self.fault.instead, []
            name = self.frames[-1].get("context_id", "")
            for message in said:
                if isinstance(message, str):
                    message = message.replace(CONTEXT, name)  # noqa: PLW2901
                await self.connection.send(message)
            return
        await self.connection.send(json.dumps(frame))
        self.has_sounded = self.has_sounded or is_sound
        if is_sound and self.fault.close is not None:
            code, reason = self.fault.close
            if code == 1006:
                self.connection.transport.abort()
            else:
                await self.connection.close(code, reason)

    async def receive(self) -> dict[str, Any] | None:
        """The next frame; None once the connection is over."""
        try:
            frame: dict[str, Any] = json.loads(await self.connection.recv())
        except ConnectionClosed:
            return None
        self.frames.append(frame)
        async with self.arrived:
            self.arrived.notify_all()
        return frame

    async def until(self, is_it: Callable[[dict[str, Any]], bool]) -> None:
        """Returns when such a frame came."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: any(map(is_it, self.frames)))

    def begin(self, working: Awaitable[None]) -> asyncio.Task[None]:
        """Does something while frames go on coming, for as long as the connection stands."""

        async def work() -> None:
            with suppress(ConnectionClosed):
                await working

        task = asyncio.create_task(work())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def end(self) -> None:
        """Stops all that was begun."""
        tasks = set(self.tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


Refusal = tuple[int, dict[str, Any]]


class FakeVoices:
    """A vendor; ``faults`` are those of the next connections, ``fault`` that of all others."""

    def __init__(
        self,
        refuse: Callable[[Request], Refusal | None],
        speak: Callable[[Session], Awaitable[None]],
    ) -> None:
        self._refuse, self._speak = refuse, speak
        self.fault = Fault()
        self.faults: list[Fault] = []
        self.sessions: list[Session] = []
        self.changed = asyncio.Condition()
        self.ended = 0
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
        """Without a path."""
        assert self._server is not None
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    async def until(self, opened: int = 0, ended: int = 0) -> None:
        """Returns when so many connections were opened and so many have ended."""
        async with self.changed:
            await self.changed.wait_for(
                lambda: len(self.sessions) >= opened and self.ended >= ended
            )

    async def _accept(self, connection: ServerConnection, request: Request) -> Response | None:
        fault = self.faults.pop(0) if self.faults else self.fault
        self._met[connection] = fault
        if fault.hang:
            await self._leaving.wait()
        if fault.status is not None:
            return _answer(fault.status, fault.body, fault.headers)
        refusal = self._refuse(request)
        if refusal is None:
            return None
        return _answer(refusal[0], json.dumps(refusal[1]).encode(), {})

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        parts = urlsplit(connection.request.path)
        fault = self._met.pop(connection)
        headers = connection.request.headers
        session = Session(connection, parts.path, parse_qs(parts.query), headers, fault)
        async with self.changed:
            self.sessions.append(session)
            self.changed.notify_all()
        try:
            await self._speak(session)
        except ConnectionClosed:
            pass
        finally:
            await session.end()
            async with self.changed:
                self.ended += 1
                self.changed.notify_all()


def pcm_of(text: str) -> bytes:
    """What a text sounds like: a tone for each character."""
    return sound(text, RATE)


def _answer(status: int, body: bytes, headers: dict[str, str]) -> Response:
    fields = Headers({"Content-Length": str(len(body)), **headers})
    return Response(status, "Words", fields, body)
