"""What a handler answers with, and how it becomes a response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response

Handler = Callable[[Request], Awaitable[Response]]

_encode = msgspec.json.Encoder().encode


def answer(
    body: msgspec.Struct, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A body as JSON; nothing of the API may be cached, least of all a token."""
    return encoded(_encode(body), status, headers)


def encoded(body: bytes, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """As ``answer``, of a body that is JSON already."""
    return Response(
        body, status, {"cache-control": "no-store", **(headers or {})}, "application/json"
    )


def nothing() -> Response:
    """204: done, and there is nothing to say."""
    return Response(status_code=204, headers={"cache-control": "no-store"})
