"""Which credentials open a session, and which may use the REST API."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from msgspec import Struct

from antiphon_protocol.errors import Unauthorized
from antiphon_server.security.tokens import Grant, Tokens

ANYBODY = ""
"""The account of every client of a server without keys."""


class Admission(Struct, frozen=True):
    """Who was let in, and the longest session that is allowed, in seconds; None: no limit."""

    account: str
    session_seconds: int | None = None


def credential(headers: Mapping[str, str], query: Mapping[str, str]) -> str | None:
    """The credential a client presented: the header, with or without ``Bearer``, or the query.

    Source: voice agent protocol, section 1.2.
    """
    header = headers.get("authorization", "").strip()
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        header = rest.strip()
    return header or query.get("token") or None


class Keys:
    """The keys an operator configured; with none, everybody is let in.

    ``tokens`` are the temporary tokens that the keys' owners asked for; without, a key is the
    only credential.
    """

    def __init__(self, keys: tuple[str, ...], tokens: Tokens | None = None) -> None:
        self._keys = tuple(key.encode() for key in keys)
        self._tokens = Tokens() if tokens is None else tokens

    @property
    def is_open(self) -> bool:
        """Whether everybody is let in."""
        return not self._keys

    def account(self, presented: str | None) -> str:
        """The account of a key: a digest, so that it may be kept and compared.

        Raises ``Unauthorized`` unless the credential is one of the keys: a token is none, or
        it could prolong itself. Every key is compared, in constant time, so that the time
        taken tells nothing.
        """
        if self.is_open:
            return ANYBODY
        given = (presented or "").encode()
        matches = [hmac.compare_digest(given, key) for key in self._keys]
        if not any(matches):
            raise Unauthorized
        return hashlib.sha256(given).hexdigest()

    def admit(self, presented: str | None) -> Admission:
        """What a key or a token allows. Raises ``Unauthorized`` for anything else.

        Nothing is used up; that is ``spend``, once there is room for the session.
        """
        grant = self._tokens.find(presented) if presented else None
        if grant is not None:
            return Admission(grant.account, grant.session_seconds)
        return Admission(self.account(presented))

    def spend(self, presented: str | None) -> None:
        """A session opens with this credential; a one-time token is used up by it."""
        if presented:
            self._tokens.spend(presented)

    def mint(self, account: str, session_seconds: int, window_seconds: int) -> str:
        """A temporary token for sessions of an account. Raises ``TooManyTokens``."""
        return self._tokens.mint(Grant(account, session_seconds), window_seconds)
