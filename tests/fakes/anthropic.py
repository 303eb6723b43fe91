"""Anthropic on this machine: the Messages API, streaming, with faults that can be set.

The key is taken as ``x-api-key``, as the API reference has it, or as a bearer token, as the SDK
sends it. Source: Anthropic's pages "Create a Message", "Streaming Messages" and "Errors";
``test_anthropic_sdk.py`` proves it with the vendor's SDK.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Self

from raw_http import LAST_CHUNK, STREAM_HEAD, Exchange, RawServer, Request, raw_server

KEY = "sk-ant-very-secret"
WORDS = ("Hel", "lo ", "there.")
_TYPES = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error"}


@dataclass
class Fault:
    """What goes wrong with a request."""

    status: int | None = None
    """HTTP status in place of the answer, with ``body`` and ``headers``."""
    body: bytes = b""
    headers: tuple[str, ...] = ()
    hang: bool = False
    """Never answers."""
    events: tuple[bytes, ...] | None = None
    """The stream's bytes in place of the usual ones, as they are."""
    breaks: bool = False
    """Breaks the connection off after the events."""


@dataclass
class Use:
    """A tool call of the reply; its arguments come in these pieces."""

    call_id: str
    name: str
    pieces: tuple[str, ...]


def event(kind: str, **fields: Any) -> bytes:
    """One event of a stream."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def words(index: int, text: str) -> bytes:
    """An event with some of the reply's text."""
    delta = {"type": "text_delta", "text": text}
    return event("content_block_delta", index=index, delta=delta)


def started() -> bytes:
    """The first event."""
    usage = {
        "input_tokens": 10,
        "cache_creation_input_tokens": 5,
        "cache_read_input_tokens": 100,
        "output_tokens": 1,
    }
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    return event("message_start", message=message) + event("ping")


def ended(reason: str) -> bytes:
    """The last events."""
    delta = {"stop_reason": reason, "stop_sequence": None}
    spent = {"output_tokens": 7}
    return event("message_delta", delta=delta, usage=spent) + event("message_stop")


@dataclass
class FakeAnthropic:
    """The vendor; ``faults`` are those of the next messages, and then there are none."""

    words: tuple[str, ...] = WORDS
    uses: tuple[Use, ...] = ()
    stop_reason: str | None = None
    faults: list[Fault] = field(default_factory=list)
    hanging: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a request came that is to hang."""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client left a request that hangs."""
    _server: RawServer | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Self:
        self._server = await self._stack.enter_async_context(raw_server(self._answer))
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """Without a path."""
        assert self._server is not None
        return self._server.url

    @property
    def requests(self) -> list[Request]:
        """All that was asked."""
        assert self._server is not None
        return self._server.requests

    def stream(self) -> list[bytes]:
        """The pieces of the usual stream."""
        block: dict[str, Any] = {"type": "text", "text": ""}
        pieces = [started(), event("content_block_start", index=0, content_block=block)]
        pieces += [words(0, text) for text in self.words]
        pieces.append(event("content_block_stop", index=0))
        for index, use in enumerate(self.uses, 1):
            block = {"type": "tool_use", "id": use.call_id, "name": use.name, "input": {}}
            pieces.append(event("content_block_start", index=index, content_block=block))
            for piece in use.pieces:
                delta = {"type": "input_json_delta", "partial_json": piece}
                pieces.append(event("content_block_delta", index=index, delta=delta))
            pieces.append(event("content_block_stop", index=index))
        return [*pieces, ended(self.stop_reason or ("tool_use" if self.uses else "end_turn"))]

    async def _answer(self, exchange: Exchange) -> None:
        request = exchange.request
        key = request.headers.get("x-api-key") or request.headers.get("authorization", "")
        if key.removeprefix("Bearer ") != KEY:
            await _refuse(exchange, 401, "invalid x-api-key")
        elif request.path.startswith("/v1/models"):
            await exchange.respond(200, b'{"data": []}', "content-type: application/json")
        elif request.path != "/v1/messages" or "anthropic-version" not in request.headers:
            await _refuse(exchange, 404, "Not found")
        elif problem := _problem(request.json):
            await _refuse(exchange, 400, problem)
        else:
            await self._reply(exchange, self.faults.pop(0) if self.faults else Fault())

    async def _reply(self, exchange: Exchange, fault: Fault) -> None:
        if fault.hang:
            self.hanging.set()
            await exchange.until_left()
            self.left.set()
            return
        if fault.status is not None:
            await exchange.respond(fault.status, fault.body, *fault.headers)
            return
        await exchange.send(STREAM_HEAD)
        pieces = self.stream() if fault.events is None else fault.events
        await exchange.chunks(*[piece for piece in pieces if piece])
        if fault.breaks:
            exchange.reset()
        else:
            await exchange.send(LAST_CHUNK)


def _problem(body: dict[str, Any]) -> str | None:
    """What the vendor would refuse in a request."""
    roles = [message["role"] for message in body["messages"]]
    if not roles or roles[0] != "user" or roles[-1] != "user" or "max_tokens" not in body:
        return "messages: first and last must use the user role"
    awaited: set[str] = set()
    for message in body["messages"]:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if any(block["type"] == "text" and not block["text"].strip() for block in blocks):
            return "messages: text content blocks must be non-empty"
        answers = {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
        if answers != awaited:
            return "messages: tool_use ids were found without tool_result blocks after them"
        awaited = {block["id"] for block in blocks if block["type"] == "tool_use"}
    return None


async def _refuse(exchange: Exchange, status: int, message: str) -> None:
    error = {"type": "error", "error": {"type": _TYPES[status], "message": message}}
    kind = "content-type: application/json"
    await exchange.respond(status, json.dumps(error).encode(), kind)
