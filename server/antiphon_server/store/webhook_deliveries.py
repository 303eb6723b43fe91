"""Which deliveries are due, who makes them, and how they went.

A delivery is leased: while ``next_retry_at`` is in the future nobody else makes it, and if the
process that leased it dies, it is due again. Source: voice agent protocol, section 6.5.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Literal

import sqlalchemy as sa
from msgspec import Struct

from antiphon_server.store.tables import webhook_deliveries, webhook_events, webhook_subscriptions
from antiphon_server.store.webhook_outbox import event_id

_deliveries = webhook_deliveries.c
_events = webhook_events.c
_subscriptions = webhook_subscriptions.c


class Due(Struct, frozen=True, kw_only=True):
    """An attempt to make now. ``secret`` is sealed; None: the body goes out unsigned."""

    id: str
    account: str
    subscription_id: str | None
    session_id: str
    event_id: str
    url: str
    secret: bytes | None
    body: bytes
    attempts: int
    """How many were made before."""
    leased_until: float
    """Unix seconds."""
    is_wanted: bool = True
    """Whether the subscription is still there, and enabled."""

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return "/".join(self.url.split("/")[:3])


class Asked(Struct, frozen=True, kw_only=True):
    """How much a deliverer can take on, and for how long it leases it. Unix seconds."""

    now: float
    leased_until: float
    room: int
    busy_origins: frozenset[str] = frozenset()
    busy_accounts: frozenset[str] = frozenset()


class Went(Struct, frozen=True, kw_only=True):
    """How an attempt went, at which Unix second; pending needs ``next_retry_at``."""

    status: Literal["pending", "delivered", "failed"]
    at: float
    http_status_code: int | None = None
    error: str | None = None
    next_retry_at: float | None = None


def due(connection: sa.Connection, asked: Asked) -> list[Due]:
    """The longest due first; rows that another process looks at now are passed over.

    The end of a session is not due while its beginning waits for its first attempt at the same
    receiver. Nothing is leased by this: ``lease`` is, in the same transaction.
    """
    rows: list[sa.Row[Any]] = []
    events: dict[str | None, sa.Row[Any]] = {}
    seen: list[str] = []
    while (room := asked.room - len(rows)) > 0:
        # No row too many, because those that are looked at are hidden from other nodes.
        found = connection.execute(_candidates(asked, room, seen)).all()
        events |= _by_id(connection, _EVENTS, {row.event_id for row in found})
        ends = [row for row in found if events[row.event_id].kind == _END]
        early = _before_the_beginning(connection, ends)
        rows += [row for row in found if row.id not in early]
        seen += [row.id for row in found]
        if len(found) < room:
            break
    return _dues(connection, asked, rows, events)


def lease(connection: sa.Connection, taken: Iterable[Due], until: float) -> None:
    """Keeps others from these until this Unix second."""
    connection.execute(
        sa.update(webhook_deliveries)
        .where(_deliveries.id.in_([one.id for one in taken]))
        .values(next_retry_at=until)
    )


def settle(connection: sa.Connection, made: Due, went: Went) -> None:
    """Writes how an attempt went.

    Where the lease ran out and another process tries, only success counts: it is a fact.
    """
    own = [_deliveries.id == made.id, _deliveries.status == "pending"]
    if went.status != "delivered":
        own.append(_deliveries.next_retry_at == made.leased_until)
    connection.execute(
        sa.update(webhook_deliveries)
        .where(*own)
        .values(
            status=went.status,
            attempt_count=made.attempts + 1,
            http_status_code=went.http_status_code,
            error=went.error,
            delivered_at=went.at if went.status == "delivered" else None,
            next_retry_at=went.next_retry_at,
        )
    )


def give_up(connection: sa.Connection, unwanted: Iterable[Due], error: str) -> None:
    """No attempt is made any more."""
    connection.execute(
        sa.update(webhook_deliveries)
        .where(_deliveries.id.in_([one.id for one in unwanted]))
        .values(status="failed", error=error, next_retry_at=None)
    )


def waiting(connection: sa.Connection) -> int:
    """How many deliveries are pending."""
    query = sa.select(sa.func.count()).where(_deliveries.status == "pending")
    return connection.execute(query).scalar_one()


def forget(connection: sa.Connection, before: float) -> None:
    """Deletes what happened before this Unix second, but not what is still to be delivered."""
    old = sa.select(_events.id).where(
        _events.created_at < before,
        ~sa.exists().where(_deliveries.event_id == _events.id, _deliveries.status == "pending"),
    )
    ids = [row.id for row in connection.execute(old)]
    for start in range(0, len(ids), _MOST_IDS):
        part = ids[start : start + _MOST_IDS]
        connection.execute(sa.delete(webhook_deliveries).where(_deliveries.event_id.in_(part)))
        connection.execute(sa.delete(webhook_events).where(_events.id.in_(part)))


_MOST_IDS = 500
"""In one statement: SQLite takes 999 in its older versions."""


def of_session(account: str, session_id: str) -> sa.Select[Any]:
    """The deliveries of a session's events, for ``rest.paging``."""
    return (
        sa.select(webhook_deliveries, _events.kind)
        .join(webhook_events, _deliveries.event_id == _events.id)
        .where(_deliveries.account == account, _deliveries.session_id == session_id)
    )


def latest_of_session(account: str, session_id: str) -> sa.Select[Any]:
    """The newest delivery to each receiver of a session's events."""
    newest = (_deliveries.created_at.desc(), _deliveries.id.desc())
    rank = sa.func.row_number().over(partition_by=_deliveries.subscription_id, order_by=newest)
    ranked = of_session(account, session_id).add_columns(rank.label("rank")).subquery()
    return (
        sa.select(ranked)
        .where(ranked.c.rank == 1)
        .order_by(ranked.c.created_at.desc(), ranked.c.id.desc())
    )


_BEGINNING, _END = "session.started", "session.completed"
_EVENTS = sa.select(
    _events.id, _events.kind, sa.type_coerce(_events.payload, sa.Text).label("body")
)
_SUBSCRIPTIONS = sa.select(_subscriptions.id, _subscriptions.secret, _subscriptions.enabled)


def _candidates(asked: Asked, room: int, seen: Collection[str]) -> sa.Select[Any]:
    """One table and one index, however much waits."""
    return (
        sa.select(webhook_deliveries)
        .where(
            _deliveries.status == "pending",
            _deliveries.next_retry_at <= asked.now,
            _deliveries.id.not_in(seen),
            _deliveries.account.not_in(asked.busy_accounts),
            *(
                ~_deliveries.url.startswith(f"{origin}/", autoescape=True)
                for origin in asked.busy_origins
            ),
        )
        .order_by(_deliveries.next_retry_at)
        .limit(room)
        .with_for_update(skip_locked=True)
    )


def _by_id(
    connection: sa.Connection, query: sa.Select[Any], names: Collection[str]
) -> dict[str | None, sa.Row[Any]]:
    if not names:
        return {}
    column = query.selected_columns["id"]
    return {row.id: row for row in connection.execute(query.where(column.in_(names)))}


def _before_the_beginning(connection: sa.Connection, ends: Sequence[sa.Row[Any]]) -> set[str]:
    """The ids of those whose beginning waits for its first attempt at the same receiver."""
    if not ends:
        return set()
    begun = {event_id(row.session_id, _BEGINNING) for row in ends}
    query = sa.select(_deliveries.session_id, _deliveries.subscription_id).where(
        _deliveries.account.in_({row.account for row in ends}),
        _deliveries.session_id.in_({row.session_id for row in ends}),
        _deliveries.event_id.in_(begun),
        _deliveries.status == "pending",
        _deliveries.attempt_count == 0,
    )
    untried = {tuple(row) for row in connection.execute(query)}
    return {row.id for row in ends if (row.session_id, row.subscription_id) in untried}


def _dues(
    connection: sa.Connection,
    asked: Asked,
    rows: Sequence[sa.Row[Any]],
    events: Mapping[str | None, sa.Row[Any]],
) -> list[Due]:
    names = {row.subscription_id for row in rows if row.subscription_id is not None}
    subscriptions = _by_id(connection, _SUBSCRIPTIONS, names)
    return [
        _due(row, events[row.event_id].body, subscriptions.get(row.subscription_id), asked)
        for row in rows
    ]


def _due(row: sa.Row[Any], body: str, subscription: sa.Row[Any] | None, asked: Asked) -> Due:
    is_inline = row.subscription_id is None
    return Due(
        id=row.id,
        account=row.account,
        subscription_id=row.subscription_id,
        session_id=row.session_id,
        event_id=row.event_id,
        url=row.url,
        secret=subscription.secret if subscription is not None else row.secret,
        body=body.encode(),
        attempts=row.attempt_count,
        leased_until=asked.leased_until,
        is_wanted=is_inline or (subscription is not None and subscription.enabled),
    )
