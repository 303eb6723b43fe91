"""The tables, for SQLite and PostgreSQL alike.

Times are Unix seconds as doubles. A ``Document`` is JSON as text, so that it may hold any
string (PostgreSQL's ``jsonb`` refuses U+0000). ``account`` is part of every query that answers
a client: what belongs to another account does not exist.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Document(TypeDecorator[Any]):
    """A JSON value, kept as text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        """To text; None is NULL."""
        del dialect
        if value is None:
            return None
        # PostgreSQL's text cannot hold U+0000 itself, but its escape.
        return msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        """From text."""
        del dialect
        return None if value is None else msgspec.json.decode(value)


def _id(name: str = "id") -> Column[str]:
    return Column(name, String(80), primary_key=True)


def _account() -> Column[str]:
    return Column("account", String(128), nullable=False)


def _time(name: str, *, nullable: bool = False) -> Column[float]:
    return Column(name, Double, nullable=nullable)


api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    _account(),
    Column("name", String(200), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("scopes", Document, nullable=False),
    Column("origins", Document, nullable=False),
    Column("max_sessions", Integer),
    Column("sessions_per_minute", Integer),
    _time("created_at"),
    _time("expires_at", nullable=True),
    _time("last_used_at", nullable=True),
    _time("revoked_at", nullable=True),
)

agents = Table(
    "agents",
    metadata,
    _id(),
    _account(),
    Column("name", Text, nullable=False),
    Column("body", Document, nullable=False),
    Column("secrets", LargeBinary),
    _time("created_at"),
    _time("updated_at"),
    Index(None, "account", "created_at", "id"),
)

sessions = Table(
    "sessions",
    metadata,
    _id(),
    _account(),
    Column("key_id", String(80)),
    Column("agent_id", String(80)),
    Column("node", String(80), nullable=False),
    Column("status", String(20), nullable=False),
    Column("close_reason", String(80)),
    Column("public_close_reason", String(80)),
    Column("config", Document, nullable=False),
    Column("webhook", LargeBinary),
    Column("duration_seconds", Double),
    Column("audio_seconds", Double),
    Column("recording", Document),
    _time("created_at"),
    _time("ended_at", nullable=True),
    _time("deleted_at", nullable=True),
    Index(None, "account", "created_at", "id"),
    Index(None, "status", "node"),
    # The retention sweep asks for the old ones of all accounts.
    Index(None, "ended_at"),
)

session_records = Table(
    "session_records",
    metadata,
    Column("session_id", String(80), ForeignKey(sessions.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(40), nullable=False),
    Column("body", Document, nullable=False),
    _time("at"),
)

session_summaries = Table(
    "session_summaries",
    metadata,
    Column("session_id", String(80), ForeignKey(sessions.c.id), primary_key=True),
    Column("turns", Integer, nullable=False),
    Column("interruptions", Integer, nullable=False),
    Column("tool_calls", Integer, nullable=False),
    Column("errors", Integer, nullable=False),
    Column("response_p50_ms", Double),
    Column("response_max_ms", Double),
    Column("first_words", Document),
    Column("stage_times", LargeBinary, nullable=False),
    # Last, because SQLite reads a row from its beginning.
    Column("words", Text, nullable=False),
)

usage = Table(
    "usage",
    metadata,
    Column("session_id", String(80), ForeignKey(sessions.c.id), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    _account(),
    Column("key_id", String(80)),
    Column("connected_seconds", Double, nullable=False),
    Column("prompt_tokens", Integer, nullable=False),
    Column("completion_tokens", Integer, nullable=False),
    Column("characters", Integer, nullable=False),
    _time("at"),
    Index(None, "account", "at"),
)

webhook_subscriptions = Table(
    "webhook_subscriptions",
    metadata,
    _id(),
    _account(),
    Column("agent_id", String(80)),
    Column("url", Text, nullable=False),
    Column("events", Document, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("secret_version", Integer, nullable=False),
    Column("enabled", Boolean, nullable=False),
    _time("created_at"),
    _time("updated_at"),
    UniqueConstraint("account", "id"),
    Index(None, "account", "created_at", "id"),
)

webhook_events = Table(
    "webhook_events",
    metadata,
    _id(),
    _account(),
    Column("session_id", String(80), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("payload", Document, nullable=False),
    _time("created_at"),
    # One event of a kind in a session, however often its cause is applied.
    UniqueConstraint("session_id", "kind"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    _id(),
    _account(),
    Column("event_id", String(80), ForeignKey(webhook_events.c.id), nullable=False),
    Column("subscription_id", String(80)),
    Column("session_id", String(80), nullable=False),
    Column("url", Text, nullable=False),
    Column("secret", LargeBinary),
    Column("status", String(20), nullable=False),
    Column("attempt_count", Integer, nullable=False),
    Column("http_status_code", Integer),
    Column("error", Text),
    _time("created_at"),
    _time("delivered_at", nullable=True),
    _time("next_retry_at", nullable=True),
    Index(None, "status", "next_retry_at"),
    Index(None, "account", "session_id", "created_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("account", String(128), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("operation", String(120), primary_key=True),
    Column("request_digest", LargeBinary, nullable=False),
    Column("status", Integer),
    Column("body", LargeBinary),
    _time("created_at"),
)
