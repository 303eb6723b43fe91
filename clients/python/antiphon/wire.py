"""A call at the level of its messages: for programs that hold hundreds of calls at once.

``connect`` gives one caller comfort: tools that run, sound that is decoded, a lost line that
comes back by itself. A load test wants none of it and many of them. Here frames that are always
the same are prepared once and written as they are, and what comes is not looked at.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Unpack

from msgspec import UNSET, UnsetType
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from antiphon.address import socket_url, without_token
from antiphon.connection import CONNECT_S
from antiphon.errors import ConnectionLost
from antiphon.handshake import Introduced, dial, introduce
from antiphon.settings import SessionSettings, session_update
from antiphon_protocol import codec
from antiphon_protocol.session_config import ToolUpdate
from antiphon_protocol.voice_agent import ClientMessage, ResumeSession, SessionReady, UpdateSession


def prepared(frame: str) -> bytes:
    """A text frame with its header and mask, as it crosses the socket (RFC 6455 section 5.2),
    to be written any number of times.

    The mask is drawn once. It protects proxies from pages that choose their bytes, not the call.
    """
    return Frame(Opcode.TEXT, frame.encode()).serialize(mask=True)


class Wire:
    """An open session. Made by ``open_wire``; its owner calls ``close`` in the end.

    ``ready`` is its ``session.ready``, the newest one after a resume.
    """

    def __init__(self, address: str, introduced: Introduced) -> None:
        self._address = address
        self._socket = introduced.socket
        self.ready: SessionReady = introduced.ready

    @property
    def waiting(self) -> int:
        """Bytes that the network has not taken yet; who writes keeps them few."""
        size: int = self._socket.transport.get_write_buffer_size()
        return size

    def write(self, frame: bytes) -> None:
        """Writes a ``prepared`` frame, without waiting. Raises ``ConnectionLost`` where the
        socket is not open.
        """
        if self._socket.state is not State.OPEN:
            raise self.lost()
        self._socket.transport.write(frame)

    async def send(self, message: ClientMessage) -> None:
        """Sends a message. Raises ``ConnectionLost``."""
        try:
            await self._socket.send(codec.encode(message))
        except ConnectionClosed:
            raise self.lost() from None

    async def frames(self) -> AsyncIterator[bytes]:
        """What comes over the socket, until it is lost or closed. Raises nothing for that:
        ``lost`` says how it went.
        """
        socket = self._socket
        try:
            while True:
                yield await socket.recv(decode=False)
        except ConnectionClosed:
            return

    def drop(self) -> None:
        """Cuts the line without a word, as a network does."""
        self._socket.transport.abort()

    async def resume(self, last_seq: int = 0, timeout_s: float = CONNECT_S) -> None:
        """Comes back on a new socket, in one try; ``last_seq`` is the highest that came.

        Raises what ``open_wire`` raises.
        """
        hello = codec.encode(ResumeSession(self.ready.session_id, last_seq or UNSET))
        token = self.ready.resume_token
        socket = await dial(without_token(self._address), token, timeout_s)
        introduced = await introduce(socket, hello, timeout_s)
        self._socket, self.ready = introduced.socket, introduced.ready

    def lost(self) -> ConnectionLost:
        """How the socket went."""
        return ConnectionLost(self._socket.close_code, self._socket.close_reason or "")

    async def close(self) -> None:
        """Closes the socket; bounded. The session goes on until the server gives it up, unless
        ``session.end`` was sent.
        """
        await self._socket.close()


async def open_wire(
    url: str,
    key: str | None = None,
    *,
    tools: tuple[ToolUpdate, ...] | UnsetType = UNSET,
    timeout_s: float = CONNECT_S,
    **settings: Unpack[SessionSettings],
) -> Wire:
    """A session at ``url``, ready. Takes and raises what ``connect`` does, but ``tools`` are
    declarations: nobody runs them.
    """
    hello = codec.encode(UpdateSession(session_update(settings, tools)))
    address = socket_url(url)
    socket = await dial(address, key, timeout_s)
    return Wire(address, await introduce(socket, hello, timeout_s))
