"""A network in memory: real clients and real servers talk over it, in virtual time.

A ``NetworkLoop`` makes its connections and its servers here instead of with the kernel, so that
a vendor's fake and the adapter that talks to it, with the HTTP and WebSocket libraries of both,
run unchanged and as fast as they can. What happens to a connection on its way is decided by its
``Road``. Names are resolved here too; TLS is not spoken (``Road.connects`` may fail as it does).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from faults.lines import End, Line, NoSocket, Road
from virtual_time import LIMIT_S, VirtualTimeLoop

_FIRST_PORT = 40_000

Factory = Callable[[], asyncio.BaseProtocol]


class _Server(asyncio.AbstractServer):
    """Who listens at a port."""

    def __init__(self, network: Network, port: int, factory: Factory) -> None:
        self._network = network
        self._port = port
        self.factory = factory
        self.sockets = [NoSocket(port)]

    def close(self) -> None:
        """Nobody does any more."""
        self._network.servers.pop(self._port, None)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The network's."""
        return asyncio.get_running_loop()

    def is_serving(self) -> bool:
        """Whether it listens."""
        return self._port in self._network.servers

    async def start_serving(self) -> None:
        """It does already."""

    async def serve_forever(self) -> None:
        """Until cancelled."""
        await asyncio.Event().wait()

    async def wait_closed(self) -> None:
        """It is."""


class Network:
    """Who listens where, and which road leads there."""

    def __init__(self) -> None:
        self.servers: dict[int, _Server] = {}
        self.lines: list[tuple[int, Line]] = []
        """All connections that stood, with their ports."""
        self.roads: dict[int, Callable[[], Road]] = {}
        """By port; where there is none, all goes well."""
        self.asked: list[tuple[float, int]] = []
        """When which port was connected to, whatever came of it."""

    def listen(self, port: int, factory: Factory) -> _Server:
        """A server at this port; 0: at any."""
        port = port or _FIRST_PORT + len(self.servers)
        server = self.servers[port] = _Server(self, port, factory)
        return server

    async def connect(self, port: int, factory: Factory) -> tuple[End, Any]:
        """A connection to a port. Raises ``OSError``."""
        self.asked.append((asyncio.get_running_loop().time(), port))
        road = self.roads.get(port, Road)()
        await road.connects()
        if port not in self.servers:
            raise ConnectionRefusedError(111, "Connect call failed")
        line = Line(road)
        self.lines.append((port, line))
        line.server.begin(self.servers[port].factory())
        protocol = factory()
        line.client.begin(protocol)
        return line.client, protocol


class NetworkLoop(VirtualTimeLoop):
    """A loop in virtual time whose network is in memory."""

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        super().__init__(limit_s)
        self.network = Network()

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> Any:
        """Every name is known."""
        del host
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", int(port)))]

    async def create_connection(  # type: ignore[override]
        self, protocol_factory: Factory, _host: Any = None, port: Any = None, **_: Any
    ) -> Any:
        """In memory."""
        return await self.network.connect(int(port), protocol_factory)

    async def create_server(  # type: ignore[override]
        self, protocol_factory: Factory, _host: Any = None, port: Any = 0, **_: Any
    ) -> Any:
        """In memory."""
        return self.network.listen(int(port or 0), protocol_factory)
