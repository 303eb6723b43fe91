"""The subscriptions of accounts to events, one row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import asdict, replace

from antiphon_protocol.session_config import WebhookEvent
from antiphon_server.store.tables import agents, webhook_deliveries, webhook_subscriptions
from antiphon_server.store.webhook_outbox import delivered_to

MOST_SUBSCRIPTIONS = 100
"""Of one account: each is a request for every event."""

_columns = webhook_subscriptions.c


class Subscription(Struct, frozen=True, kw_only=True):
    """A subscription as it is kept. Times are Unix seconds."""

    id: str
    account: str
    agent_id: str | None
    url: str
    events: tuple[WebhookEvent, ...]
    secret: bytes
    """Sealed for ``secret_context``."""
    secret_version: int = 1
    enabled: bool
    created_at: float
    updated_at: float


class Duplicate(Exception):
    """The account has a subscription of the same URL and agent."""


class NoSuchAgent(Exception):
    """The account has no agent of that id."""


class TooMany(Exception):
    """The account has as many subscriptions as it may have."""


def secret_context(subscription_id: str) -> str:
    """What the secret of a subscription is sealed for: it opens in no other place."""
    return f"webhook-subscription:{subscription_id}"


def insert(connection: sa.Connection, new: Subscription) -> None:
    """Keeps a new one. Raises ``NoSuchAgent``, ``Duplicate`` and ``TooMany``."""
    _one_at_a_time(connection, new.account)
    _check(connection, new)
    count = sa.select(sa.func.count()).where(_columns.account == new.account)
    if connection.execute(count).scalar_one() >= MOST_SUBSCRIPTIONS:
        raise TooMany
    connection.execute(sa.insert(webhook_subscriptions).values(asdict(new)))


def find(connection: sa.Connection, account: str, subscription_id: str) -> Subscription | None:
    """The account's subscription of an id."""
    query = sa.select(webhook_subscriptions).where(_own(account, subscription_id))
    return next(map(subscription, connection.execute(query).mappings()), None)


def change(
    connection: sa.Connection, account: str, subscription_id: str, values: Mapping[str, Any]
) -> Subscription | None:
    """Writes some fields; the subscription as it is now, None when there is none.

    A new secret has the next version. What still waits to be delivered goes to the new address.
    Raises ``NoSuchAgent`` and ``Duplicate``.
    """
    _one_at_a_time(connection, account)
    old = find(connection, account, subscription_id)
    if old is None:
        return None
    version = old.secret_version + ("secret" in values)
    new = replace(old, secret_version=version, **values)
    _check(connection, new)
    own = _own(account, subscription_id)
    connection.execute(sa.update(webhook_subscriptions).where(own).values(asdict(new)))
    connection.execute(
        sa.update(webhook_deliveries)
        .where(
            webhook_deliveries.c.account == account,
            webhook_deliveries.c.subscription_id == subscription_id,
            webhook_deliveries.c.status == "pending",
        )
        .values(url=delivered_to(new.url))
    )
    return new


def remove(connection: sa.Connection, account: str, subscription_id: str) -> bool:
    """Deletes one; whether there was one."""
    own = _own(account, subscription_id)
    return connection.execute(sa.delete(webhook_subscriptions).where(own)).rowcount > 0


def of_account(account: str, *, include_disabled: bool) -> sa.Select[Any]:
    """The subscriptions of an account, for ``store.pages``."""
    query = sa.select(webhook_subscriptions).where(_columns.account == account)
    return query if include_disabled else query.where(_columns.enabled)


def subscription(row: Mapping[Any, Any]) -> Subscription:
    """The subscription in a row."""
    return Subscription(**{**row, "events": tuple(row["events"])})


def _own(account: str, subscription_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(_columns.account == account, _columns.id == subscription_id)


def _one_at_a_time(connection: sa.Connection, account: str) -> None:
    """Until the transaction ends nobody else changes the account's subscriptions.

    SQLite has one writer anyway; PostgreSQL would let two insert the same one.
    """
    if connection.dialect.name == "postgresql":
        name = f"webhook-subscriptions:{account}"
        lock = sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(name, 0))
        connection.execute(sa.select(lock))


def _check(connection: sa.Connection, new: Subscription) -> None:
    if new.agent_id is not None:
        agent = sa.select(agents.c.id).where(
            agents.c.account == new.account, agents.c.id == new.agent_id
        )
        # PostgreSQL's text has no U+0000, and takes none to compare with.
        if "\0" in new.agent_id or connection.execute(agent).first() is None:
            raise NoSuchAgent
    same = sa.select(_columns.id).where(
        _columns.account == new.account,
        _columns.url == new.url,
        _columns.agent_id.is_not_distinct_from(new.agent_id),
        _columns.id != new.id,
    )
    if connection.execute(same).first() is not None:
        raise Duplicate
