"""Where this server may connect to for others, and which address a name has.

Anybody's public web server may be asked, over HTTPS. What else may be asked, such as a model
server on the operator's own network, the operator lists as exact hosts and ports.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

import structlog

from antiphon_server.security.addresses import is_public
from antiphon_server.security.outbound_errors import OutboundTooSlow, Unresolved, UnsafeUrl
from antiphon_server.security.urls import WebUrl, read

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host name. Raises ``OSError`` where it has none."""

WEB_PORTS = frozenset({443, 8443})
RESOLVE_SECONDS = 3.0
"""For one name. A voice call has no more patience, and a dead name server must not keep it."""
_LOOKUPS = 16
"""At one time: a name whose server never answers keeps a thread for as long as the system does."""

_OWN_NAMES = ("localhost", "local", "internal", "home.arpa", "onion")
"""Never public, so never even asked for: RFC 6761, RFC 6762, ICANN's resolution of 29 July 2024
on ``.internal``, RFC 8375, RFC 7686.
"""
_HOSTED_SERVICE = re.compile(r".*--svc-[0-9a-f]{32}\.modal\.run")
"""Refused by the protocol, section 3.3."""

log = structlog.get_logger()


class SystemResolver:
    """The machine's own resolver, on threads of its own.

    Not on the loop's: uvloop has four for all names, and four dead name servers would stop them.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="outbound-names")
        self._closed = False

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        """Its addresses, in the order in which the system prefers them."""
        if self._closed:
            raise OSError("the server is stopping")
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(address[0]) for *_, address in found]

    def close(self) -> None:
        """Takes no more names."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)


class Destinations:
    """What may be connected to.

    ``allow`` has the operator's exceptions, each ``host:port``; they alone may be asked over
    http, by address, by a name that is not public, or at another port than ``ports``.
    """

    def __init__(
        self, allow: Iterable[str], resolve: Resolve, ports: frozenset[int] = WEB_PORTS
    ) -> None:
        """Raises ``ValueError`` for an exception that cannot be."""
        self._allowed = frozenset(map(_exception, allow))
        self._resolve = resolve
        self._ports = ports

    def check(self, url: WebUrl) -> None:
        """Raises ``UnsafeUrl`` for a URL that may not be asked, whatever its name resolves to."""
        if (url.host, url.port) in self._allowed:
            return
        if url.scheme != "https":
            raise UnsafeUrl("URL must begin with https://")
        if url.port not in self._ports:
            ports = " or ".join(map(str, sorted(self._ports)))
            raise UnsafeUrl(f"URL port {url.port} is not allowed: it must be {ports}")
        if url.is_address or "." not in url.host or _is_own(url.host):
            raise UnsafeUrl(f"URL host {url.host} is not a public name")
        if _HOSTED_SERVICE.fullmatch(url.host):
            raise UnsafeUrl(f"URL host {url.host} is not allowed")

    async def addresses(self, host: str, port: int) -> list[str]:
        """Where to connect to: looked up once, and every address judged.

        One that is not public spoils all of them: no public name has such an address beside
        its own. Raises ``Unresolved``, ``OutboundTooSlow`` or ``UnsafeUrl``.
        """
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                found = list(dict.fromkeys(await self._resolve(host, port)))
        except TimeoutError:
            raise OutboundTooSlow(f"URL host {host} does not resolve in time") from None
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise Unresolved(f"URL host {host} does not resolve")
        if (host, port) not in self._allowed:
            inside = [address for address in found if not _is_public(address)]
            if inside:
                log.warning("refused to connect for a client", host=host, address=inside[0])
                raise UnsafeUrl(f"URL host {host} does not resolve to a public address")
        return found


def _exception(entry: str) -> tuple[str, int]:
    """Host and port of an entry of the allow-list. Raises ``ValueError``."""
    advice = f"'{entry}' is not a host and a port, such as llm.example:8000"
    if re.fullmatch(r".+:[0-9]+", entry) is None:
        raise ValueError(advice)
    try:
        url = read(f"http://{entry}")
    except UnsafeUrl as wrong:
        raise ValueError(f"{advice}: {wrong}") from None
    if url.target != b"/":
        raise ValueError(advice)
    return url.host, url.port


def _is_own(host: str) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in _OWN_NAMES)


def _is_public(address: str) -> bool:
    try:
        return is_public(ip_address(address))
    except ValueError:
        return False
