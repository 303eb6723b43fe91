"""``/v1/sessions/{id}/webhook-deliveries``, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from antiphon_protocol.session_config import Webhook
from antiphon_server.store.database import Database
from antiphon_server.store.webhook_deliveries import Went, settle
from antiphon_server.store.webhook_outbox import event_id, sealed
from server.rest.rest_client import ask
from server.rest.two_accounts import assert_hidden
from server.rest.webhook_desk import Desk, desk_on
from server.webhooks.outbox_rig import AT, VAULT, due, enqueue, event, subscribe

PATH = "/v1/sessions/{}/webhook-deliveries"
SESSION = "sess_0123456789abcdef0123456789abcdef"


@pytest_asyncio.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    """Two accounts; one has a session whose two events go to two receivers."""
    async with desk_on(database) as opened:
        account = opened.mine.account
        opened.had_session(SESSION, account)
        subscribe(database, account=account)
        own = sealed(VAULT, SESSION, Webhook("https://own.example/", ("session.started",)))
        enqueue(
            database,
            event(SESSION, account=account, inline=own),
            event(SESSION, "session.completed", account=account, at=AT + 62.5, inline=own),
        )
        yield opened


def _settle(desk: Desk, went: Went, is_inline: bool) -> None:
    (made,) = [one for one in due(desk.database) if (one.subscription_id is None) == is_inline]

    def work(connection: sa.Connection) -> None:
        update = sa.text("UPDATE webhook_deliveries SET next_retry_at = :lease WHERE id = :id")
        connection.execute(update, {"lease": made.leased_until, "id": made.id})
        settle(connection, made, went)

    desk.database.now(work)


async def _deliveries(desk: Desk, query: str = "") -> list[dict[str, Any]]:
    got = await desk.mine.ask(f"GET {PATH.format(SESSION)}{query}")
    assert got.status == 200
    found: list[dict[str, Any]] = got.body["deliveries"]
    return found


async def test_deliveries_are_shown_newest_first(desk: Desk) -> None:
    """In the shape of section 6.5; one to the session's own webhook says so."""
    refused = Went(
        status="pending",
        at=AT + 1,
        http_status_code=401,
        error="HTTP 401: no",
        next_retry_at=AT + 6,
    )
    _settle(desk, refused, is_inline=True)
    _settle(desk, Went(status="delivered", at=AT + 1, http_status_code=200), is_inline=False)
    completed, *started = await _deliveries(desk)
    assert completed | {"id": ""} == {
        "id": "",
        "subscription_id": "whs_1",
        "session_id": SESSION,
        "event": "session.completed",
        "event_id": event_id(SESSION, "session.completed"),
        "attempt_count": 0,
        "status": "pending",
        "http_status_code": None,
        "error": None,
        "delivered_at": None,
        "next_retry_at": "2026-09-21T14:14:22.750000Z",
        "created_at": "2026-09-21T14:14:22.750000Z",
    }
    told = {one["subscription_id"]: one for one in started}
    assert told["whs_1"]["status"] == "delivered"
    assert told["whs_1"]["delivered_at"] == "2026-09-21T14:13:21.250000Z"
    assert told["whs_1"]["next_retry_at"] is None
    inline = told["inline"]
    assert (inline["attempt_count"], inline["status"]) == (1, "pending")
    assert (inline["http_status_code"], inline["error"]) == (401, "HTTP 401: no")
    assert inline["next_retry_at"] == "2026-09-21T14:13:26.250000Z"


async def test_deliveries_come_page_by_page(desk: Desk) -> None:
    """Each once."""
    path = PATH.format(SESSION)
    first = await desk.mine.ask(f"GET {path}?limit=2")
    cursor = first.body["response_metadata"]["next_cursor"]
    rest = await _deliveries(desk, f"?limit=2&cursor={cursor}")
    names = {one["id"] for one in [*first.body["deliveries"], *rest]}
    assert (len(first.body["deliveries"]), len(rest), len(names)) == (2, 1, 3)
    assert (await desk.mine.ask(f"GET {path}?limit=0")).status == 422


async def test_the_latest_is_one_for_each_receiver(desk: Desk) -> None:
    """A whole list, without pages; nothing is sent again by looking."""
    got = await desk.mine.ask(f"GET {PATH.format(SESSION)}/latest")
    assert [(one["subscription_id"], one["event"]) for one in got.body["deliveries"]] == [
        ("whs_1", "session.completed"),
        ("inline", "session.started"),
    ]
    assert (got.body["has_more"], got.body["response_metadata"]) == (False, {"next_cursor": ""})
    assert {one["attempt_count"] for one in await _deliveries(desk)} == {0}


async def test_a_session_nobody_wanted_to_hear_of_has_none(desk: Desk) -> None:
    """An empty list, not an error."""
    desk.had_session("sess_quiet", desk.mine.account)
    for suffix in ("", "/latest"):
        got = await desk.mine.ask(f"GET {PATH.format('sess_quiet')}{suffix}")
        assert (got.status, got.body["deliveries"]) == (200, [])


@pytest.mark.parametrize("suffix", ["", "/latest"])
async def test_another_accounts_session_does_not_exist(desk: Desk, suffix: str) -> None:
    """Nor does a deleted one, nor one without a key."""
    await assert_hidden(desk.theirs, f"GET {PATH}{suffix}", SESSION)
    desk.had_session("sess_deleted", desk.mine.account, deleted_at=AT)
    got = await desk.mine.ask(f"GET {PATH.format('sess_deleted')}{suffix}")
    assert (got.status, got.body["code"]) == (404, "session_not_found")
    target = f"GET {PATH.format(SESSION)}{suffix}"
    assert (await ask(desk.mine.app, target, authorization=None)).status == 401
