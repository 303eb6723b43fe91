"""Who was let in and what they may do; which credential a request presents, and from where."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from starlette.datastructures import Headers, QueryParams

Scope = Literal["calls", "agents", "sessions", "webhooks", "usage", "operator"]
"""What a key may be used for; ``calls`` is to open sessions and to mint tokens for them,
``operator`` to decide what the whole server does, for all accounts.
"""
SCOPES: tuple[Scope, ...] = ("calls", "agents", "sessions", "webhooks", "usage")
"""Those of a key that names none. ``operator`` is only given by name."""
ALL_SCOPES: tuple[Scope, ...] = (*SCOPES, "operator")

ANYBODY = ""
"""The account of every client of a server without keys."""

OTHERS_SCHEMES = ("basic", "digest", "negotiate")
"""Schemes of passwords that guard a whole site (RFC 9110, section 11), never of an API key."""

UNKNOWN_ORIGIN = ""
"""What no page has; a key that names origins does not name it."""


class Admission(Struct, frozen=True, kw_only=True):
    """What a credential allows, and in whose name.

    ``key_id`` is the key itself or the one a token was minted with; None where everybody is let
    in. ``session_seconds`` is the longest session, None without a limit of its own;
    ``max_sessions`` and ``sessions_per_minute`` None for the settings' defaults. No ``origins``
    are any. ``by_token`` is whether the credential is a temporary token.
    """

    account: str
    key_id: str | None = None
    session_seconds: int | None = None
    max_sessions: int | None = None
    sessions_per_minute: int | None = None
    scopes: tuple[Scope, ...] = SCOPES
    origins: tuple[str, ...] = ()
    by_token: bool = False

    def is_for(self, scope: Scope) -> bool:
        """Whether it may be used for that."""
        return scope in self.scopes

    def is_from(self, origin: str | None) -> bool:
        """Whether a page of this origin may use it; None is a client that is no page.

        Compared as browsers write it (RFC 6454, section 6.1): scheme, host and port, in full.
        """
        return not self.origins or origin is None or origin in self.origins


def credential(headers: Headers, query: QueryParams) -> str | None:
    """The credential a client presented: the header, with or without ``Bearer``, or the query.

    Several headers are one that nobody has: which of them a proxy looked at is not known here.
    A single one of ``OTHERS_SCHEMES`` is no credential of ours next to a ``?token=``: a browser
    sends a site's password along, also to a WebSocket.
    Source: voice agent protocol, section 1.2.
    """
    header = ", ".join(headers.getlist("authorization")).strip()
    token = query.get("token")
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        header = rest.strip()
    elif token and scheme.lower() in OTHERS_SCHEMES and len(headers.getlist("authorization")) == 1:
        header = ""
    return header or token or None


def origin(headers: Headers) -> str | None:
    """The origin of the page that asks; several are one of nobody.

    None where no page does: a browser always says its origin when it opens a socket, and no page
    can send an ``Authorization`` header with it. Without either it is ``UNKNOWN_ORIGIN``.
    """
    given = headers.getlist("origin")
    if not given and "authorization" in headers:
        return None
    return ", ".join(given) if given else UNKNOWN_ORIGIN
