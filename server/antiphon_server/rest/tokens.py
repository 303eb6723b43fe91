"""``GET /v1/token`` and ``POST /v1/tokens``: temporary tokens for browsers.

Source: voice agent protocol, sections 1.4 and 1.5. The two differ in everything but what they
make: the older one answers errors in FastAPI's own shape, and a wrong key with 404.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from antiphon_protocol.errors import Unauthorized
from antiphon_protocol.rest import (
    DEFAULT_WINDOW_SECONDS,
    TOKEN_SESSION_SECONDS,
    WINDOW_SECONDS,
    ExpiringToken,
    Fault,
    Token,
    TokenRefused,
    TokenRequest,
)
from antiphon_server.rest.access import admitted, check, presented
from antiphon_server.rest.answers import answer
from antiphon_server.rest.bodies import json_object
from antiphon_server.rest.errors import Forbidden, Invalid, NoRoom, TooLarge, TooSlow
from antiphon_server.rest.fields import integer, missing
from antiphon_server.rest.operations import Operation, Parameter
from antiphon_server.security.admission import Admission
from antiphon_server.security.keys import Keys
from antiphon_server.security.tokens import TooManyTokens

_WINDOW = "expires_in_seconds"
_DURATION = "max_session_duration_seconds"
_QUERY = (
    Parameter(
        _WINDOW,
        Annotated[int, Meta(ge=WINDOW_SECONDS[0], le=WINDOW_SECONDS[1])],
        "Seconds in which the token may be redeemed.",
        required=True,
    ),
    Parameter(
        _DURATION,
        Annotated[int, Meta(ge=TOKEN_SESSION_SECONDS[0], le=TOKEN_SESSION_SECONDS[1])],
        "Seconds after which a session opened with the token is cut; the most by default.",
    ),
)


class _Asked(Struct, frozen=True):
    """A request with its defaults, in seconds."""

    expires_in_seconds: int = DEFAULT_WINDOW_SECONDS
    max_session_duration_seconds: int = TOKEN_SESSION_SECONDS[1]


class TokenRoutes:
    """Mints tokens in the name of the key that asks."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def operations(self) -> tuple[Operation, ...]:
        """Both addresses."""
        return (
            Operation(
                method="GET",
                path="/v1/token",
                handler=self.get,
                summary="Mint a temporary token",
                tag="Tokens",
                answers=Token,
                query=_QUERY,
                refusals=tuple((status, TokenRefused) for status in (403, 404, 422, 429)),
            ),
            Operation(
                method="POST",
                path="/v1/tokens",
                handler=self.post,
                summary="Mint a temporary token and say when it expires",
                tag="Tokens",
                takes=TokenRequest,
                takes_null=True,
                answers=ExpiringToken,
                errors=(TooSlow, TooLarge, Invalid, NoRoom),
            ),
        )

    async def get(self, request: Request) -> Response:
        """``GET /v1/token``; ``product`` and other parameters are ignored."""
        key = presented(request)
        faults: list[Fault] = []
        if key is None and not await self._keys.is_open():
            faults.append(missing(("header", "authorization")))
        query = request.query_params
        if _WINDOW not in query:
            faults.append(missing(("query", _WINDOW)))
        asked, wrong = _asked(query, "query")
        if faults or wrong:
            return answer(TokenRefused((*faults, *wrong)), 422)
        try:
            owner = await self._keys.owner(key)
            check(owner, request, "calls")
        except Unauthorized:
            return answer(TokenRefused("Invalid API key"), 404)
        except Forbidden as refused:
            return answer(TokenRefused(refused.message), refused.status)
        try:
            token = self._mint(owner, asked)
        except TooManyTokens as full:
            return answer(TokenRefused(NoRoom.text), NoRoom.status, _retry(full))
        return answer(Token(token, asked.expires_in_seconds))

    async def post(self, request: Request) -> Response:
        """``POST /v1/tokens``; raises what ``admitted`` and ``json_object`` raise, ``Invalid``
        and ``NoRoom``.
        """
        owner = await admitted(self._keys, request, "calls")
        body = await json_object(request)
        given = {name: value for name, value in body.items() if value is not None}
        asked, wrong = _asked(given, "body")
        if wrong:
            raise Invalid(wrong)
        try:
            token = self._mint(owner, asked)
        except TooManyTokens as full:
            raise NoRoom(full.retry_seconds) from full
        expires_at = datetime.now(UTC) + timedelta(seconds=asked.expires_in_seconds)
        return answer(ExpiringToken(token, expires_at))

    def _mint(self, owner: Admission, asked: _Asked) -> str:
        return self._keys.mint(owner, asked.max_session_duration_seconds, asked.expires_in_seconds)


def _asked(values: Mapping[str, Any], place: str) -> tuple[_Asked, tuple[Fault, ...]]:
    """What was asked for, with defaults for what was not, and what is wrong with it."""
    fields = (
        (_WINDOW, WINDOW_SECONDS, DEFAULT_WINDOW_SECONDS),
        (_DURATION, TOKEN_SESSION_SECONDS, TOKEN_SESSION_SECONDS[1]),
    )
    numbers: list[int] = []
    faults: list[Fault] = []
    for name, limits, default in fields:
        read = integer(values[name], (place, name), limits) if name in values else default
        if isinstance(read, Fault):
            faults.append(read)
        else:
            numbers.append(read)
    return (_Asked() if faults else _Asked(*numbers)), tuple(faults)


def _retry(full: TooManyTokens) -> dict[str, str]:
    return {"retry-after": str(full.retry_seconds)}
