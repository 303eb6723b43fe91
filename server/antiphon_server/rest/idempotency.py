"""``Idempotency-Key``: a request that is sent again is not carried out again.

The hosted service has it on calls, numbers and deployments (voice agent protocol, section
6.1), here it is on everything that is created with ``POST``. An answer is kept for 24 hours.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response

from antiphon_server.rest.answers import encoded
from antiphon_server.rest.bodies import raw_body
from antiphon_server.rest.errors import (
    IdempotencyInProgress,
    IdempotencyKeyInvalid,
    IdempotencyKeyReuse,
)
from antiphon_server.store.database import Unreachable
from antiphon_server.store.idempotency import Claim, Claims, InProgress, Kept, Reused

log = structlog.get_logger()

_HEADER = "idempotency-key"
_KEY = re.compile("[ -~]{1,255}")
REPLAYED = "idempotent-replayed"
"""Header of an answer that was given before."""

ERRORS = (IdempotencyKeyInvalid, IdempotencyInProgress, IdempotencyKeyReuse)
"""What ``once`` raises, for an ``Operation``."""


class Idempotency:
    """Carries requests out once. ``pepper`` keeps what is stored from telling about bodies."""

    def __init__(self, claims: Claims, pepper: bytes) -> None:
        self._claims = claims
        self._pepper = pepper

    async def once(
        self,
        owner: str,
        request: Request,
        work: Callable[[], Awaitable[Response]],
        most_bytes: int,
    ) -> Response:
        """The answer of ``work``, or the one it gave when the same request came before.

        Only successes are kept, and they must hold no secret. Raises ``IdempotencyKeyInvalid``,
        ``IdempotencyInProgress``, ``IdempotencyKeyReuse`` and what ``work`` raises.
        """
        key = _key(request)
        if key is None:
            return await work()
        digest = hmac.digest(self._pepper, await raw_body(request, most_bytes), hashlib.sha256)
        claim = Claim(owner, key, f"{request.method} {request.scope['path']}", digest)
        try:
            taken = await self._claims.take(claim)
        except Reused:
            raise IdempotencyKeyReuse from None
        except InProgress:
            raise IdempotencyInProgress from None
        if isinstance(taken, Kept):
            return encoded(taken.body, taken.status, {REPLAYED: "true"})
        return await self._carry_out(claim, taken, work)

    async def _carry_out(
        self, claim: Claim, claimed_at: float, work: Callable[[], Awaitable[Response]]
    ) -> Response:
        try:
            response = await work()
        except Exception:
            await self._claims.give_up(claim, claimed_at)
            raise
        try:
            kept = Kept(response.status_code, bytes(response.body))
            await self._claims.keep(claim, claimed_at, kept)
        except Unreachable as failure:
            # It is done: to say that it failed would make the client do it again.
            log.warning("answer cannot be kept for another request", reason=str(failure))
        return response


def _key(request: Request) -> str | None:
    """The key, which is text that can be shown; None without one."""
    given = request.headers.getlist(_HEADER)
    if not given:
        return None
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise IdempotencyKeyInvalid
    return given[0]
