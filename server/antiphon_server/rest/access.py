"""Who may use the REST API: the owner of a key; with no key configured, everybody."""

from __future__ import annotations

from starlette.requests import Request

from antiphon_protocol.errors import Unauthorized
from antiphon_server.rest.errors import MissingAuthorization, UnknownKey
from antiphon_server.security.keys import Keys, credential


def presented(request: Request) -> str | None:
    """The credential in the header; a query gets into logs, so none is taken from there."""
    return credential(request.headers, {})


def account(keys: Keys, request: Request) -> str:
    """Whose request it is. Raises ``MissingAuthorization`` and ``UnknownKey``."""
    key = presented(request)
    if key is None and not keys.is_open:
        raise MissingAuthorization
    try:
        return keys.account(key)
    except Unauthorized:
        raise UnknownKey from None
