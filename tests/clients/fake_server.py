"""A small WebSocket server that says what a test tells it to."""

from __future__ import annotations

import asyncio
import socket as sockets
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeVar

import msgspec
from msgspec import UNSET
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from antiphon_protocol import codec
from antiphon_protocol.audio import ENCODINGS
from antiphon_protocol.session_config import (
    AudioFormat,
    InputConfig,
    OutputConfig,
    SessionConfig,
    SessionUpdate,
)
from antiphon_protocol.voice_agent import (
    ClientMessage,
    EndSession,
    FromClient,
    ResumeSession,
    SendAudio,
    ServerMessage,
    SessionEnded,
    SessionReady,
    SessionUpdated,
    UpdateSession,
)
from clients.fake_agent import FakeAgent

Kind = TypeVar("Kind", bound=ClientMessage)


class Peer:
    """The server's end of one connection."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.received: list[FromClient] = []
        assert socket.request is not None
        self.path = socket.request.path
        self.headers = socket.request.headers
        self.session = SessionUpdate()
        self.encoding = ENCODINGS["audio/pcm"]

    async def receive(self, kind: type[Kind]) -> Kind:
        """The next message of a kind; others are kept in ``received`` and passed over."""
        while True:
            message = codec.decode_client(await self.socket.recv())
            self.received.append(message)
            if isinstance(message, kind):
                return message

    async def send(self, *messages: ServerMessage) -> None:
        """Sends messages in this order."""
        for message in messages:
            await self.socket.send(codec.encode(message))

    async def accept(self) -> None:
        """Takes the first update and starts the session with its formats."""
        update = await self.receive(UpdateSession)
        self.session = update.session or SessionUpdate()
        config = SessionConfig(
            id="sess_1",
            system_prompt=self.session.system_prompt or "",
            input=InputConfig(format=_format(self.session.input)),
            output=OutputConfig(format=_format(self.session.output)),
        )
        self.encoding = ENCODINGS[config.input.format.encoding]
        await self.send(
            SessionUpdated(config=config),
            SessionReady(
                session_id="sess_1",
                expires_at=1,
                resume_token="rt_1",  # noqa: S106 - not a secret
                config=config,
            ),
        )

    async def take_back(self, resume_token: str = "rt_2") -> ResumeSession:  # noqa: S107
        """Lets a client resume, with this token for the next time."""
        asked = await self.receive(ResumeSession)
        config = SessionConfig(id="sess_1", system_prompt="As before.")
        await self.send(
            SessionReady(
                session_id="sess_1", expires_at=2, resume_token=resume_token, config=config
            )
        )
        return asked

    def reset(self) -> None:
        """Cuts the connection with a TCP reset, as a crash does."""
        raw = self.socket.transport.get_extra_info("socket")
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.transport.abort()

    def vanish(self) -> None:
        """Hears and says nothing any more, pings included, as behind a cable that was cut."""
        self.socket.transport.pause_reading()

    async def end(self) -> None:
        """Waits for the goodbye and answers it."""
        await self.receive(EndSession)
        await self.send(SessionEnded(session_duration_seconds=1.0, audio_duration_seconds=0.5))

    async def converse(self, agent: FakeAgent) -> None:
        """Lets an agent answer until the client says goodbye."""
        agent.encoding = self.encoding
        while True:
            message = codec.decode_client(await self.socket.recv())
            self.received.append(message)
            if isinstance(message, SendAudio):
                await self.send(*agent.hear(codec.decode_base64(message.audio)))
            elif isinstance(message, EndSession):
                await self.send(
                    SessionEnded(session_duration_seconds=1.0, audio_duration_seconds=None)
                )
                return


def _format(part: object) -> AudioFormat:
    given = getattr(part, "format", UNSET)
    return AudioFormat() if given is UNSET else msgspec.convert(given, AudioFormat)


Script = Callable[[Peer], Awaitable[None]]


class Address:
    """Where the server listens; ``peers`` are the connections it has had."""

    def __init__(self) -> None:
        self.url = ""
        self.peers: list[Peer] = []
        self.failures: list[BaseException] = []


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[Address]:
    """A server that runs ``script`` for each connection, then closes it with 1000.

    What a script raises is raised at the end, unless the client simply went away.
    """
    address = Address()

    async def run(socket: ServerConnection) -> None:
        peer = Peer(socket)
        address.peers.append(peer)
        try:
            with suppress(ConnectionClosed):
                await script(peer)
        except (Exception, asyncio.CancelledError) as failure:
            address.failures.append(failure)
            raise

    async with serve(run, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        address.url = f"ws://127.0.0.1:{port}"
        yield address
    if address.failures:
        raise address.failures[0]


def in_turn(*scripts: Script) -> Script:
    """A script for each connection, one after the other; the last for all that follow."""
    left = list(scripts)

    async def run(peer: Peer) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(peer)

    return run


async def quiet(peer: Peer) -> None:
    """A script: starts the session, says nothing, ends it when asked."""
    await peer.accept()
    await peer.end()
