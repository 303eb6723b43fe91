"""Who may use the REST API: the owner of a key; with no key configured, everybody."""

from __future__ import annotations

from starlette.datastructures import QueryParams
from starlette.requests import Request

from antiphon_protocol.errors import Unauthorized
from antiphon_server.rest.errors import Forbidden, MissingAuthorization, UnknownKey
from antiphon_server.security.admission import Admission, Scope, credential, origin
from antiphon_server.security.keys import Keys

_NOWHERE = QueryParams()


def presented(request: Request) -> str | None:
    """The credential in the header; a query gets into logs, so none is taken from there."""
    return credential(request.headers, _NOWHERE)


async def account(keys: Keys, request: Request, scope: Scope | None) -> str:
    """Whose request it is. Raises what ``admitted`` raises."""
    return (await admitted(keys, request, scope)).account


async def admitted(keys: Keys, request: Request, scope: Scope | None) -> Admission:
    """What the request's key allows; without a scope any key will do.

    Raises ``MissingAuthorization``, ``UnknownKey``, ``Forbidden`` for a key without the scope
    and for a page of an origin that the key does not name, and the database's ``Unreachable``.
    """
    key = presented(request)
    try:
        found = await keys.owner(key)
    except Unauthorized:
        if key is None:
            raise MissingAuthorization from None
        raise UnknownKey from None
    check(found, request, scope)
    return found


def check(found: Admission, request: Request, scope: Scope | None) -> None:
    """Raises ``Forbidden`` unless the key is for this, and may be used from there."""
    if scope is not None and found.key_id is None and not found.is_for(scope):
        raise Forbidden(f"This needs a key with the scope '{scope}': see `antiphon keys create`")
    if scope is not None and not found.is_for(scope):
        raise Forbidden(f"This key does not have the scope '{scope}'")
    if not found.is_from(origin(request.headers)):
        raise Forbidden("This key may not be used from this origin")
