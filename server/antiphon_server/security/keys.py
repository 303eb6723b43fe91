"""Which credentials open a session."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from antiphon_protocol.errors import Unauthorized


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
    """The keys an operator configured; with none, everybody is let in."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = tuple(key.encode() for key in keys)

    def admit(self, presented: str | None) -> None:
        """Raises ``Unauthorized`` unless the credential is one of the keys.

        Every key is compared, in constant time, so that the time taken tells nothing.
        """
        if not self._keys:
            return
        given = (presented or "").encode()
        matches = [hmac.compare_digest(given, key) for key in self._keys]
        if not any(matches):
            raise Unauthorized
