"""Which deliveries are due and what became of them, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from antiphon_protocol.session_config import Webhook
from antiphon_server.store import webhook_deliveries as store
from antiphon_server.store import webhook_subscriptions
from antiphon_server.store.database import Database
from antiphon_server.store.tables import webhook_events
from antiphon_server.store.webhook_deliveries import Asked, Due, Went
from antiphon_server.store.webhook_outbox import event_id, sealed
from server.webhooks.outbox_rig import ACCOUNT, AT, VAULT, due, enqueue, event, rows, subscribe

LATER = AT + 1_000


def _take(database: Database, now: float = AT, room: int = 1000) -> list[Due]:
    """What is due, leased for a minute."""
    asked = Asked(now=now, leased_until=now + 60, room=room)

    def work(connection: sa.Connection) -> list[Due]:
        taken = store.due(connection, asked)
        store.lease(connection, taken, asked.leased_until)
        return taken

    return database.now(work)


def _settle(database: Database, made: Due, went: Went) -> None:
    database.now(lambda connection: store.settle(connection, made, went))


def _refused(at: float = AT, next_retry_at: float | None = LATER) -> Went:
    status = "failed" if next_retry_at is None else "pending"
    return Went(
        status=status,  # type: ignore[arg-type]
        at=at,
        http_status_code=500,
        error="HTTP 500: no",
        next_retry_at=next_retry_at,
    )


def _sessions(found: list[Due]) -> list[str]:
    return [one.session_id for one in found]


def test_what_waits_longest_is_first_and_what_is_not_due_waits(database: Database) -> None:
    """As many as there is room for."""
    subscribe(database)
    enqueue(database, *(event(f"sess_{n}", at=AT - n) for n in (1, 3, 2)), event(at=AT + 1))
    assert _sessions(due(database)) == ["sess_3", "sess_2", "sess_1"]
    assert _sessions(due(database, room=2)) == ["sess_3", "sess_2"]


def test_what_is_due_has_all_that_an_attempt_needs(database: Database) -> None:
    """The body's bytes as they are kept, and the secret of now."""
    subscription = subscribe(database, url="https://a.example:8443/hook?x=/y")
    enqueue(database, event())
    (one,) = due(database)
    raw = sa.select(sa.type_coerce(webhook_events.c.payload, sa.Text))
    body = database.now(lambda connection: connection.execute(raw).scalar_one())
    assert one.body == body.encode()
    assert (one.event_id, one.attempts) == (event_id("sess_1", "session.started"), 0)
    assert one.secret == subscription.secret
    assert one.origin == "https://a.example:8443"
    assert one.is_wanted


def test_what_is_leased_is_not_due_until_the_lease_is_over(database: Database) -> None:
    """A process that dies with it delays it, and loses nothing; the attempt does not count."""
    subscribe(database)
    enqueue(database, event())
    (taken,) = _take(database)
    assert _take(database, AT + 59.9) == []
    (again,) = _take(database, AT + 60)
    assert (again.id, again.attempts) == (taken.id, 0)


def test_nobody_takes_what_another_takes_at_the_same_time(database: Database) -> None:
    """Eight nodes, in transactions that overlap: each delivery is taken once."""
    subscribe(database)
    enqueue(database, *(event(f"sess_{n}") for n in range(60)))
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: _take(database, room=10), range(16)))
    taken = [one.id for part in found for one in part]
    assert len(taken) == len(set(taken)) == 60


def test_one_that_looks_holds_up_nobody_on_postgresql(database: Database) -> None:
    """Rows that another transaction looks at are passed over; SQLite has one writer anyway."""
    subscribe(database)
    enqueue(database, *(event(f"sess_{n}", at=AT - 9 + n) for n in range(2)))
    if database.is_sqlite:
        assert _sessions(due(database, room=1)) == ["sess_0"]
        return
    asked = Asked(now=AT, leased_until=AT + 60, room=1)
    with database.engine.connect() as one, database.engine.connect() as other:
        assert _sessions(store.due(one, asked)) == ["sess_0"]
        assert _sessions(store.due(other, asked)) == ["sess_1"]


def test_the_end_of_a_session_waits_for_the_first_attempt_at_its_beginning(
    database: Database,
) -> None:
    """At the same receiver; one that has only the end gets it, and so do other sessions."""
    subscribe(database)
    subscribe(database, "whs_end", "https://b.example/", events=("session.completed",))
    own = sealed(VAULT, "sess_1", Webhook("https://c.example/", ("session.completed",)))
    enqueue(
        database,
        event(inline=own),
        event(kind="session.completed", inline=own),
        event("sess_2", kind="session.completed"),
    )
    ends = event_id("sess_1", "session.completed")
    assert {one.url for one in due(database) if one.event_id == ends} == {
        "https://b.example/",
        "https://c.example/",
    }
    assert len(due(database, room=4)) == 4
    begun = next(
        one for one in _take(database) if one.event_id != ends and one.session_id == "sess_1"
    )
    assert due(database) == []
    _settle(database, begun, _refused())
    (end,) = due(database)
    assert (end.event_id, end.url) == (ends, "https://a.example/")


def test_busy_hosts_and_accounts_are_passed_over(database: Database) -> None:
    """Signs that have a meaning in a pattern stand for themselves."""
    subscribe(database, url="https://a_b.example/")
    subscribe(database, "whs_2", "https://axb.example/")
    subscribe(database, "whs_3", "https://a_b.example:8443/")
    subscribe(database, "whs_4", "https://a_b.example/", account="account-2")
    enqueue(database, event(), event("sess_2", account="account-2"))
    found = due(database, busy_origins=frozenset({"https://a_b.example"}))
    assert {one.subscription_id for one in found} == {"whs_2", "whs_3"}
    found = due(database, busy_accounts=frozenset({ACCOUNT}))
    assert {one.subscription_id for one in found} == {"whs_4"}


@pytest.mark.parametrize(
    ("went", "expected"),
    [
        (
            Went(status="delivered", at=AT + 1, http_status_code=204),
            {"status": "delivered", "http_status_code": 204, "delivered_at": AT + 1},
        ),
        (
            _refused(),
            {"http_status_code": 500, "error": "HTTP 500: no", "next_retry_at": LATER},
        ),
        (
            _refused(next_retry_at=None),
            {"status": "failed", "http_status_code": 500, "error": "HTTP 500: no"},
        ),
    ],
    ids=["delivered", "pending", "failed"],
)
def test_how_an_attempt_went_is_written_down(
    database: Database, went: Went, expected: dict[str, Any]
) -> None:
    """With the number of attempts; success takes an earlier error away."""
    subscribe(database)
    enqueue(database, event())
    (first,) = _take(database)
    _settle(database, first, _refused(next_retry_at=AT + 61))
    (second,) = _take(database, AT + 61)
    _settle(database, second, went)
    nothing = {"http_status_code": None, "error": None, "delivered_at": None, "next_retry_at": None}
    (row,) = rows(database)
    told = {name: row._mapping[name] for name in (*nothing, "status", "attempt_count")}
    assert told == {"status": "pending", "attempt_count": 2} | nothing | expected


def test_of_one_who_lost_the_lease_only_success_counts(database: Database) -> None:
    """It is a fact that the receiver has it; a failure is the other's to tell."""
    subscribe(database)
    enqueue(database, event())
    (slow,) = _take(database)
    (quick,) = _take(database, AT + 60)
    _settle(database, slow, _refused())
    assert rows(database)[0].attempt_count == 0
    _settle(database, slow, Went(status="delivered", at=AT + 61, http_status_code=200))
    _settle(database, quick, _refused(AT + 62))
    (row,) = rows(database)
    assert (row.status, row.attempt_count, row.next_retry_at) == ("delivered", 1, None)


def test_what_nobody_wants_any_more_can_be_told(database: Database) -> None:
    """The subscription was disabled or deleted since; one that came back wants it again."""
    subscribe(database)
    enqueue(database, event())

    def switch(enabled: bool) -> None:
        change = {"enabled": enabled}
        database.now(lambda found: webhook_subscriptions.change(found, ACCOUNT, "whs_1", change))

    switch(enabled=False)
    assert [one.is_wanted for one in due(database)] == [False]
    switch(enabled=True)
    assert [one.is_wanted for one in due(database)] == [True]
    database.now(lambda found: webhook_subscriptions.remove(found, ACCOUNT, "whs_1"))
    (unwanted,) = due(database)
    assert not unwanted.is_wanted
    database.now(lambda connection: store.give_up(connection, [unwanted], "gone"))
    (row,) = rows(database)
    assert (row.status, row.error, row.next_retry_at) == ("failed", "gone", None)
    assert (row.attempt_count, due(database)) == (0, [])


def test_what_waits_is_counted(database: Database) -> None:
    """Due or not."""
    subscribe(database)
    enqueue(database, event(), event("sess_2", at=AT + 99), event("sess_3"))
    (first, *_) = _take(database, room=1)
    _settle(database, first, _refused(next_retry_at=None))
    assert database.now(store.waiting) == 2


def test_old_events_are_forgotten_but_not_what_waits(database: Database) -> None:
    """With their deliveries, however many."""
    enqueue(database, *(event(f"sess_{n}", at=AT - 10) for n in range(1_200)))
    subscribe(database)
    enqueue(database, event("sess_a", at=AT - 10), event("sess_b", at=AT - 10), event("sess_c"))
    (settled,) = _take(database, AT - 5, room=1)
    _settle(database, settled, _refused(next_retry_at=None))
    database.now(lambda connection: store.forget(connection, AT))
    assert {settled.session_id} | {row.session_id for row in rows(database)} == {
        "sess_a",
        "sess_b",
        "sess_c",
    }
    assert len(rows(database)) == 2
    count = sa.select(sa.func.count()).select_from(webhook_events)
    assert database.now(lambda connection: connection.execute(count).scalar_one()) == 2


def test_the_latest_delivery_to_each_receiver_is_found(database: Database) -> None:
    """The session's own webhook is a receiver too."""
    subscribe(database)
    subscribe(database, "whs_2", "https://b.example/", events=("session.started",))
    own = sealed(VAULT, "sess_1", Webhook("https://c.example/", ("session.started",)))
    enqueue(
        database,
        event(inline=own),
        event(kind="session.completed", inline=own, at=AT + 1),
        event("sess_2"),
    )
    query = store.latest_of_session(ACCOUNT, "sess_1")
    found = database.now(lambda connection: connection.execute(query).all())
    assert found[0].subscription_id == "whs_1"
    assert {(row.subscription_id, row.kind) for row in found} == {
        ("whs_1", "session.completed"),
        ("whs_2", "session.started"),
        (None, "session.started"),
    }
    nothing = store.latest_of_session("account-2", "sess_1")
    assert database.now(lambda connection: connection.execute(nothing).all()) == []
