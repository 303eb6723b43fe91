"""What is to be reported, written in the transaction that makes it true.

An event of a session that is rolled back leaves nothing here, and one that is applied again
after a crash is already here: a session has one event of a kind. ``webhooks.deliverer`` sends
what it finds. Source: voice agent protocol, section 6.5.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import msgspec
import sqlalchemy as sa
import structlog
from msgspec import Struct
from sqlalchemy.dialects import postgresql, sqlite

from antiphon_protocol.rest_webhooks import WebhookPayload, WebhookSession
from antiphon_protocol.session_config import Webhook, WebhookEvent
from antiphon_server.security.secrets import Unsealable, Vault
from antiphon_server.store.tables import webhook_deliveries, webhook_events, webhook_subscriptions

log = structlog.get_logger()


class SessionEvent(Struct, frozen=True, kw_only=True):
    """Something that happened to a session and that may be reported.

    ``payload`` says more about it, under the names of ``WebhookSession``: ``status``,
    ``duration_seconds``, ``audio_duration_seconds``, ``close_reason``, ``public_close_reason``,
    and as Unix seconds ``created_at`` (by default ``at``) and ``ended_at``; what is left out is
    null. For an event of a call it is the whole ``call`` object.
    """

    account: str
    session_id: str
    agent_id: str | None
    kind: WebhookEvent
    payload: dict[str, Any]
    inline: bytes | None = None
    """The session's own webhook, as ``sealed`` made it."""
    at: float
    """Unix seconds."""


class Outbox:
    """Writes events and where each goes; opens the webhooks of sessions with the vault."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def enqueue(self, connection: sa.Connection, event: SessionEvent) -> None:
        """Writes an event and its deliveries, in the caller's transaction; once, however often.

        It goes to each enabled subscription of the account that lists its kind and is for every
        agent or for this one, and to the session's own webhook if that lists it.
        """
        is_sqlite = connection.dialect.name == "sqlite"
        insert = (sqlite if is_sqlite else postgresql).insert(webhook_events)
        row = {
            "id": event_id(event.session_id, event.kind),
            "account": event.account,
            "session_id": event.session_id,
            "kind": event.kind,
            "payload": _payload(event),
            "created_at": event.at,
        }
        added = insert.values(row).on_conflict_do_nothing().returning(webhook_events.c.id)
        if connection.execute(added).first() is None:
            return
        deliveries = [*self._subscribed(connection, event), *self._inline(event)]
        if deliveries:
            connection.execute(sa.insert(webhook_deliveries), deliveries)

    def _subscribed(self, connection: sa.Connection, event: SessionEvent) -> list[dict[str, Any]]:
        columns = webhook_subscriptions.c
        query = sa.select(columns.id, columns.url, columns.events).where(
            columns.account == event.account,
            columns.enabled,
            sa.or_(columns.agent_id.is_(None), columns.agent_id == event.agent_id),
        )
        return [
            _delivery(event, row.url, subscription_id=row.id)
            for row in connection.execute(query)
            if event.kind in row.events
        ]

    def _inline(self, event: SessionEvent) -> list[dict[str, Any]]:
        if event.inline is None:
            return []
        context = inline_context(event.session_id)
        try:
            webhook = msgspec.json.decode(self._vault.open(event.inline, context), type=Webhook)
        except (Unsealable, msgspec.MsgspecError):
            # Such as when its key is gone; the session's records are applied all the same.
            log.exception("webhook of a session cannot be opened", session_id=event.session_id)
            return []
        if event.kind not in webhook.events:
            return []
        secret = webhook.secret and self._vault.seal(webhook.secret.encode(), context)
        return [_delivery(event, webhook.url, secret=secret)]


def inline_context(session_id: str) -> str:
    """What the webhook of a session is sealed for: it opens in no other place."""
    return f"session-webhook:{session_id}"


def sealed(vault: Vault, session_id: str, webhook: Webhook) -> bytes:
    """The webhook of a session, with its secret, as records may hold it."""
    return vault.seal(msgspec.json.encode(webhook), inline_context(session_id))


def event_id(session_id: str, kind: str) -> str:
    """The one id of a session's event of a kind, also after its cause was lost and came again."""
    return "evt_" + hashlib.sha256(f"{session_id} {kind}".encode()).hexdigest()[:32]


def delivered_to(url: str) -> str:
    """An address as deliveries have it: scheme and host in lower case, a path, no fragment.

    So that what goes to one host can be told by how the address begins.
    """
    parts = urlsplit(url)
    return urlunsplit(
        (parts.scheme.lower(), parts.netloc.lower(), parts.path or "/", parts.query, "")
    )


def _delivery(
    event: SessionEvent, url: str, *, subscription_id: str | None = None, secret: Any = None
) -> dict[str, Any]:
    return {
        "id": f"whd_{secrets.token_hex(16)}",
        "account": event.account,
        "event_id": event_id(event.session_id, event.kind),
        "subscription_id": subscription_id,
        "session_id": event.session_id,
        "url": delivered_to(url),
        "secret": secret,
        "status": "pending",
        "attempt_count": 0,
        "created_at": event.at,
        "next_retry_at": event.at,
    }


def _payload(event: SessionEvent) -> WebhookPayload:
    is_session = event.kind.startswith("session.")
    return WebhookPayload(
        event=event.kind,
        event_id=event_id(event.session_id, event.kind),
        session_id=event.session_id,
        agent_id=event.agent_id,
        created_at=_moment(event.at),
        session=_session(event) if is_session else None,
        call=None if is_session else event.payload,
    )


def _session(event: SessionEvent) -> WebhookSession:
    told = event.payload
    ended_at = told.get("ended_at")
    return WebhookSession(
        id=event.session_id,
        agent_id=event.agent_id,
        status=told.get("status") or _STATUS[event.kind],
        duration_seconds=told.get("duration_seconds"),
        audio_duration_seconds=told.get("audio_duration_seconds"),
        close_reason=told.get("close_reason"),
        public_close_reason=told.get("public_close_reason"),
        created_at=_moment(told.get("created_at") or event.at),
        ended_at=None if ended_at is None else _moment(ended_at),
    )


_STATUS = {"session.started": "created", "session.completed": "completed"}


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
