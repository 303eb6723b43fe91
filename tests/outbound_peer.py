"""A guard whose names a test decides, and servers for it to ask."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from antiphon_server.security.outbound import OutboundGuard
from raw_http import Answer, RawServer


@dataclass
class Names:
    """A resolver. Each name has its answers in turn, of which the last is kept; an address is
    its own answer. ``asked`` has all lookups.
    """

    table: dict[str, list[list[str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """The next answer. Raises ``socket.gaierror`` for a name that has none."""
        del port
        self.asked.append(host)
        answers = self.table.get(host)
        if answers is not None:
            return answers.pop(0) if len(answers) > 1 else answers[0]
        try:
            return [str(ip_address(host))]
        except ValueError:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None


@asynccontextmanager
async def guarded(*allow: str, **more: Any) -> AsyncIterator[OutboundGuard]:
    """A guard with these exceptions; names resolve by ``Names`` unless the test says otherwise."""
    guard = OutboundGuard(allow, **{"resolve": Names(), **more})
    try:
        yield guard
    finally:
        await guard.close()


@asynccontextmanager
async def tls_server(answer: Answer, tls: ssl.SSLContext) -> AsyncIterator[tuple[RawServer, int]]:
    """A server that speaks TLS, and its port on 127.0.0.1."""
    server = RawServer(answer)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server, listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        await server.stop()
