"""The REST API: from a path and a method to a handler, from an error to its envelope.

Every answer carries ``X-Request-Id``. There are no CORS headers: a page of another origin
must not ask for tokens with a key in it (voice agent protocol, section 6.7).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from antiphon_server.rest.answers import Handler, answer
from antiphon_server.rest.errors import Broken, MethodNotAllowed, NotFound, RestError
from antiphon_server.rest.lists import lists
from antiphon_server.rest.tokens import TokenRoutes
from antiphon_server.security.keys import Keys

log = structlog.get_logger()

Table = Mapping[str, Mapping[str, Handler]]


def table(keys: Keys) -> Table:
    """The handlers by path and method."""
    tokens = TokenRoutes(keys)
    found: dict[str, Mapping[str, Handler]] = {
        path: {"GET": handler} for path, handler in lists(keys).items()
    }
    return found | {"/v1/token": {"GET": tokens.get}, "/v1/tokens": {"POST": tokens.post}}


class Api:
    """Everything under ``/v1`` that is no WebSocket, as an ASGI application."""

    def __init__(self, handlers: Table) -> None:
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; whatever goes wrong is an envelope, never a traceback."""
        request_id = secrets.token_hex(16)
        try:
            response = await self._respond(Request(scope, receive), request_id)
        except ClientDisconnect:
            return
        response.headers["x-request-id"] = request_id
        await response(scope, receive, send)

    async def _respond(self, request: Request, request_id: str) -> Response:
        try:
            return await self._handler(request)(request)
        except RestError as error:
            told = error
        except ClientDisconnect:
            raise
        except Exception:
            log.exception("request broke", path=request.scope["path"], request_id=request_id)
            told = Broken()
        return answer(told.body(request_id), told.status, told.headers)

    def _handler(self, request: Request) -> Handler:
        # Not `request.url`, which a `Host` header with a slash in it can bend.
        methods = self._handlers.get(request.scope["path"])
        if methods is None:
            raise NotFound
        if request.method not in methods:
            raise MethodNotAllowed(methods)
        return methods[request.method]
