"""A client of the REST API in raw ASGI: no network, virtual time."""

from __future__ import annotations

import json
from typing import Any

from starlette.types import ASGIApp

from antiphon_server.rest.api import Api
from antiphon_server.rest.lists import ListRoutes
from antiphon_server.rest.tokens import TokenRoutes
from antiphon_server.security.keys import Keys
from antiphon_server.security.tokens import Tokens

KEY = "key-1"


def api(*keys: str, tokens: Tokens | None = None) -> tuple[Api, Keys]:
    """What needs nothing but keys: tokens and lists, with these keys, by default one."""
    known = Keys(keys or (KEY,), tokens)
    return api_of(known), known


def api_of(keys: Keys) -> Api:
    """As ``api``, with keys that are there already."""
    return Api((*TokenRoutes(keys).operations(), *ListRoutes(keys).operations()))


class Answer:
    """What came back."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self.status = int(events[0]["status"])
        self.pairs = [(name.decode(), text.decode()) for name, text in events[0]["headers"]]
        self.headers = dict(self.pairs)
        self.raw = b"".join(event.get("body", b"") for event in events[1:])

    @property
    def body(self) -> Any:
        """The JSON."""
        return json.loads(self.raw)


async def ask(
    app: ASGIApp,
    target: str,
    *parts: bytes,
    authorization: str | None = KEY,
    host: str = "localhost",
    headers: tuple[tuple[str, str], ...] = (),
) -> Answer:
    """The answer to ``METHOD /path?query`` with a body in these parts."""
    method, _, url = target.partition(" ")
    path, _, query = url.partition("?")
    sent = [(b"host", host.encode())]
    if authorization is not None:
        sent.append((b"authorization", authorization.encode()))
    sent += [(name.encode(), text.encode("latin-1")) for name, text in headers]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": sent,
    }
    coming = [
        {"type": "http.request", "body": part, "more_body": index < len(parts)}
        for index, part in enumerate((*parts, b""))
    ]
    events: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return coming.pop(0)

    async def send(event: Any) -> None:
        events.append(event)

    await app(scope, receive, send)
    return Answer(events)
