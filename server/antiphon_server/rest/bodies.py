"""JSON objects from requests, read with a limit and a deadline."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request

from antiphon_protocol.codec import UNDECODABLE
from antiphon_protocol.rest import Fault
from antiphon_server.rest.errors import Invalid, InvalidRequest, TooLarge, TooSlow

MOST_BYTES = 65_536
SECONDS = 10.0
"""More than any client needs for that much; less than an attacker would like."""


async def json_object(request: Request) -> dict[str, Any]:
    """The request's body; no body, or null, is an empty object.

    Raises ``TooLarge``, ``TooSlow``, ``InvalidRequest`` for what is no JSON, ``Invalid`` for
    what is no object, and Starlette's ``ClientDisconnect``.
    """
    raw = await _read(request)
    if not raw.strip():
        return {}
    try:
        value = msgspec.json.decode(raw)
    except UNDECODABLE:
        raise InvalidRequest from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        told = "Input should be a valid dictionary or object to extract fields from"
        raise Invalid((Fault("model_attributes_type", ("body",), told, None),))
    return value


async def _read(request: Request) -> bytes:
    read = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for part in request.stream():
                read += part
                if len(read) > MOST_BYTES:
                    raise TooLarge(f"The body may have {MOST_BYTES} bytes")
    except TimeoutError:
        raise TooSlow from None
    return bytes(read)
