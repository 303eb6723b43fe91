"""The subscriptions of accounts, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from antiphon_server.store import webhook_subscriptions as store
from antiphon_server.store.database import Database
from antiphon_server.store.tables import agents
from antiphon_server.store.webhook_subscriptions import (
    MOST_SUBSCRIPTIONS,
    Duplicate,
    NoSuchAgent,
    Subscription,
    TooMany,
)
from server.webhooks.outbox_rig import ACCOUNT, AT, enqueue, event, rows, subscribe


def _agent(database: Database, name: str, account: str = ACCOUNT) -> None:
    row = {
        "id": name,
        "account": account,
        "name": "n",
        "body": {},
        "created_at": 0,
        "updated_at": 0,
    }
    database.now(lambda connection: connection.execute(sa.insert(agents).values(row)))


def _change(database: Database, account: str = ACCOUNT, **values: Any) -> Subscription | None:
    return database.now(lambda connection: store.change(connection, account, "whs_1", values))


def _find(database: Database, name: str = "whs_1", account: str = ACCOUNT) -> Subscription | None:
    return database.now(lambda connection: store.find(connection, account, name))


def test_what_is_kept_is_found(database: Database) -> None:
    """By its own account."""
    kept = subscribe(database)
    assert _find(database) == kept
    assert _find(database, account="account-2") is None
    assert _find(database, "whs_2") is None


def test_a_url_is_subscribed_once_for_an_agent(database: Database) -> None:
    """Another agent, another account and another URL are another subscription."""
    _agent(database, "agent_1")
    subscribe(database)
    subscribe(database, "whs_2", agent_id="agent_1")
    subscribe(database, "whs_3", account="account-2")
    subscribe(database, "whs_4", "https://a.example/2")
    for other in ({}, {"agent_id": "agent_1"}, {"enabled": False}):
        with pytest.raises(Duplicate):
            subscribe(database, "whs_5", **other)
    with pytest.raises(Duplicate):
        _change(database, url="https://a.example/2")
    with pytest.raises(Duplicate):
        _change(database, agent_id="agent_1")
    assert _change(database, url="https://a.example/", agent_id=None) is not None


def test_of_many_that_subscribe_the_same_at_once_one_succeeds(database: Database) -> None:
    """Also on PostgreSQL, where they run side by side."""

    def attempt(number: int) -> int:
        try:
            subscribe(database, f"whs_{number}")
        except Duplicate:
            return 0
        return 1

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(attempt, range(16))) == 1


def test_an_agent_must_be_the_accounts_own(database: Database) -> None:
    """Another account's does not exist."""
    _agent(database, "agent_2", "account-2")
    for name in ("agent_2", "agent_3"):
        with pytest.raises(NoSuchAgent):
            subscribe(database, agent_id=name)
    subscribe(database)
    with pytest.raises(NoSuchAgent):
        _change(database, agent_id="agent_2")


def test_an_account_may_have_so_many_and_no_more(database: Database) -> None:
    """Each is a request for every event."""
    for number in range(MOST_SUBSCRIPTIONS):
        subscribe(database, f"whs_{number}", f"https://a.example/{number}")
    with pytest.raises(TooMany):
        subscribe(database, "whs_more", "https://a.example/more")
    subscribe(database, "whs_more", "https://a.example/more", account="account-2")


def test_a_new_secret_has_the_next_version(database: Database) -> None:
    """Other changes leave the version; what is not given stays."""
    old = subscribe(database)
    changed = _change(database, enabled=False, updated_at=AT + 1)
    assert changed is not None
    assert (changed.enabled, changed.secret_version, changed.updated_at) == (False, 1, AT + 1)
    assert (changed.secret, changed.url, changed.events) == (old.secret, old.url, old.events)
    changed = _change(database, secret=b"new")
    assert changed is not None
    assert (changed.secret, changed.secret_version) == (b"new", 2)
    assert _find(database) == changed


def test_what_waits_goes_to_the_new_address(database: Database) -> None:
    """A mistyped address is mended for what already happened."""
    subscribe(database)
    subscribe(database, "whs_2", "https://b.example/")
    enqueue(database, event())
    _change(database, url="https://New.example")
    urls = {row.subscription_id: row.url for row in rows(database)}
    assert urls == {"whs_1": "https://new.example/", "whs_2": "https://b.example/"}


def test_another_accounts_subscription_cannot_be_touched(database: Database) -> None:
    """It is as if it were not there."""
    kept = subscribe(database)
    assert _change(database, "account-2", enabled=False) is None
    assert not database.now(lambda connection: store.remove(connection, "account-2", "whs_1"))
    assert _find(database) == kept
    assert database.now(lambda connection: store.remove(connection, ACCOUNT, "whs_1"))
    assert _find(database) is None
    assert not database.now(lambda connection: store.remove(connection, ACCOUNT, "whs_1"))


def test_disabled_ones_are_listed_when_they_are_asked_for(database: Database) -> None:
    """Of the account only."""
    subscribe(database)
    subscribe(database, "whs_2", "https://b.example/", enabled=False)
    subscribe(database, "whs_3", account="account-2")

    def listed(include_disabled: bool) -> set[str]:
        query = store.of_account(ACCOUNT, include_disabled=include_disabled)
        found = database.now(lambda connection: connection.execute(query).mappings().all())
        return {store.subscription(row).id for row in found}

    assert listed(include_disabled=False) == {"whs_1"}
    assert listed(include_disabled=True) == {"whs_1", "whs_2"}
