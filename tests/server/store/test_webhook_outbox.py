"""What is written in the transaction that makes it true, on both databases."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from antiphon_protocol.session_config import Webhook
from antiphon_server.security.secrets import Vault
from antiphon_server.store.database import Database
from antiphon_server.store.tables import webhook_events
from antiphon_server.store.webhook_outbox import (
    Outbox,
    delivered_to,
    event_id,
    inline_context,
    sealed,
)
from server.webhooks.outbox_rig import AT, SECRET, VAULT, enqueue, event, rows, subscribe

OWN_URL = "https://own.example/?a=1"


def _events(database: Database) -> list[Any]:
    query = sa.select(webhook_events)
    return list(database.now(lambda connection: connection.execute(query).all(), writes=False))


def _own(session_id: str = "sess_1", secret: str | None = SECRET) -> bytes:
    return sealed(VAULT, session_id, Webhook(OWN_URL, ("session.started",), secret))


def test_an_event_goes_to_every_subscription_that_wants_it(database: Database) -> None:
    """Enabled, of the account, listing the kind, for this agent or for every one."""
    subscribe(database, "whs_all", "https://A.Example")
    subscribe(database, "whs_disabled", "https://b.example", enabled=False)
    subscribe(database, "whs_foreign", account="account-2")
    subscribe(database, "whs_other_kind", "https://c.example", events=("session.completed",))
    enqueue(database, event())
    (row,) = rows(database)
    assert row.id.startswith("whd_")
    assert dict(row._mapping) | {"id": None} == {
        "id": None,
        "account": "account-1",
        "event_id": event_id("sess_1", "session.started"),
        "subscription_id": "whs_all",
        "session_id": "sess_1",
        "url": "https://a.example/",
        "secret": None,
        "status": "pending",
        "attempt_count": 0,
        "http_status_code": None,
        "error": None,
        "created_at": AT,
        "delivered_at": None,
        "next_retry_at": AT,
    }


def test_a_subscription_for_an_agent_hears_of_its_sessions_only(database: Database) -> None:
    """One for every agent hears of all, also of sessions without one."""
    with database.engine.begin() as connection:
        for name in ("agent_1", "agent_2"):
            connection.execute(
                sa.text(
                    "INSERT INTO agents (id, account, name, body, created_at, updated_at) "
                    "VALUES (:id, 'account-1', 'n', '{}', 0, 0)"
                ),
                {"id": name},
            )
    subscribe(database, "whs_1", agent_id="agent_1")
    subscribe(database, "whs_2", agent_id="agent_2")
    subscribe(database, "whs_all")
    enqueue(database, event("sess_1", agent_id="agent_1"), event("sess_2"))
    heard = [(row.session_id, row.subscription_id) for row in rows(database)]
    assert sorted(heard) == [("sess_1", "whs_1"), ("sess_1", "whs_all"), ("sess_2", "whs_all")]


def test_an_event_that_is_applied_again_is_already_there(database: Database) -> None:
    """Also with what happened since; a session has one event of a kind."""
    subscribe(database)
    enqueue(database, event(), event())
    subscribe(database, "whs_2", "https://late.example")
    enqueue(database, event(payload={"status": "other"}))
    assert len(rows(database)) == len(_events(database)) == 1
    enqueue(database, event(kind="session.completed"))
    assert len(_events(database)) == 2
    assert len(rows(database)) == 3


def test_two_that_apply_the_same_event_at_once_write_it_once(database: Database) -> None:
    """Such as a node that died and the one that took over."""
    subscribe(database)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: enqueue(database, event()), range(24)))
    assert len(rows(database)) == len(_events(database)) == 1


def test_what_is_rolled_back_leaves_nothing(database: Database) -> None:
    """No webhook tells of a state that never was."""
    subscribe(database)

    def work(connection: sa.Connection) -> None:
        Outbox(VAULT).enqueue(connection, event(inline=_own()))
        raise KeyError

    with pytest.raises(KeyError):
        database.now(work)
    assert rows(database) == _events(database) == []


def test_the_body_is_kept_as_it_will_be_sent(database: Database) -> None:
    """Everything a session's end has to tell; strange text survives."""
    told = {
        "status": "completed",
        "duration_seconds": 62.5,
        "audio_duration_seconds": 61.0,
        "close_reason": "lost\x00 é\u2028",
        "public_close_reason": "error",
        "created_at": AT - 62.5,
        "ended_at": AT,
    }
    enqueue(database, event(kind="session.completed", agent_id="agent_1", payload=told))
    raw = sa.select(sa.type_coerce(webhook_events.c.payload, sa.Text))
    text = database.now(lambda connection: connection.execute(raw).scalar_one())
    name = event_id("sess_1", "session.completed")
    assert json.loads(text) == {
        "event": "session.completed",
        "event_id": name,
        "session_id": "sess_1",
        "agent_id": "agent_1",
        "created_at": "2026-09-21T14:13:20.250000Z",
        "session": {
            "id": "sess_1",
            "agent_id": "agent_1",
            "status": "completed",
            "duration_seconds": 62.5,
            "audio_duration_seconds": 61.0,
            "close_reason": "lost\x00 é\u2028",
            "public_close_reason": "error",
            "created_at": "2026-09-21T14:12:17.750000Z",
            "ended_at": "2026-09-21T14:13:20.250000Z",
        },
    }
    assert name.startswith("evt_")
    assert len(name) == 36


def test_a_beginning_says_what_is_known_by_then(database: Database) -> None:
    """The rest is null; an event of a call carries its call instead."""
    enqueue(database, event(), event(kind="call.ended", payload={"call_id": "c"}))
    started, ended = sorted(
        (row.payload for row in _events(database)), key=lambda one: one["event"]
    )[::-1]
    assert started["session"]["status"] == "created"
    assert started["session"]["created_at"] == "2026-09-21T14:13:20.250000Z"
    assert started["session"]["ended_at"] is None
    assert "call" not in started
    assert ended["call"] == {"call_id": "c"}
    assert "session" not in ended


def test_the_sessions_own_webhook_is_served_like_a_subscription(database: Database) -> None:
    """Its secret stays sealed; it gets the kinds it lists."""
    enqueue(database, event(inline=_own()), event(kind="session.completed", inline=_own()))
    (row,) = rows(database)
    assert (row.subscription_id, row.url) == (None, OWN_URL)
    assert VAULT.open(row.secret, inline_context("sess_1")).decode() == SECRET
    assert SECRET.encode() not in row.secret


def test_the_sessions_own_webhook_may_have_no_secret(database: Database) -> None:
    """It goes out unsigned."""
    enqueue(database, event(inline=_own(secret=None)))
    assert rows(database)[0].secret is None


@pytest.mark.parametrize(
    "inline",
    [
        b"nonsense",
        VAULT.seal(b"{}", inline_context("sess_1")),
        b"",
        _own("sess_2"),
        sealed(Vault((bytes([1] * 32),)), "sess_1", Webhook("u", ())),
    ],
    ids=["not sealed", "no webhook", "empty", "of another session", "a key that is gone"],
)
def test_a_webhook_that_cannot_be_opened_stops_nobody_else(
    database: Database, inline: bytes
) -> None:
    """A key that is gone must not keep the session's records from being applied."""
    subscribe(database)
    enqueue(database, event(inline=inline))
    assert [row.subscription_id for row in rows(database)] == ["whs_1"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://A.example", "https://a.example/"),
        ("HTTPS://a.EXAMPLE:8443/Path?Q=1", "https://a.example:8443/Path?Q=1"),
        ("https://a.example?q=/x", "https://a.example/?q=/x"),
        ("https://a.example/#part", "https://a.example/"),
    ],
)
def test_addresses_of_one_host_begin_alike(url: str, expected: str) -> None:
    """Path and query stay as they are."""
    assert delivered_to(url) == expected
