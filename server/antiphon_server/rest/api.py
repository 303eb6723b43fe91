"""The REST API: from a path and a method to a handler, from an error to its envelope.

Every answer carries ``X-Request-Id``. There are no CORS headers: a page of another origin
must not ask for tokens with a key in it (voice agent protocol, section 6.7).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from antiphon_server.rest.answers import Handler, answer
from antiphon_server.rest.errors import (
    Broken,
    MethodNotAllowed,
    NotFound,
    RestError,
    Unavailable,
)
from antiphon_server.rest.operations import Operation
from antiphon_server.store.database import Unreachable

log = structlog.get_logger()

Methods = dict[str, Handler]


class Api:
    """Everything under ``/v1`` that is no WebSocket, as an ASGI application.

    A path without ``{names}`` wins over one with. ``HEAD`` is ``GET`` without the body.
    """

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._plain: dict[str, Methods] = {}
        self._patterns: dict[tuple[str, ...], Methods] = {}
        for operation in operations:
            methods = self._methods(operation.path)
            if operation.method in methods:
                raise ValueError(f"{operation.method} {operation.path} is there twice")
            methods[operation.method] = operation.handler
            if operation.method == "GET":
                methods["HEAD"] = operation.handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; whatever goes wrong is an envelope, never a traceback."""
        request_id = secrets.token_hex(16)
        try:
            response = await self._respond(Request(scope, receive), request_id)
        except ClientDisconnect:
            return
        response.headers["x-request-id"] = request_id
        await response(scope, receive, _bodiless(send) if scope["method"] == "HEAD" else send)

    async def _respond(self, request: Request, request_id: str) -> Response:
        try:
            return await self._handler(request)(request)
        except RestError as error:
            told = error
        except ClientDisconnect:
            raise
        except Unreachable as failure:
            log.warning("database cannot be used", reason=str(failure), request_id=request_id)
            told = Unavailable()
        except Exception:
            log.exception("request broke", path=request.scope["path"], request_id=request_id)
            told = Broken()
        return answer(told.body(request_id), told.status, told.headers)

    def _handler(self, request: Request) -> Handler:
        # Not `request.url`, which a `Host` header with a slash in it can bend.
        methods, values = self._find(request.scope["path"])
        request.scope["path_params"] = values
        if request.method not in methods:
            raise MethodNotAllowed(methods)
        return methods[request.method]

    def _methods(self, path: str) -> Methods:
        if "{" in path:
            return self._patterns.setdefault(_segments(path), {})
        return self._plain.setdefault(path, {})

    def _find(self, path: str) -> tuple[Methods, dict[str, str]]:
        """The methods of a path, which is percent-decoded, and what its names stand for."""
        if path in self._plain:
            return self._plain[path], {}
        segments = _segments(path)
        if "\0" in path:
            # No id has it, and PostgreSQL does not take it.
            raise NotFound
        for pattern, methods in self._patterns.items():
            values = _match(pattern, segments)
            if values is not None:
                return methods, values
        raise NotFound


def _segments(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))


def _match(pattern: tuple[str, ...], segments: tuple[str, ...]) -> dict[str, str] | None:
    """The values of a pattern's names, none of them empty; None when it does not fit."""
    if len(pattern) != len(segments):
        return None
    values: dict[str, str] = {}
    for wanted, given in zip(pattern, segments, strict=True):
        if wanted.startswith("{") and given:
            values[wanted[1:-1]] = given
        elif wanted != given:
            return None
    return values


def _bodiless(send: Send) -> Send:
    async def without_body(message: Message) -> None:
        await send({**message, "body": b""} if "body" in message else message)

    return without_body
