"""The one way out of this server to addresses that somebody else chose.

Tools, webhooks and models of agents' own are reached through an ``OutboundGuard``, which
cannot be turned against the network the server stands in: docs/explanation/outbound.md.
"""

from __future__ import annotations

import asyncio
import ssl

import h11
import httpx
from msgspec import Struct

from antiphon_protocol import __version__
from antiphon_server.security.destinations import (
    WEB_PORTS,
    Destinations,
    Resolve,
    SystemResolver,
)
from antiphon_server.security.dialing import CONNECT_SECONDS
from antiphon_server.security.outbound_errors import (
    OutboundError,
    OutboundFailed,
    OutboundTooLarge,
    OutboundTooSlow,
    Unresolved,
    UnsafeUrl,
)
from antiphon_server.security.outbound_transport import GuardedTransport
from antiphon_server.security.urls import MOST_REQUEST_CHARACTERS, origin, read

USER_AGENT = f"Antiphon/{__version__}"

RESERVED_HEADERS = frozenset(
    {
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""What a request's frame is made of: nobody's to set but the connection's (RFC 9110, 7.6.1)."""

_HEAD_TOO_LARGE = 431


class OutboundRequest(Struct, frozen=True, kw_only=True):
    """What to ask, how long it may take in all (seconds), and how much to read (bytes)."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    timeout_s: float = 10.0
    max_bytes: int = 65_536

    def __repr__(self) -> str:
        """Without path, query, headers and body, which hold secrets."""
        return f"OutboundRequest({self.method} {origin(self.url)})"


class OutboundResponse(Struct, frozen=True):
    """An answer, whatever its status. ``headers`` have lower-case names.

    ``body`` is as it was sent, never decompressed (none was asked to compress it), and ``cut``
    where it was longer than the request's ``max_bytes``.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    cut: bool = False

    def __repr__(self) -> str:
        """Without what was answered, which is somebody's own."""
        return f"OutboundResponse({self.status}, {len(self.body)} bytes)"


class OutboundGuard:
    """Asks public web servers, and those the operator allows, and no others.

    ``allow`` are ``host:port`` of the operator's own network (setting ``outbound_allow``).
    ``resolve``, ``tls`` and ``ports`` take the place of the machine's resolver, of httpx's
    trust in certificates and of 443 and 8443. Proxies of the environment are not used: they
    would resolve the name again. Raises ``ValueError`` for an entry that cannot be.
    """

    def __init__(
        self,
        allow: tuple[str, ...] = (),
        *,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
        ports: frozenset[int] = WEB_PORTS,
    ) -> None:
        self._system = SystemResolver()
        self._destinations = Destinations(allow, resolve or self._system, ports)
        # Made once: it holds some hundred certificates, and takes 20 ms.
        self._tls = tls or httpx.create_ssl_context()
        self._fetching = self.transport()

    async def check_url(self, url: str) -> None:
        """Whether a URL may be stored, to be asked later (when it is checked again).

        Raises ``UnsafeUrl``, with a text for whoever wrote it: ``URL host X does not resolve``.
        """
        parsed = read(url)
        self._destinations.check(parsed)
        try:
            await self._destinations.addresses(parsed.host, parsed.port)
        except (Unresolved, OutboundTooSlow):
            raise UnsafeUrl(f"URL host {parsed.host} does not resolve") from None

    async def fetch(self, request: OutboundRequest) -> OutboundResponse:
        """Asks once, follows nothing, and reads at most ``max_bytes`` within ``timeout_s``.

        Raises ``OutboundError``: one of its kinds, whose texts hold no address of the network.
        """
        try:
            async with asyncio.timeout(request.timeout_s):
                return await self._exchange(_prepared(request), request.max_bytes)
        except TimeoutError:
            raise OutboundTooSlow(f"no whole answer within {request.timeout_s:g} s") from None
        except httpx.HTTPError as failed:
            raise _meaning(failed) from None

    def transport(self) -> httpx.AsyncBaseTransport:
        """The guarded connections of one client, which closes them: ``AsyncClient(transport=…)``.

        The client must follow no redirects and read bodies raw, because decoding has no bounds.
        """
        return GuardedTransport(self._destinations, self._tls)

    async def close(self) -> None:
        """Closes the connections of ``fetch``, and takes no more names."""
        await self._fetching.aclose()
        self._system.close()

    async def _exchange(self, request: httpx.Request, max_bytes: int) -> OutboundResponse:
        response = await self._fetching.handle_async_request(request)
        body = bytearray()
        try:
            async for part in response.aiter_raw():
                body += part
                if len(body) > max_bytes:
                    break
        finally:
            await response.aclose()
        return OutboundResponse(
            response.status_code,
            dict(response.headers),
            bytes(body[:max_bytes]),
            len(body) > max_bytes,
        )


def _prepared(request: OutboundRequest) -> httpx.Request:
    """The request, with what the caller did not say. Raises ``OutboundError``."""
    read(request.url, MOST_REQUEST_CHARACTERS)
    headers = {"user-agent": USER_AGENT, "accept": "*/*"}
    headers.update({name.lower(): value for name, value in request.headers})
    headers["accept-encoding"] = "identity"
    if reserved := RESERVED_HEADERS & headers.keys():
        raise OutboundFailed(f"header {min(reserved)} cannot be set")
    try:
        encoded = [(name.encode("ascii"), value.encode()) for name, value in headers.items()]
    except UnicodeEncodeError:
        raise OutboundFailed("a header has a name or a value that cannot be sent") from None
    return httpx.Request(
        request.method,
        request.url,
        headers=encoded,
        content=request.body or None,
        extensions={"timeout": {"connect": CONNECT_SECONDS}},
    )


def _meaning(failed: httpx.HTTPError) -> OutboundError:
    """The guard's own reason where there is one, otherwise what kind of failure it was."""
    cause = failed.__cause__
    if isinstance(cause, OutboundError):
        return cause
    if isinstance(failed, httpx.TimeoutException):
        return OutboundTooSlow("no connection in time")
    # httpcore wraps what its parser raised, which tells in a status what it is about.
    inner = cause.args[0] if cause is not None and cause.args else None
    if isinstance(inner, h11.RemoteProtocolError) and inner.error_status_hint == _HEAD_TOO_LARGE:
        return OutboundTooLarge("the head of the answer is too large")
    return OutboundFailed(f"the request failed: {type(failed).__name__}")
