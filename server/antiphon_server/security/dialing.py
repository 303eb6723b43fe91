"""Connections that go to the very address that was judged.

httpcore asks for a connection by name whenever it makes a new one. Here the name is resolved
and judged at that moment, and the socket is connected to the result without asking again, so
there is no time at which a name server could change its mind. TLS is left to httpcore, which
names the host in the handshake and checks the certificate against it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import httpcore

from antiphon_server.security.destinations import Destinations

CONNECT_SECONDS = 10.0
"""For all addresses of one name together, TLS not counted."""
_MOST_ADDRESSES = 4


class Dialer(httpcore.AsyncNetworkBackend):
    """Opens the sockets of a connection pool."""

    def __init__(self, destinations: Destinations) -> None:
        self._destinations = destinations
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface.
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first of the host's addresses that answers.

        Raises what ``Destinations.addresses`` raises, ``httpcore.ConnectError`` and
        ``httpcore.ConnectTimeout``, none with an address in its text.
        """
        now = asyncio.get_running_loop().time
        until = now() + min(timeout or CONNECT_SECONDS, CONNECT_SECONDS)
        addresses = (await self._destinations.addresses(host, port))[:_MOST_ADDRESSES]
        too_slow = False
        for tried, address in enumerate(addresses):
            share = max(0.0, until - now()) / (len(addresses) - tried)
            try:
                return await self._sockets.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except httpcore.ConnectTimeout:
                too_slow = True
            except httpcore.ConnectError:
                too_slow = False
        if too_slow:
            raise httpcore.ConnectTimeout(f"{host} did not take the connection in time")
        raise httpcore.ConnectError(f"{host} did not take the connection")

    async def connect_unix_socket(
        self,
        path: str,  # noqa: ARG002
        timeout: float | None = None,  # noqa: ARG002, ASYNC109 - httpcore's interface.
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Never: nobody's public server is a file of ours."""
        raise httpcore.ConnectError("files are not connected to")

    async def sleep(self, seconds: float) -> None:
        """Passes the time."""
        await asyncio.sleep(seconds)
