"""HTTP to a vendor, whose failures are those of ``antiphon_providers.errors``.

``VendorHttp`` holds the connections of one provider, HTTP/1.1, kept alive and shared by all
calls; ``Patience`` says how long it waits. All adapters whose vendor speaks HTTP use them, so
that a dead network, a wrong key and an overloaded vendor look the same from each. No redirect is
followed, for it would take the key and the conversation somewhere else. No compression is asked
for: it would make pauses in a stream, and bombs. No cookies: one call must not be told from
another by what a third one got.

Source: RFC 9110, sections 8.4 (content coding), 10.2.3 (Retry-After) and 15 (status codes).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, TypeVar

import httpx
from msgspec import Struct

from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.vendor_options import url_of
from antiphon_providers.vendor_words import retry_after, without, words_of

Result = TypeVar("Result")

MAX_ERROR_BYTES = 64 * 1024
_MAX_TARGET = 200
_DRAIN_S = 0.25
"""For the end of a body after its last event, so that its connection can be used again."""

_KEPT_ALIVE_S = 60.0
_WORTH_ANOTHER_TRY = {408, 409, 425, 429}
_FIRST_SERVER_ERROR = 500
_UNAUTHORISED = {401, 403}
_MAX_LIST_BYTES = 8 * 1024 * 1024

# --- where, and for how long -----------------------------------------------------------------


class Endpoint(Struct, frozen=True):
    """Where to ask, and as whom. ``secrets`` are never in an error or in ``repr``."""

    provider: str
    base_url: str
    headers: dict[str, str] = {}
    secrets: tuple[str, ...] = ()
    connect_ms: int = 3000
    max_connections: int = 200

    def __repr__(self) -> str:
        return f"Endpoint(provider={self.provider!r}, base_url={self.base_url!r}, ...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("provider", self.provider), ("base_url", self.base_url)]


class Patience:
    """How long to go on waiting: for the first of what is wanted, later for each next step."""

    def __init__(
        self, first_ms: int, progress_ms: int, *, what: str = "words", whole: str = "the reply"
    ) -> None:
        self._progress_ms = progress_ms
        self._whole = whole
        self._reason = f"no {what} within {first_ms} ms"
        self._until = asyncio.get_running_loop().time() + first_ms / 1000

    def renew(self) -> None:
        """The answer came forward."""
        self._reason = f"{self._whole} stopped for {self._progress_ms} ms"
        self._until = asyncio.get_running_loop().time() + self._progress_ms / 1000

    async def wait(self, step: Awaitable[Result]) -> Result:
        """What the step gives; raises ``TooSlow`` when it does not end in time."""
        try:
            async with asyncio.timeout_at(self._until):
                return await step
        except TimeoutError:
            raise TooSlow(self._reason) from None


# --- connections -------------------------------------------------------------------------


class VendorHttp:
    """One provider's connections, all to one endpoint.

    ``transport`` takes the place of httpx's own, for a connection of another kind.
    """

    observer: Observer = SILENT

    def __init__(
        self, endpoint: Endpoint, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.endpoint = endpoint
        self.url = url_of(endpoint.base_url)
        self.closed = False
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    def open(self) -> None:
        """Makes ready; nothing is asked yet."""
        connect_s = self.endpoint.connect_ms / 1000
        most = self.endpoint.max_connections
        self._client = httpx.AsyncClient(
            transport=self._transport,
            headers={
                "Accept-Encoding": "identity",
                "User-Agent": "antiphon",
                **self.endpoint.headers,
            },
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(None, connect=connect_s, pool=connect_s),
            limits=httpx.Limits(
                max_connections=most,
                max_keepalive_connections=most,
                keepalive_expiry=_KEPT_ALIVE_S,
            ),
            follow_redirects=False,
        )

    async def close(self) -> None:
        """Closes all connections; running exchanges end."""
        self.closed = True
        if self._client is not None:
            await self._client.aclose()

    async def greet(
        self,
        patience: Patience,
        path: str,
        tell: Callable[[int, bytes], ProviderError] | None = None,
        *,
        keep: bool = False,
    ) -> None:
        """Makes the first connection, by asking for the list of models at ``path``; ``keep``
        reads the list to its end, so that the first request finds the connection open.

        Raises ``Refused`` where the key is not accepted, ``Unavailable`` or ``TooSlow`` where
        nobody answers. What else the endpoint thinks of the question does not matter: some have
        no such list.
        """
        async with self.exchange(patience, "GET", path) as response:
            if response.status_code in _UNAUTHORISED or response.is_server_error:
                await check(response, patience, tell or error_of)
            if keep:
                await patience.wait(read(response, _MAX_LIST_BYTES))
            else:
                await drain(response.aiter_raw())

    @asynccontextmanager
    async def exchange(
        self,
        patience: Patience,
        method: str,
        path: str,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> AsyncIterator[httpx.Response]:
        """An answer whose head is there, its body unread; left early, its connection is closed.

        ``path`` goes under the base, whose query (an API version, say) is kept. Raises
        ``ProviderError``, also for what the library raises within the context.
        """
        with self.translated():
            if self._client is None:
                raise Unavailable("the provider was not started")
            if self.closed:
                raise Unavailable("the provider was closed")
            url = self.url.copy_with(path=self.url.path.rstrip("/") + path)
            request = self._client.build_request(
                method,
                url,
                content=content,
                headers=headers,
                extensions={"trace": _Watch(self.endpoint.provider, self.observer)},
            )
            response = await patience.wait(self._client.send(request, stream=True))
            try:
                yield response
            finally:
                await response.aclose()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Makes the library's failures ours, names the provider, and keeps the secrets out."""
        provider, host = self.endpoint.provider, self.url.host
        try:
            yield
        except ProviderError as error:
            raise self._named(error) from error.__cause__
        except httpx.ConnectTimeout:
            raise TooSlow(
                f"no connection to {host} within {self.endpoint.connect_ms} ms", provider=provider
            ) from None
        except (httpx.InvalidURL, UnicodeError):
            # Though redirects are not followed, the library reads where they would lead.
            raise Malformed(
                "the endpoint redirects to something that is no URL", provider=provider
            ) from None
        except httpx.HTTPError as error:
            # Its text may be empty; its class is its reason. Its request holds the key.
            reason = f"{type(error).__name__} {error}".strip()
            raise Unavailable(
                f"the connection to {host} failed: {reason}", provider=provider
            ) from None

    def _named(self, error: ProviderError) -> ProviderError:
        secrets = self.endpoint.secrets
        error.provider = self.endpoint.provider
        error.message = without(secrets, error.message)
        error.provider_code = without(secrets, error.provider_code or "") or None
        error.provider_param = without(secrets, error.provider_param or "") or None
        error.args = (error.message,)
        return error


class _Watch:
    """Tells the observer how long a new connection took; httpx calls it at each step."""

    def __init__(self, provider: str, observer: Observer) -> None:
        self._provider = provider
        self._observer = observer
        self._began: float | None = None

    async def __call__(self, step: str, _info: dict[str, Any]) -> None:
        now = asyncio.get_running_loop().time()
        if step == "connection.connect_tcp.started":
            self._began = now
        elif step.endswith(".send_request_headers.started") and self._began is not None:
            self._observer.connected(self._provider, now - self._began)
            self._began = None


# --- answers -----------------------------------------------------------------------------


def error_of(status: int, body: bytes) -> ProviderError:
    """What an answer with an error status means, in the vendor's words where it has some."""
    words, code = words_of(body)
    refused = status < _FIRST_SERVER_ERROR and status not in _WORTH_ANOTHER_TRY
    return (Refused if refused else Unavailable)(
        f"the vendor answered {status}" + (f": {words}" if words else ""),
        status_code=status,
        provider_code=code,
    )


async def check(
    response: httpx.Response,
    patience: Patience,
    tell: Callable[[int, bytes], ProviderError] = error_of,
) -> str:
    """The kind of an answer that is a success, in lower case ("text/event-stream").

    Raises what ``tell`` makes of an error's status and body, with ``retry_after_s`` of the
    header; ``Refused`` for a redirect, ``Malformed`` for a compressed body.
    """
    if response.is_redirect:
        target = response.headers.get("location", "")[:_MAX_TARGET]
        raise Refused(
            f"the endpoint redirects to '{target}', which is not followed; correct base_url",
            status_code=response.status_code,
        )
    if not response.is_success:
        body = await patience.wait(read(response, MAX_ERROR_BYTES))
        error = tell(response.status_code, body)
        error.retry_after_s = retry_after(response.headers.get("retry-after"))
        raise error
    encoding = response.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise Malformed(f"the endpoint compresses its stream ({encoding}), unasked")
    kind: str = response.headers.get("content-type", "")
    return kind.partition(";")[0].strip().lower()


async def read(response: httpx.Response, limit: int) -> bytes:
    """The body as it was sent, at most ``limit`` bytes of it."""
    body = bytearray()
    async for received in response.aiter_raw():
        body += received
        if len(body) >= limit:
            break
    return bytes(body[:limit])


async def drain(raw: AsyncIterator[bytes]) -> None:
    """Reads what should be only the body's end; whatever goes wrong comes after the reply."""
    try:
        async with asyncio.timeout(_DRAIN_S):
            await anext(raw, b"")
    except (TimeoutError, httpx.HTTPError):
        return
