"""A WebSocket to a vendor, whose failures are those of ``antiphon_providers.errors``.

``connect`` makes one and ``VendorSocket`` is it; all adapters whose vendor speaks WebSocket use
them, so that a dead network, a wrong key and an overloaded vendor look the same from each. No
redirect is followed, for it would take the key and the conversation somewhere else. No message
is compressed: that would make pauses in a stream, and bombs.

Source: RFC 6455; close codes, section 7.4.1.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import string
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as websockets_connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)
from websockets.typing import Subprotocol

from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.observer import Observer
from antiphon_providers.vendor_words import retry_after, without, words_of

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Of one message from a vendor: a minute of 24 kHz PCM in base64, far more than any sends."""

_MAX_WAITING = 64
"""Messages that wait to be read before the network is asked to wait."""

_CLOSE_S = 1.0
"""For the vendor to answer a close; its answer changes nothing."""

_MAX_TARGET = 200
_HEADER_CHARACTERS = frozenset(string.ascii_letters + string.digits + string.punctuation + " ")
_WORTH_ANOTHER_TRY = {408, 409, 425, 429}
_REDIRECTS, _FIRST_SERVER_ERROR = range(300, 400), 500
_NORMAL, _NO_CODE = 1000, 1005
_WILL_NOT = {1003, 1007, 1008, 1009, 1010}
"""Close codes of a peer to which our message, not the moment, was wrong."""

_NOT_AN_ANSWER = {1002, 1007, 1009}
"""Close codes that we give a peer whose frames are wrong, not text, or too long."""

# The library tells its logger each header, and so the key, at DEBUG.
_LOG = logging.getLogger(__name__)
_LOG.setLevel(logging.INFO)


class Address(Struct, frozen=True):
    """Where to connect, and as whom.

    ``secrets`` are never in an error, a log or ``repr``; ``ping_ms`` is how often the vendor is
    asked whether it is still there, and how long it has to answer.
    """

    provider: str
    url: str
    headers: dict[str, str] = {}
    connect_ms: int = 3000
    secrets: tuple[str, ...] = ()
    subprotocols: tuple[str, ...] = ()
    ping_ms: int = 10_000

    @property
    def host(self) -> str:
        """As errors name it: without path and query, which may hold the key."""
        try:
            return urlsplit(self.url).hostname or ""
        except ValueError:
            return ""

    def __repr__(self) -> str:
        return f"Address(provider={self.provider!r}, host={self.host!r}, ...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("provider", self.provider), ("host", self.host)]


class VendorSocket:
    """A connection that stands.

    Iterate it, from one task only, for the vendor's messages. Whoever holds one goes on
    iterating: pings are answered in the same stream, and a socket that nobody reads is lost
    after twice ``ping_ms``.
    """

    def __init__(self, address: Address, connection: ClientConnection) -> None:
        self._address = address
        self._connection = connection
        self._left = False

    @property
    def close_code(self) -> int | None:
        """Of the vendor, once it closed; 1006 where the connection broke."""
        return self._connection.close_code

    @property
    def close_reason(self) -> str:
        """The vendor's own, without secrets."""
        return without(self._address.secrets, self._connection.close_reason or "")

    @property
    def subprotocol(self) -> str | None:
        """Which of the offered subprotocols the vendor chose."""
        return self._connection.subprotocol

    async def send(self, message: str | bytes) -> None:
        """Sends text or bytes; waits while the network has too much of it.

        Raises ``ProviderError`` once the connection is closed, whoever closed it.
        """
        try:
            await self._connection.send(message)
        except ConnectionClosed as closed:
            raise _lost(self._address, closed) from None

    def __aiter__(self) -> VendorSocket:
        return self

    async def __anext__(self) -> str | bytes:
        """The next message. Ends after a normal close, or one of our own; raises
        ``ProviderError`` after any other.
        """
        try:
            return await self._connection.recv()
        except ConnectionClosed as closed:
            normal = closed.rcvd is not None and closed.rcvd.code in {_NORMAL, _NO_CODE}
            if self._left or normal:
                raise StopAsyncIteration from None
            raise _lost(self._address, closed) from None

    async def close(self) -> None:
        """Says goodbye and waits a moment for the answer; an iteration ends."""
        self._left = True
        await self._connection.close()

    def abort(self) -> None:
        """Breaks off at once, saying nothing, which stops the vendor's work; an iteration ends."""
        self._left = True
        self._connection.transport.abort()


@asynccontextmanager
async def connect(address: Address, observer: Observer) -> AsyncIterator[VendorSocket]:
    """A connection to the address, closed with the context; how long it took is observed.

    Left with an error or a cancellation, it is broken off at once. Raises ``TooSlow`` where
    there is no connection within ``connect_ms``; ``Unavailable`` where nobody can be reached or
    the vendor cannot serve now (with ``retry_after_s`` where it says so); ``Refused`` where it
    will not, with its own words; ``Malformed`` where it does not speak WebSocket.
    """
    connection = await _connected(address, observer)
    socket = VendorSocket(address, connection)
    try:
        yield socket
    except BaseException:
        socket.abort()
        await connection.wait_closed()
        raise
    await socket.close()


class _Direct(websockets_connect):
    """Follows no redirect."""

    def process_redirect(self, exc: Exception) -> Exception:
        """What came instead of a connection."""
        return exc


async def _connected(address: Address, observer: Observer) -> ClientConnection:
    loop = asyncio.get_running_loop()
    began = loop.time()
    _check_headers(address)
    try:
        secure: dict[str, Any] = {"ssl": _tls()} if address.url.startswith("wss:") else {}
        connection = await _Direct(
            address.url,
            additional_headers={"User-Agent": "antiphon", **address.headers},
            user_agent_header=None,
            subprotocols=[Subprotocol(name) for name in address.subprotocols] or None,
            compression=None,
            open_timeout=address.connect_ms / 1000,
            ping_interval=address.ping_ms / 1000,
            ping_timeout=address.ping_ms / 1000,
            close_timeout=_CLOSE_S,
            max_size=MAX_MESSAGE_BYTES,
            max_queue=_MAX_WAITING,
            logger=_LOG,
            **secure,
        )
    except (OSError, ValueError, InvalidHandshake, InvalidURI, InvalidProxy) as error:
        raise _failure(address, error) from None
    observer.connected(address.provider, loop.time() - began)
    return connection


def _tls() -> ssl.SSLContext:
    """What vendors' certificates are verified with; the environment may name other roots."""
    return _tls_of(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=4)
def _tls_of(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    # Reading the roots takes tens of milliseconds, too long for each connection.
    return ssl.create_default_context()


def _check_headers(address: Address) -> None:
    """Raises ``Refused`` for a header that would not stay in its line."""
    for name, value in address.headers.items():
        if not _HEADER_CHARACTERS.issuperset(name + value):
            raise Refused(
                f"the header '{name[:_MAX_TARGET]!r}' has characters that a header cannot have",
                provider=address.provider,
            )


# --- what failures mean ------------------------------------------------------------------


def _failure(address: Address, error: Exception) -> ProviderError:
    """What it means that there is no connection; never the text of an error that may quote it."""
    provider, host = address.provider, address.host
    if isinstance(error, TimeoutError):
        return TooSlow(f"no connection to {host} within {address.connect_ms} ms", provider=provider)
    if isinstance(error, InvalidStatus):
        return _status(address, error)
    if isinstance(error, (InvalidProxy, ProxyError)):
        return Unavailable(f"the proxy on the way to {host} failed", provider=provider)
    ended = isinstance(error, InvalidMessage) and isinstance(error.__cause__, EOFError)
    if isinstance(error, OSError) or ended:
        reason = "it closed before it answered" if ended else f"{type(error).__name__} {error}"
        said = f"the connection to {host} failed: {reason}".strip()
        return Unavailable(without(address.secrets, said), provider=provider)
    if isinstance(error, (InvalidURI, ValueError)):
        return Refused("base_url is no WebSocket URL", provider=provider)
    return Malformed(f"{host} does not answer as a WebSocket should", provider=provider)


def _status(address: Address, error: InvalidStatus) -> ProviderError:
    """What an HTTP answer means that is no WebSocket, in the vendor's words where it has some."""
    response = error.response
    status = response.status_code
    words, code = words_of(bytes(response.body))
    said = f"{address.host} answered {status}" + (f": {words}" if words else "")
    if status in _REDIRECTS:
        target = response.headers.get("Location", "")[:_MAX_TARGET]
        said = f"{address.host} redirects to '{target}', which is not followed; correct base_url"
    kind: type[ProviderError] = Refused
    if status >= _FIRST_SERVER_ERROR or status in _WORTH_ANOTHER_TRY:
        kind = Unavailable
    elif status < _REDIRECTS.start:
        kind = Malformed
    return kind(
        without(address.secrets, said),
        provider=address.provider,
        status_code=status,
        provider_code=None if code is None else without(address.secrets, code),
        retry_after_s=retry_after(response.headers.get("Retry-After")),
    )


def _lost(address: Address, closed: ConnectionClosed) -> ProviderError:
    """What the end of a connection means, with the vendor's close code as ``provider_code``."""
    host = address.host
    if closed.rcvd is not None and not (closed.sent is not None and not closed.rcvd_then_sent):
        code, reason = closed.rcvd.code, closed.rcvd.reason
        kind = Refused if code in _WILL_NOT else Unavailable
        said = f"{host} closed the connection ({code})" + (f": {reason}" if reason else "")
        return kind(
            without(address.secrets, said), provider=address.provider, provider_code=str(code)
        )
    if closed.sent is not None and closed.sent.code in _NOT_AN_ANSWER:
        return Malformed(
            f"{host} sent what is no message, or one too long: {closed.sent.reason}",
            provider=address.provider,
        )
    if closed.sent is not None and closed.sent.code != _NORMAL:
        said = f"the connection to {host} is lost: {closed.sent.reason}"
        return Unavailable(said, provider=address.provider)
    said = "was closed here" if closed.sent is not None else "broke"
    return Unavailable(f"the connection to {host} {said}", provider=address.provider)
