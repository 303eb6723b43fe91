"""JSON objects from requests, read with a limit and a deadline, and the structs they stand for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request

from antiphon_protocol.codec import UNDECODABLE
from antiphon_protocol.rest import Fault
from antiphon_server.rest.errors import Invalid, InvalidRequest, TooLarge, TooSlow
from antiphon_server.rest.shapes import shaped

MOST_BYTES = 65_536
SECONDS = 10.0
"""More than any client needs for that much; less than an attacker would like."""


MAX_NESTING = 64
"""Levels of objects and lists; deeper, encoding it again would fail."""

Body = TypeVar("Body", bound=Struct)


async def body_of(request: Request, kind: type[Body], most_bytes: int = MOST_BYTES) -> Body:
    """The struct in the request's body; no body is an empty object.

    Raises what ``json_object`` does; null is no object here.
    """
    read = shaped(await _json(request, most_bytes), kind)
    if isinstance(read, tuple):
        raise Invalid(read)
    return read


async def json_object(request: Request, most_bytes: int = MOST_BYTES) -> dict[str, Any]:
    """The request's body; no body, or null, is an empty object.

    Raises ``TooLarge``, ``TooSlow``, ``InvalidRequest`` for what is no JSON or nested too
    deeply, ``Invalid`` for what is no object, and Starlette's ``ClientDisconnect``.
    """
    value = await _json(request, most_bytes)
    if value is None:
        return {}
    if not isinstance(value, dict):
        told = "Input should be a valid dictionary or object to extract fields from"
        raise Invalid((Fault("model_attributes_type", ("body",), told, None),))
    return value


async def _json(request: Request, most_bytes: int) -> Any:
    raw = await raw_body(request, most_bytes)
    if not raw:
        return {}
    try:
        value = msgspec.json.decode(raw)
    except UNDECODABLE:
        raise InvalidRequest from None
    if _is_deeper(value, MAX_NESTING):
        raise InvalidRequest(f"The body may have {MAX_NESTING} levels of objects and lists")
    return value


async def raw_body(request: Request, most_bytes: int = MOST_BYTES) -> bytes:
    """The request's body, which may be asked for again.

    Raises ``TooLarge``, ``TooSlow`` and Starlette's ``ClientDisconnect``.
    """
    if not hasattr(request.state, "raw_body"):
        request.state.raw_body = await _read(request, most_bytes)
    raw: bytes = request.state.raw_body
    return raw


async def _read(request: Request, most_bytes: int) -> bytes:
    read = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for part in request.stream():
                read += part
                if len(read) > most_bytes:
                    raise TooLarge(f"The body may have {most_bytes} bytes")
    except TimeoutError:
        raise TooSlow from None
    return bytes(read)


def _is_deeper(value: Any, levels: int) -> bool:
    """Level by level, because a body may have half a million values and calls are waiting."""
    level = [value]
    for _ in range(levels):
        level = [inner for one in level for inner in _inside(one) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
