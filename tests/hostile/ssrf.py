"""A machine with something to hide, and every way in which a client makes the server ask a URL."""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_address
from typing import Any

import httpx
import pytest

from antiphon_providers.errors import ProviderError
from antiphon_server.call.http_tools import HttpTarget, HttpTools
from antiphon_server.call.models import ModelTarget, OwnModels
from antiphon_server.security.destinations import WEB_PORTS
from antiphon_server.security.outbound import OutboundGuard, OutboundRequest
from antiphon_server.security.outbound_errors import OutboundError
from antiphon_server.security.secrets import Vault
from antiphon_server.store.webhook_deliveries import Due
from antiphon_server.webhooks.attempt import Attempt, Failure, post
from openai_peer import asking
from outbound_peer import Names

CANARIES = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
ALLOWED = ("127.0.0.1", 1)
"""What the operator allows, so that the list of exceptions is not empty: nobody is there."""


class Sockets:
    """What the process's sockets are connected to while a test runs.

    Only loopback is connected to in fact, so that no test reaches the internet. The system's
    resolver is not asked at all: ``lookups`` has what would have been.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.connects: list[tuple[str, int]] = []
        self.lookups: list[object] = []
        connect = socket.socket.connect

        def watched(this: socket.socket, address: Any) -> None:
            self.connects.append(address[:2])
            if not ip_address(address[0]).is_loopback:
                raise ConnectionRefusedError("not from a test")
            connect(this, address)

        def refused(*asked: Any, **_: Any) -> None:
            self.lookups.append(asked)
            raise socket.gaierror(socket.EAI_NONAME, "not from a test")

        patch.setattr(socket.socket, "connect", watched)
        patch.setattr(socket.socket, "connect_ex", watched)
        patch.setattr(socket, "getaddrinfo", refused)


class Canaries:
    """Listeners on this machine that must not hear anything."""

    def __init__(self) -> None:
        self.port = 0
        self.heard: list[str] = []
        self.all_heard = asyncio.Event()

    def take(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection came."""
        self.heard.append(writer.get_extra_info("sockname")[0])
        if set(self.heard) == set(CANARIES):
            self.all_heard.set()
        writer.close()


@asynccontextmanager
async def canaries() -> AsyncIterator[Canaries]:
    """Listeners at one port of several loopback addresses."""
    birds = Canaries()
    async with AsyncExitStack() as stack:
        for host in CANARIES:
            server = await asyncio.start_server(birds.take, host, birds.port)
            birds.port = server.sockets[0].getsockname()[1]
            await stack.enter_async_context(server)
        yield birds


@functools.cache
def _trust() -> ssl.SSLContext:
    """Made once: it takes longer than a request."""
    return httpx.create_ssl_context()


Enter = Callable[[str], Awaitable[bool]]
"""Gives a URL to the server in one of its ways; False if it was refused or failed."""


class Entrances:
    """The ways, by name; all behind one guard."""

    def __init__(self, guard: OutboundGuard, *, follow: bool = False) -> None:
        self._guard = guard
        self._tools = HttpTools(guard)
        self._models = OwnModels(guard)
        self._client = httpx.AsyncClient(transport=guard.transport(), follow_redirects=follow)
        self.ways: dict[str, Enter] = {
            "check_url": self.check,
            "fetch": self.fetch,
            "transport": self.stream,
            "http_tool": self.tool,
            "own_model": self.model,
            "webhook": self.webhook,
        }

    async def check(self, url: str) -> bool:
        """A URL is stored: a tool's, a webhook's or a model's."""
        try:
            await self._guard.check_url(url)
        except OutboundError:
            return False
        return True

    async def fetch(self, url: str) -> bool:
        """Anything is asked for."""
        try:
            response = await self._guard.fetch(OutboundRequest(method="POST", url=url))
        except OutboundError:
            return False
        return 200 <= response.status < 300

    async def stream(self, url: str) -> bool:
        """A client streams through the transport."""
        try:
            async with self._client.stream("GET", url) as response:
                await response.aread()
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
            return False
        return response.is_success

    async def tool(self, url: str) -> bool:
        """The model calls a tool, whose arguments go into the query."""
        target = HttpTarget(url, "GET", (("authorization", "Bearer s3cr3t"),))
        return not (await self._tools.run(target, {"a": "b"}, 10)).is_error

    async def model(self, url: str) -> bool:
        """An agent's own model replies."""
        model = self._models.of("a", (ModelTarget(url, "m", "s3cr3t"),))
        try:
            async for _ in model.reply(asking("a")):
                pass
        except ProviderError:
            return False
        return True

    async def webhook(self, url: str) -> bool:
        """A webhook is delivered."""
        due = Due(
            id="whd_1",
            account="a",
            subscription_id=None,
            session_id="sess_1",
            event_id="evt_1",
            url=url,
            secret=None,
            body=b"{}",
            attempts=0,
            leased_until=60.0,
        )
        try:
            answer = await post(self._guard, Vault((bytes(32),)), Attempt(due, 0.0, 10))
        except Failure:
            return False
        return 200 <= answer.status < 300

    async def close(self) -> None:
        """Closes what the ways opened."""
        await self._client.aclose()
        await self._models.close()


@asynccontextmanager
async def entrances(
    names: Callable[[str, int], Awaitable[Sequence[str]]] | None = None,
    *allow: str,
    port: int,
    follow: bool = False,
) -> AsyncIterator[Entrances]:
    """All ways in, where this port is as good as 443, so that no other rule hides a hole."""
    guard = OutboundGuard(
        (f"{ALLOWED[0]}:{ALLOWED[1]}", *allow),
        resolve=names or Names(),
        ports=WEB_PORTS | {port},
        tls=_trust(),
    )
    ways = Entrances(guard, follow=follow)
    try:
        yield ways
    finally:
        await ways.close()
        await guard.close()
