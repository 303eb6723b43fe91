"""Links that need no credential: whoever has one may read one artifact, for an hour.

A link carries when it expires and an HMAC-SHA256 of that and of what it leads to, so that the
server need not remember it; all processes with the same secret keys honour each other's.
"""

from __future__ import annotations

import hashlib
import hmac
import re

from antiphon_protocol.rest_sessions import ARTIFACT_LINK_SECONDS, ArtifactKind

_BASE = re.compile(r"https?://[^\s/?#@]+(/[^\s?#@]*)?", re.ASCII | re.IGNORECASE)
_PURPOSE = b"antiphon artifact links 1"


class LinkInvalid(Exception):
    """A signature that was not made here for exactly this."""


class LinkExpired(Exception):
    """A link that was good."""


def check_base(public_url: str) -> None:
    """Raises ``ValueError`` for what no link can begin with; empty is what a request was sent to.

    The message does not repeat it: it may hold a password.
    """
    if public_url and not _BASE.fullmatch(public_url):
        raise ValueError("it must look like https://voice.example.com, without a user")


class Links:
    """Signs and checks links. Times are Unix seconds."""

    def __init__(self, pepper: bytes) -> None:
        """``pepper``: the vault's; a key for this purpose alone is derived from it."""
        self._key = hmac.digest(pepper, _PURPOSE, hashlib.sha256)

    def path(self, session_id: str, kind: ArtifactKind, now: float) -> str:
        """Path and query of a link that begins to be good now."""
        expires = str(int(now) + ARTIFACT_LINK_SECONDS)
        signature = self._signature(session_id, kind, expires)
        return f"/v1/artifacts/{session_id}/{kind}?expires={expires}&signature={signature}"

    def check(self, session_id: str, kind: str, expires: str, signature: str, now: float) -> None:
        """Raises ``LinkInvalid`` and ``LinkExpired``; the time it takes tells nothing."""
        expected = self._signature(session_id, kind, expires)
        # As bytes: a string that is not ASCII must be wrong, not an error.
        if not hmac.compare_digest(_bytes(expected), _bytes(signature)):
            raise LinkInvalid
        if now >= int(expires):
            raise LinkExpired

    def _signature(self, session_id: str, kind: str, expires: str) -> str:
        # Lengths first, so that no other three strings run together to the same message.
        parts = [_bytes(part) for part in (session_id, kind, expires)]
        message = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return hmac.digest(self._key, message, hashlib.sha256).hex()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
