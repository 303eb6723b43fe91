"""The road out: httpx's interface over a connection pool whose sockets are guarded."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import cast

import httpcore
import httpx

from antiphon_server.observe.notes import outgoing
from antiphon_server.observe.traceparent import HEADER
from antiphon_server.security.destinations import Destinations
from antiphon_server.security.dialing import Dialer
from antiphon_server.security.outbound_errors import OutboundError, OutboundTooSlow
from antiphon_server.security.urls import MOST_REQUEST_CHARACTERS, WebUrl, read

MOST_CONNECTIONS = 1000
"""At one time: as many as a node has sessions, and some tools of each."""
KEPT_SECONDS = 30.0
"""A connection that waits for its next request; most servers and balancers close later."""
KEPT_CONNECTIONS = 200

_HTTPCORE_ERRORS = (
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.UnsupportedProtocol,
)


class GuardedTransport(httpx.AsyncBaseTransport):
    """Takes the place of ``httpx.AsyncHTTPTransport``.

    Each request is checked, also one that a client makes because of a redirect. There are no
    proxies, no retries and no HTTP/2. What is refused comes as ``httpx.ConnectError`` (or
    ``ConnectTimeout``) whose ``__cause__`` is the ``OutboundError``, because clients expect
    httpx's errors only.
    """

    def __init__(self, destinations: Destinations, tls: ssl.SSLContext) -> None:
        self._destinations = destinations
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=KEPT_CONNECTIONS,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=Dialer(destinations),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The head of the answer; its body is read from the response's stream, as it was sent."""
        with _in_httpx_errors(request):
            url = read(str(request.url), MOST_REQUEST_CHARACTERS)
            self._destinations.check(url)
            response = await self._pool.handle_async_request(_asked(request, url))
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response, request),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._pool.aclose()


def _asked(request: httpx.Request, url: WebUrl) -> httpcore.Request:
    """The request to what was checked, and to nothing that a header or an option says beside."""
    host = f"[{url.host}]" if ":" in url.host else url.host
    default = {"http": 80, "https": 443}[url.scheme]
    named = host if url.port == default else f"{host}:{url.port}"
    others = [(name, value) for name, value in request.headers.raw if name.lower() != b"host"]
    parent = outgoing()
    if parent is not None and HEADER not in request.headers:
        others.append((HEADER.encode(), parent.encode()))
    return httpcore.Request(
        method=request.method,
        url=httpcore.URL(scheme=url.scheme, host=url.host, port=url.port, target=url.target),
        headers=[(b"Host", named.encode("ascii")), *others],
        content=cast("AsyncIterable[bytes]", request.stream),
        extensions={"timeout": request.extensions.get("timeout", {})},
    )


class _Body(httpx.AsyncByteStream):
    """The body of an answer, as it comes."""

    def __init__(self, response: httpcore.Response, request: httpx.Request) -> None:
        self._response = response
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _in_httpx_errors(self._request):
            async for part in self._response.aiter_stream():
                yield part

    async def aclose(self) -> None:
        await self._response.aclose()


@contextmanager
def _in_httpx_errors(request: httpx.Request) -> Iterator[None]:
    """The pool's errors and the guard's, as errors of httpx, which has one of each name."""
    try:
        yield
    except OutboundTooSlow as slow:
        raise httpx.ConnectTimeout(str(slow), request=request) from slow
    except OutboundError as refused:
        raise httpx.ConnectError(str(refused), request=request) from refused
    except _HTTPCORE_ERRORS as failed:
        same = getattr(httpx, type(failed).__name__)
        raise same(str(failed), request=request) from failed
    except OSError as broken:
        # A TLS record that is wrong comes through the pool as it is.
        raise httpx.ReadError(type(broken).__name__, request=request) from broken
