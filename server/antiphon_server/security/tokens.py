"""Temporary tokens: short-lived credentials that a server may hand to a browser.

Only the SHA-256 of a token is kept, in memory: a token does not outlive the process that made
it, and another process does not know it. Source: voice agent protocol, sections 1.4 and 1.5.
"""

from __future__ import annotations

import hashlib
import heapq
import math
import secrets
import time
from collections.abc import Callable

from antiphon_server.security.admission import Admission

TOKEN_BYTES = 48
"""64 characters on the wire; 32 bytes would be out of anybody's reach already."""
MOST_TOKENS = 20_000
"""About 6 MB, and 33 tokens a second when each may be redeemed for the longest time."""


class TooManyTokens(Exception):
    """As many tokens as are kept can still be redeemed; one expires in ``retry_seconds``."""

    def __init__(self, retry_seconds: int) -> None:
        super().__init__(f"no room for another token for {retry_seconds} s")
        self.retry_seconds = retry_seconds


class Tokens:
    """The tokens of one process.

    ``clock`` gives seconds that never run backwards. With ``one_time`` a token opens one
    session; otherwise as many as are opened before it expires, as with the hosted service.
    """

    def __init__(
        self,
        *,
        one_time: bool = False,
        most: int = MOST_TOKENS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._one_time = one_time
        self._most = most
        self._clock = clock
        self._grants: dict[bytes, Admission] = {}
        self._expiries: list[tuple[float, bytes]] = []

    def mint(self, grant: Admission, window_seconds: int) -> str:
        """A new token, which may be redeemed for this long. Raises ``TooManyTokens``."""
        self._forget_expired()
        if len(self._expiries) >= self._most:
            soonest = self._expiries[0][0] - self._clock()
            raise TooManyTokens(max(1, math.ceil(soonest)))
        token = secrets.token_urlsafe(TOKEN_BYTES)
        digest = _digest(token)
        self._grants[digest] = grant
        heapq.heappush(self._expiries, (self._clock() + window_seconds, digest))
        return token

    def find(self, presented: str) -> Admission | None:
        """What a token allows now; None for one that is unknown, spent or expired.

        It is looked up by its digest, so the time taken tells nothing about other tokens.
        """
        self._forget_expired()
        return self._grants.get(_digest(presented))

    def spend(self, presented: str) -> bool:
        """A session is opened with it: a one-time token opens no other.

        False for one that is spent already. Of all who ask at once, one is told True.
        """
        return not self._one_time or self._grants.pop(_digest(presented), None) is not None

    def revoke(self, key_id: str) -> None:
        """Ends every token that was minted with a key."""
        of_key = [digest for digest, grant in self._grants.items() if grant.key_id == key_id]
        for digest in of_key:
            del self._grants[digest]

    def _forget_expired(self) -> None:
        now = self._clock()
        while self._expiries and self._expiries[0][0] <= now:
            _, digest = heapq.heappop(self._expiries)
            self._grants.pop(digest, None)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
