"""Anthropic's language models, by the Messages API.

::

    ANTIPHON_LLM=anthropic ANTIPHON_LLM_API_KEY=... ANTIPHON_LLM_MODEL=claude-haiku-4-5

What all replies of a call have in common, the tools and the system prompt, is cached at the
vendor unless ``cache`` is off. A reply that is given up closes its connection at once, which is
what stops the model's work.

Source: Anthropic's pages "Create a Message", "Streaming Messages" and "Prompt caching"
(2026-11-22).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any

import httpx
import msgspec
from msgspec import Meta

from antiphon_providers.anthropic_assembly import Assembly
from antiphon_providers.anthropic_wire import error_of, error_told, messages_of, system_of, tools_of
from antiphon_providers.errors import Malformed
from antiphon_providers.interfaces import Prompt, Said, Spent, Used
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.options import json_object
from antiphon_providers.streamed_reply import Question, streamed
from antiphon_providers.vendor_http import (
    MAX_ERROR_BYTES,
    Endpoint,
    Patience,
    VendorHttp,
    check,
    read,
)
from antiphon_providers.vendor_options import (
    HTTP_SCHEMES,
    ExtraBody,
    FirstWordMs,
    ReplyProgressMs,
    VendorOptions,
    key_at,
)
from antiphon_providers.vendor_words import words_of

BASE_URL = "https://api.anthropic.com"
_VERSION = "2023-06-01"


class AnthropicOptions(VendorOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which model, and how patient to be with it."""

    schemes = HTTP_SCHEMES

    model: Annotated[str, Meta(min_length=1, description="As the vendor calls it.")]
    base_url: Annotated[str, Meta(description="Ends before `/v1/messages`.")] = BASE_URL
    api_key: Annotated[
        str, Meta(description="Empty: `ANTHROPIC_API_KEY`, at the vendor's own address only.")
    ] = ""
    bearer: Annotated[
        bool, Meta(description="Sends the key as a bearer token, and not as `x-api-key`.")
    ] = False
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_tokens: Annotated[int, Meta(ge=1, description="Of one reply.")] = 1024
    cache: Annotated[
        bool, Meta(description="Whether the vendor keeps tools and system prompt for a while.")
    ] = True
    extra_body: ExtraBody = "{}"
    first_ms: FirstWordMs = 10_000
    progress_ms: ReplyProgressMs = 10_000
    max_connections: Annotated[int, Meta(ge=1, description="Replies at one time.")] = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        json_object(self.extra_body)


class Anthropic:
    """A model; replies stream. ``transport`` takes the place of httpx's own."""

    Options = AnthropicOptions
    name = "anthropic"
    observer: Observer = SILENT

    def __init__(
        self, options: AnthropicOptions, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.options = options
        key = key_at(options.api_key, options.base_url, BASE_URL, "ANTHROPIC_API_KEY")
        name, value = ("Authorization", f"Bearer {key}") if options.bearer else ("x-api-key", key)
        endpoint = Endpoint(
            provider=self.name,
            base_url=options.base_url,
            headers={"anthropic-version": _VERSION, **({name: value} if key else {})},
            secrets=(key,),
            connect_ms=options.connect_ms,
            max_connections=options.max_connections,
        )
        self._http = VendorHttp(endpoint, transport)

    async def start(self) -> None:
        """Makes the first connection, by asking for the list of models.

        Raises ``Refused`` where the key is not accepted, ``Unavailable`` or ``TooSlow`` where
        nobody answers; after those two the provider can be used all the same. A gateway that
        has no such list does no harm.
        """
        self._http.observer = self.observer
        self._http.open()
        await self._http.greet(self._patience(), "/v1/models", error_of, keep=True)

    async def close(self) -> None:
        """Closes all connections; running replies end."""
        await self._http.close()

    def reply(self, prompt: Prompt) -> AsyncGenerator[Said | Used | Spent, None]:
        """The reply as it is written: text at once, tool calls when they are complete.

        Raises ``Unavailable`` where the vendor cannot be reached, is overloaded or breaks off,
        ``Refused`` where it or its model will not serve the request, ``TooSlow`` beyond the
        options' times and ``Malformed`` for an answer that is none.
        """
        question = Question("/v1/messages", self._body(prompt), _check)
        return streamed(self._http, self._patience(), question, Assembly())

    def _patience(self) -> Patience:
        return Patience(self.options.first_ms, self.options.progress_ms)

    def _body(self, prompt: Prompt) -> bytes:
        options = self.options
        body: dict[str, Any] = {
            "model": options.model,
            "max_tokens": options.max_tokens,
            "system": system_of(prompt, cache=options.cache) or None,
            "messages": messages_of(prompt),
            "tools": tools_of(prompt, cache=options.cache) or None,
            "temperature": options.temperature,
            **json_object(options.extra_body),
            "stream": True,
        }
        return msgspec.json.encode({key: value for key, value in body.items() if value is not None})


async def _check(response: httpx.Response, patience: Patience) -> None:
    """Raises what an answer means that is no stream of events."""
    kind = await check(response, patience, error_of)
    if kind == "text/event-stream":
        return
    body = await patience.wait(read(response, MAX_ERROR_BYTES))
    words, code = words_of(body)
    if kind == "application/json" and code == "error":
        raise error_told({"error": {"type": code, "message": words}})
    raise Malformed(f"the endpoint answered with '{kind}' and not with a stream of events")
