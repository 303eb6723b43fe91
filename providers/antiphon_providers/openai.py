"""Language models behind an OpenAI-compatible chat completions endpoint.

vLLM, Ollama, llama.cpp, LiteLLM, OpenAI itself and the AssemblyAI LLM gateway are all reached
with ``base_url``, ``model`` and, where one is wanted, ``api_key``::

    ANTIPHON_LLM=openai ANTIPHON_LLM_BASE_URL=http://127.0.0.1:11434/v1 ANTIPHON_LLM_MODEL=qwen3

Connections are HTTP/1.1, kept alive and shared by all calls; the first is made by ``start``. A
reply that is given up closes its connection at once, which is what stops a model's work.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any

import httpx
import msgspec
from msgspec import Meta

from antiphon_providers.errors import Malformed
from antiphon_providers.interfaces import Prompt, Said, Spent, Used
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.openai_assembly import Assembly
from antiphon_providers.openai_wire import error_inside, error_of, messages_of, tools_of
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
)


class OpenAIOptions(VendorOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which endpoint, and how patient to be with it."""

    schemes = HTTP_SCHEMES

    model: Annotated[str, Meta(min_length=1, description="As the endpoint calls it.")]
    base_url: Annotated[str, Meta(description="Ends before `/chat/completions`.")] = (
        "https://api.openai.com/v1"
    )
    api_key: Annotated[str, Meta(description="Sent as a bearer token; empty for none.")] = ""
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Meta(ge=1, description="Of one reply.")] | None = None
    extra_body: ExtraBody = "{}"
    first_token_ms: FirstWordMs = 10_000
    progress_ms: ReplyProgressMs = 10_000
    max_connections: Annotated[int, Meta(ge=1, description="Replies at one time.")] = 200

    def __post_init__(self) -> None:
        super().__post_init__()
        self.extra()

    def extra(self) -> dict[str, Any]:
        """The fields of ``extra_body``. Raises ``ValueError``."""
        return json_object(self.extra_body)


class OpenAI:
    """A model behind an endpoint; replies stream.

    ``transport`` takes the place of httpx's own, for a connection of another kind.
    """

    Options = OpenAIOptions
    name = "openai"
    observer: Observer = SILENT

    def __init__(
        self, options: OpenAIOptions, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.options = options
        key = options.api_key
        endpoint = Endpoint(
            provider=self.name,
            base_url=options.base_url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            secrets=(key,),
            connect_ms=options.connect_ms,
            max_connections=options.max_connections,
        )
        self._http = VendorHttp(endpoint, transport)

    async def start(self) -> None:
        """Makes the first connection, by asking for the list of models.

        Raises ``Refused`` where the key is not accepted, ``Unavailable`` or ``TooSlow`` where
        nobody answers; after those two the provider can be used all the same, for each reply
        connects anew. What else the endpoint thinks of the question does not matter: some have
        no such list.
        """
        self.prepare()
        await self._http.greet(self._patience(), "/models", error_of, keep=True)

    def prepare(self) -> None:
        """Makes ready without asking anything, so that the first reply connects.

        In place of ``start``, for an endpoint that is met only when it is needed.
        """
        self._http.observer = self.observer
        self._http.open()

    async def close(self) -> None:
        """Closes all connections; running replies end."""
        await self._http.close()

    def reply(self, prompt: Prompt) -> AsyncGenerator[Said | Used | Spent, None]:
        """The reply as it is written: text at once, tool calls when they are complete.

        Raises ``Unavailable`` where the endpoint cannot be reached, is overloaded or breaks
        off, ``Refused`` where it will not serve the request, ``TooSlow`` beyond the options'
        times and ``Malformed`` for an answer that is none.
        """
        question = Question("/chat/completions", self._body(prompt), _check)
        return streamed(self._http, self._patience(), question, Assembly())

    def _patience(self) -> Patience:
        return Patience(self.options.first_token_ms, self.options.progress_ms)

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


async def _check(response: httpx.Response, patience: Patience) -> None:
    """Raises what an answer means that is no stream of events."""
    kind = await check(response, patience, error_of)
    if kind != "text/event-stream":
        body = await patience.wait(read(response, MAX_ERROR_BYTES))
        if kind == "application/json" and (error := error_inside(body)):
            raise error
        raise Malformed(f"the endpoint answered with '{kind}' and not with a stream of events")
