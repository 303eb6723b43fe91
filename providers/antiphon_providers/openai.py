"""Language models behind an OpenAI-compatible chat completions endpoint.

vLLM, Ollama, llama.cpp, LiteLLM, OpenAI itself and the AssemblyAI LLM gateway are all reached
with ``base_url``, ``model`` and, where one is wanted, ``api_key``::

    ANTIPHON_LLM=openai ANTIPHON_LLM_BASE_URL=http://127.0.0.1:11434/v1 ANTIPHON_LLM_MODEL=qwen3

Connections are HTTP/1.1, kept alive and shared by all calls; the first is made by ``start``. A
reply that is given up closes its connection at once, which is what stops a model's work.
"""

from __future__ import annotations

import asyncio
import string
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator
from contextlib import aclosing, contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Annotated, Any, TypeVar

import httpx
import msgspec
from msgspec import Meta, Struct

from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import Prompt, Said, Spent, Used
from antiphon_providers.openai_assembly import Assembly
from antiphon_providers.openai_wire import error_inside, error_of, messages_of, tools_of
from antiphon_providers.options import json_object
from antiphon_providers.sse import EventReader

Result = TypeVar("Result")

_MAX_ERROR_BYTES = 64 * 1024
_MAX_MODELS_BYTES = 8 * 1024 * 1024
_MAX_TARGET = 200
_DRAIN_S = 0.25
"""For the end of a body after its last event, so that its connection can be used again."""

_KEPT_ALIVE_S = 60.0
_KEY_CHARACTERS = frozenset(string.ascii_letters + string.digits + string.punctuation)
_UNAUTHORISED = {401, 403}


class OpenAIOptions(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which endpoint, and how patient to be with it."""

    model: Annotated[str, Meta(min_length=1, description="As the endpoint calls it.")]
    base_url: Annotated[str, Meta(description="Ends before `/chat/completions`.")] = (
        "https://api.openai.com/v1"
    )
    api_key: Annotated[str, Meta(description="Sent as a bearer token; empty for none.")] = ""
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Meta(ge=1, description="Of one reply.")] | None = None
    extra_body: Annotated[
        str, Meta(description="JSON object merged into each request; a null takes a field out.")
    ] = "{}"
    connect_ms: Annotated[int, Meta(ge=1, description="Milliseconds to a connection.")] = 3000
    first_token_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds from asking to the first words or tool call.")
    ] = 10_000
    progress_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds that a reply may pause once begun.")
    ] = 10_000
    max_connections: Annotated[int, Meta(ge=1, description="Replies at one time.")] = 200

    def __post_init__(self) -> None:
        # A key that is no header value would be quoted by the error of the library refusing it.
        if not _KEY_CHARACTERS.issuperset(self.api_key):
            raise ValueError("api_key has characters that a key cannot have")
        url = _url(self.base_url)
        if url.scheme not in {"http", "https"} or not url.host or url.userinfo:
            raise ValueError("base_url must be an http or https URL without user and password")
        self.extra()

    def extra(self) -> dict[str, Any]:
        """The fields of ``extra_body``. Raises ``ValueError``."""
        return json_object(self.extra_body)

    def __repr__(self) -> str:
        return f"OpenAIOptions(model={self.model!r}, base_url={self.base_url!r}, ...)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("model", self.model), ("base_url", self.base_url)]


class OpenAI:
    """A model behind an endpoint; replies stream.

    ``transport`` takes the place of httpx's own, for a connection of another kind.
    """

    Options = OpenAIOptions
    name = "openai"

    def __init__(
        self, options: OpenAIOptions, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.options = options
        self._transport = transport
        self._url = _url(options.base_url)
        self._client: httpx.AsyncClient | None = None
        self._closed = False

    async def start(self) -> None:
        """Makes the first connection, by asking for the list of models.

        Raises ``Refused`` where the key is not accepted, ``Unavailable`` or ``TooSlow`` where
        nobody answers; after those two the provider can be used all the same, for each reply
        connects anew. What else the endpoint thinks of the question does not matter: some have
        no such list.
        """
        client = self._client = self._connect()
        patience = _Patience(self.options)
        with self._translated():
            request = client.build_request("GET", self._endpoint("/models"))
            response = await patience.wait(client.send(request, stream=True))
            try:
                body = await patience.wait(_read(response, _MAX_MODELS_BYTES))
            finally:
                await response.aclose()
            if response.status_code in _UNAUTHORISED or response.is_server_error:
                raise error_of(response.status_code, body)

    def prepare(self) -> None:
        """Makes ready without asking anything, so that the first reply connects.

        In place of ``start``, for an endpoint that is met only when it is needed.
        """
        self._client = self._connect()

    async def close(self) -> None:
        """Closes all connections; running replies end."""
        self._closed = True
        if self._client is not None:
            await self._client.aclose()

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Said | Used | Spent, None]:
        """The reply as it is written: text at once, tool calls when they are complete.

        Raises ``Unavailable`` where the endpoint cannot be reached, is overloaded or breaks
        off, ``Refused`` where it will not serve the request, ``TooSlow`` beyond the options'
        times and ``Malformed`` for an answer that is none.
        """
        if self._client is None:
            raise Unavailable("the provider was not started", provider=self.name)
        try:
            with self._translated():
                async with aclosing(self._answer(self._client, prompt)) as pieces:
                    async for piece in pieces:
                        yield piece
        except ProviderError:
            if not self._closed:
                raise

    async def _answer(
        self, client: httpx.AsyncClient, prompt: Prompt
    ) -> AsyncGenerator[Said | Used | Spent, None]:
        patience = _Patience(self.options)
        request = client.build_request(
            "POST",
            self._endpoint("/chat/completions"),
            content=self._body(prompt),
            headers={"Accept": "text/event-stream", "Content-Type": "application/json"},
        )
        response = await patience.wait(client.send(request, stream=True))
        try:
            await _check(response, patience)
            raw = response.aiter_raw()
            reply, events = Assembly(), EventReader()
            while not reply.done and (received := await patience.wait(anext(raw, b""))):
                steps = reply.steps
                for said in [said for data in events.feed(received) for said in reply.take(data)]:
                    yield said
                if reply.steps > steps:
                    patience.renew()
            for piece in reply.finish():
                yield piece
            await _drain(raw)
        finally:
            await response.aclose()

    def _connect(self) -> httpx.AsyncClient:
        """The shared connections.

        No redirect is followed, for it would take the key and the conversation somewhere else.
        No compression is asked for: it would make pauses in a stream, and bombs. No cookies:
        one call must not be told from another by what a third one got.
        """
        key = self.options.api_key
        connect_s = self.options.connect_ms / 1000
        return httpx.AsyncClient(
            transport=self._transport,
            headers={
                "Accept-Encoding": "identity",
                "User-Agent": "antiphon",
                **({"Authorization": f"Bearer {key}"} if key else {}),
            },
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(None, connect=connect_s, pool=connect_s),
            limits=httpx.Limits(
                max_connections=self.options.max_connections,
                max_keepalive_connections=self.options.max_connections,
                keepalive_expiry=_KEPT_ALIVE_S,
            ),
            follow_redirects=False,
        )

    def _endpoint(self, path: str) -> httpx.URL:
        """A URL under the base, whose query (an API version, say) is kept."""
        return self._url.copy_with(path=self._url.path.rstrip("/") + path)

    def _body(self, prompt: Prompt) -> bytes:
        options = self.options
        body: dict[str, Any] = {
            "model": options.model,
            "messages": messages_of(prompt),
            "tools": tools_of(prompt) or None,
            # Said although it is the default, because some servers have another.
            "tool_choice": "auto" if prompt.tools else None,
            "temperature": options.temperature,
            "max_tokens": options.max_tokens,
            "stream_options": {"include_usage": True},
            **options.extra(),
            "stream": True,
        }
        return msgspec.json.encode({key: value for key, value in body.items() if value is not None})

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Makes the library's failures ours, names the provider, and keeps the key out."""
        try:
            yield
        except ProviderError as error:
            error.provider = self.name
            if self.options.api_key:
                for name in ("message", "provider_code", "provider_param"):
                    told = getattr(error, name) or ""
                    setattr(error, name, told.replace(self.options.api_key, "[api key]") or None)
                error.args = (error.message,)
            raise
        except httpx.ConnectTimeout:
            raise TooSlow(
                f"no connection to {self._url.host} within {self.options.connect_ms} ms",
                provider=self.name,
            ) from None
        except (httpx.InvalidURL, UnicodeError):
            # Though redirects are not followed, the library reads where they would lead.
            raise Malformed(
                "the endpoint redirects to something that is no URL", provider=self.name
            ) from None
        except httpx.HTTPError as error:
            # Its text may be empty; its class is its reason. Its request holds the key.
            reason = f"{type(error).__name__} {error}".strip()
            raise Unavailable(
                f"the connection to {self._url.host} failed: {reason}", provider=self.name
            ) from None


class _Patience:
    """How long to go on waiting: for the first words, later for each next step."""

    def __init__(self, options: OpenAIOptions) -> None:
        self._progress_ms = options.progress_ms
        self._reason = f"no words within {options.first_token_ms} ms"
        self._until = asyncio.get_running_loop().time() + options.first_token_ms / 1000

    def renew(self) -> None:
        """The reply came forward."""
        self._reason = f"the reply stopped for {self._progress_ms} ms"
        self._until = asyncio.get_running_loop().time() + self._progress_ms / 1000

    async def wait(self, step: Awaitable[Result]) -> Result:
        """What the step gives; raises ``TooSlow`` when it does not end in time."""
        try:
            async with asyncio.timeout_at(self._until):
                return await step
        except TimeoutError:
            raise TooSlow(self._reason) from None


async def _check(response: httpx.Response, patience: _Patience) -> None:
    """Raises what an answer means that is no stream of events."""
    if response.is_redirect:
        target = response.headers.get("location", "")[:_MAX_TARGET]
        raise Refused(
            f"the endpoint redirects to '{target}', which is not followed; correct base_url",
            status_code=response.status_code,
        )
    if not response.is_success:
        body = await patience.wait(_read(response, _MAX_ERROR_BYTES))
        raise error_of(response.status_code, body)
    encoding = response.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise Malformed(f"the endpoint compresses its stream ({encoding}), unasked")
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "text/event-stream":
        body = await patience.wait(_read(response, _MAX_ERROR_BYTES))
        if kind == "application/json" and (error := error_inside(body)):
            raise error
        raise Malformed(f"the endpoint answered with '{kind}' and not with a stream of events")


async def _read(response: httpx.Response, limit: int) -> bytes:
    """The body as it was sent, at most ``limit`` bytes of it."""
    body = bytearray()
    async for received in response.aiter_raw():
        body += received
        if len(body) >= limit:
            break
    return bytes(body[:limit])


async def _drain(raw: AsyncIterator[bytes]) -> None:
    """Reads what should be only the body's end; whatever goes wrong comes after the reply."""
    try:
        async with asyncio.timeout(_DRAIN_S):
            await anext(raw, b"")
    except (TimeoutError, httpx.HTTPError):
        return


def _url(base_url: str) -> httpx.URL:
    """Raises ``ValueError`` for what is no URL."""
    try:
        return httpx.URL(base_url)
    except httpx.InvalidURL as wrong:
        raise ValueError(f"base_url is no URL: {wrong}") from wrong
