"""One attempt at one delivery: what is sent, and what its answer means."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from antiphon_server.security.outbound import OutboundRequest, OutboundResponse
from antiphon_server.security.outbound_errors import OutboundError
from antiphon_server.security.secrets import Unsealable, Vault
from antiphon_server.store.webhook_deliveries import Due, Went
from antiphon_server.store.webhook_outbox import inline_context
from antiphon_server.store.webhook_subscriptions import secret_context
from antiphon_server.webhooks.schedule import asked_wait_s
from antiphon_server.webhooks.signing import signed_headers

log = structlog.get_logger()

MOST_ANSWER_BYTES = 4_096
"""Of which the first characters are kept where it is a refusal; the rest is not read."""
MOST_ERROR_CHARACTERS = 200
_TAKEN = range(200, 300)


class Fetch(Protocol):
    """``OutboundGuard``, as far as it is used here."""

    async def fetch(self, request: OutboundRequest) -> OutboundResponse:
        """The answer. Raises ``OutboundError``."""
        ...


class Failure(Exception):
    """An attempt that was not made, or not answered; the message is for the subscriber."""


class Attempt(Struct, frozen=True):
    """What to send, at which Unix second, and within how many seconds it must be answered."""

    due: Due
    at: float
    timeout_s: float


async def post(guard: Fetch, vault: Vault, attempt: Attempt) -> OutboundResponse:
    """Sends the event. Raises ``Failure``."""
    due = attempt.due
    try:
        secret = _secret(vault, due)
        headers = signed_headers(secret, due.event_id, int(attempt.at), due.body)
        answer = await guard.fetch(
            OutboundRequest(
                method="POST",
                url=due.url,
                headers=tuple(headers.items()),
                body=due.body,
                timeout_s=attempt.timeout_s,
                max_bytes=MOST_ANSWER_BYTES,
            )
        )
    except OutboundError as error:
        raise Failure(readable(str(error))) from error
    except Unsealable as error:
        log.exception("secret of a webhook cannot be opened", delivery=due.id)
        raise Failure("The server cannot open the secret; set it again") from error
    # What a receiver complains of is kept and shown.
    said = answer.body if secret is None else answer.body.replace(secret.encode(), b"[secret]")
    return replace(answer, body=said)


def judged(
    answer: OutboundResponse | Failure, at: float, wait_s: Callable[[float | None], float | None]
) -> Went:
    """What became of an attempt that was over at this Unix second.

    ``wait_s`` tells the seconds until the next one, given those a receiver asked for; None: this
    was the last.
    """
    if isinstance(answer, Failure):
        status, error, asked_s = None, str(answer), None
    elif answer.status in _TAKEN:
        return Went(status="delivered", at=at, http_status_code=answer.status)
    else:
        status, error = answer.status, _refusal(answer)
        asked_s = asked_wait_s(answer.status, answer.headers, at)
    wait = wait_s(asked_s)
    return Went(
        status="failed" if wait is None else "pending",
        at=at,
        http_status_code=status,
        error=error,
        next_retry_at=None if wait is None else at + wait,
    )


def readable(text: str) -> str:
    """The first characters of a text without control characters, on one line."""
    shown = "".join(one if one.isprintable() else " " for one in text)
    return " ".join(shown.split())[:MOST_ERROR_CHARACTERS]


def _secret(vault: Vault, due: Due) -> str | None:
    if due.secret is None:
        return None
    context = (
        inline_context(due.session_id)
        if due.subscription_id is None
        else secret_context(due.subscription_id)
    )
    return vault.open(due.secret, context).decode()


def _refusal(answer: OutboundResponse) -> str:
    """Such as ``HTTP 401: wrong signature``: the beginning of the answer, or its status."""
    said = readable(answer.body.decode(errors="replace"))
    if not said:
        known = {one.value: one.phrase for one in HTTPStatus}
        said = known.get(answer.status, "not an answer of success")
    return readable(f"HTTP {answer.status}: {said}")
