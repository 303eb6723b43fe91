"""``/v1/webhook-subscriptions``, on both databases."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from antiphon_server.store.database import Database
from antiphon_server.store.tables import webhook_subscriptions
from antiphon_server.store.webhook_subscriptions import MOST_SUBSCRIPTIONS, secret_context
from server.rest.rest_client import ask
from server.rest.two_accounts import assert_hidden
from server.rest.webhook_desk import GOOD, PATH, Desk, desk_on
from server.webhooks.outbox_rig import SECRET, VAULT

NEW_SECRET = SECRET[::-1]


@pytest_asyncio.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    """Two accounts without subscriptions."""
    async with desk_on(database) as opened:
        yield opened


def _kept(desk: Desk) -> list[Any]:
    query = sa.select(webhook_subscriptions)
    return list(desk.database.now(lambda connection: connection.execute(query).all()))


async def test_a_subscription_is_made_and_shown_without_its_secret(desk: Desk) -> None:
    """201, in the shape of section 6.5; the secret is sealed in the database."""
    got = await desk.post()
    assert got.status == 201
    body = got.body
    assert re.fullmatch("whs_[0-9a-f]{32}", body["id"])
    assert body["created_at"] == body["updated_at"]
    assert datetime.fromisoformat(body["created_at"]).tzinfo is not None
    assert body | {"id": "", "created_at": "", "updated_at": ""} == {
        "id": "",
        "agent_id": None,
        "url": "https://hook.example/x",
        "events": ["session.started", "session.completed"],
        "enabled": True,
        "secret_version": 1,
        "created_at": "",
        "updated_at": "",
    }
    assert (await desk.get(body["id"])).body == body
    (row,) = _kept(desk)
    assert SECRET.encode() not in row.secret
    assert VAULT.open(row.secret, secret_context(row.id)) == SECRET.encode()


@pytest.mark.parametrize(
    ("changed", "param"),
    [
        ({"url": 1}, "url"),
        ({"url": ""}, "url"),
        ({"url": "https://hook.example/" + "x" * 2048}, "url"),
        ({"url": "http://hook.example/"}, "url"),
        ({"url": "https://inside.example/"}, "url"),
        ({"url": "https://nowhere.example/"}, "url"),
        ({"url": "https://127.0.0.1/"}, "url"),
        ({"url": "https://hook.example:22/"}, "url"),
        ({"url": "https://a:b@hook.example/"}, "url"),
        ({"url": "https://hook.example/\u0000"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["session.started", "session.started"]}, "events"),
        ({"events": ["session.paused"]}, "events[0]"),
        ({"events": "session.started"}, "events"),
        ({"events": [["session.started"]]}, "events[0]"),
        ({"events": None}, "events"),
        ({"secret": "s" * 31}, "secret"),
        ({"secret": "s" * 257}, "secret"),
        ({"secret": "é" * 32}, "secret"),
        ({"secret": "s" * 32 + "\n"}, "secret"),
        ({"secret": None}, "secret"),
        ({"enabled": "yes"}, "enabled"),
        ({"agent_id": 7}, "agent_id"),
    ],
)
async def test_what_cannot_be_is_refused(desk: Desk, changed: dict[str, Any], param: str) -> None:
    """422 with the path; no secret is repeated, nothing is kept."""
    got = await desk.post(**changed)
    assert (got.status, got.body["code"], got.body["param"]) == (422, "validation_error", param)
    assert SECRET not in got.raw.decode()
    assert "s" * 31 not in got.raw.decode()
    assert _kept(desk) == []


async def test_everything_that_is_wrong_is_told_at_once(desk: Desk) -> None:
    """What the shape forbids, or else what the values forbid."""
    got = await desk.mine.ask(f"POST {PATH}", b"{}")
    assert [item["param"] for item in got.body["errors"]] == ["url", "events", "secret"]
    bad = {"url": "http://x", "events": ["call.ended"] * 2, "secret": "é" * 40}
    got = await desk.mine.ask(f"POST {PATH}", json.dumps(bad).encode())
    assert {item["param"] for item in got.body["errors"]} == {"url", "events", "secret"}


async def test_the_same_url_and_agent_are_subscribed_once(desk: Desk) -> None:
    """409; also when another one is changed into it. Another account may have the same."""
    desk.has_agent("agent_1", desk.mine.account)
    assert (await desk.post()).status == 201
    assert (await desk.post(agent_id="agent_1")).status == 201
    other = (await desk.post(url="https://other.example/")).body["id"]
    for got in (
        await desk.post(),
        await desk.post(agent_id="agent_1", enabled=False),
        await desk.patch(other, url=GOOD["url"]),
    ):
        told = (got.status, got.body["code"])
        assert told == (409, "webhook_subscription_already_exists")
    got = await desk.theirs.ask(f"POST {PATH}", json.dumps(GOOD).encode())
    assert got.status == 201


async def test_an_agent_must_be_there(desk: Desk) -> None:
    """Of the same account, for a new subscription and a changed one."""
    desk.has_agent("agent_1", desk.theirs.account)
    name = (await desk.post()).body["id"]
    for agent_id in ("agent_1", "agent_2", "", "\u0000"):
        for got in (
            await desk.post(agent_id=agent_id),
            await desk.patch(name, agent_id=agent_id),
        ):
            assert (got.status, got.body["code"]) == (404, "agent_not_found")
    desk.has_agent("agent_2", desk.mine.account)
    assert (await desk.patch(name, agent_id="agent_2")).body["agent_id"] == "agent_2"
    assert (await desk.patch(name, agent_id=None)).body["agent_id"] is None


async def test_a_change_leaves_what_it_does_not_name(desk: Desk) -> None:
    """Null is as good as nothing; a new secret has the next version."""
    made = (await desk.post()).body
    changed = (await desk.patch(made["id"], enabled=False, url=None, secret=None)).body
    assert changed == made | {"enabled": False, "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > made["updated_at"]
    rotated = (await desk.patch(made["id"], secret=NEW_SECRET, events=["call.ended"])).body
    assert (rotated["secret_version"], rotated["events"]) == (2, ["call.ended"])
    (row,) = _kept(desk)
    assert VAULT.open(row.secret, secret_context(row.id)) == NEW_SECRET.encode()
    mistakes: list[dict[str, Any]] = [
        {"events": []},
        {"secret": "short"},
        {"url": "http://x"},
        {"enabled": 1},
    ]
    for bad in mistakes:
        assert (await desk.patch(made["id"], **bad)).status == 422
    assert (await desk.get(made["id"])).body == rotated


async def test_a_list_shows_the_enabled_ones_page_by_page(desk: Desk) -> None:
    """Newest first; disabled ones where they are asked for."""
    names = []
    for number in range(3):
        url = f"https://hook.example/{number}"
        names.append((await desk.post(url=url, enabled=number != 1)).body["id"])
    got = await desk.mine.ask(f"GET {PATH}")
    assert [one["id"] for one in got.body["subscriptions"]] == [names[2], names[0]]
    assert (got.body["has_more"], got.body["response_metadata"]) == (False, {"next_cursor": ""})
    first = await desk.mine.ask(f"GET {PATH}?include_disabled=true&limit=2")
    cursor = first.body["response_metadata"]["next_cursor"]
    assert first.body["has_more"]
    rest = await desk.mine.ask(f"GET {PATH}?include_disabled=True&limit=2&cursor={cursor}")
    found = first.body["subscriptions"] + rest.body["subscriptions"]
    assert [one["id"] for one in found] == names[::-1]
    assert SECRET not in got.raw.decode()


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("include_disabled=maybe", "include_disabled"),
        ("include_disabled=", "include_disabled"),
        ("limit=0", "limit"),
        ("cursor=x", "cursor"),
    ],
)
async def test_a_list_refuses_what_cannot_be(desk: Desk, query: str, param: str) -> None:
    """422."""
    got = await desk.mine.ask(f"GET {PATH}?{query}")
    assert (got.status, got.body["param"]) == (422, param)


async def test_a_deleted_subscription_is_gone(desk: Desk) -> None:
    """204, once; its URL may be subscribed again."""
    name = (await desk.post()).body["id"]
    got = await desk.mine.ask(f"DELETE {PATH}/{name}")
    assert (got.status, got.raw) == (204, b"")
    for again in (
        await desk.mine.ask(f"DELETE {PATH}/{name}"),
        await desk.get(name),
        await desk.patch(name, enabled=False),
    ):
        assert (again.status, again.body["code"]) == (404, "webhook_subscription_not_found")
    assert (await desk.post()).status == 201


async def test_another_accounts_subscription_does_not_exist(desk: Desk) -> None:
    """Not to be read, changed, deleted or listed."""
    name = (await desk.post()).body["id"]
    await assert_hidden(desk.theirs, f"GET {PATH}/{{}}", name)
    await assert_hidden(desk.theirs, f"PATCH {PATH}/{{}}", name, b'{"enabled": false}')
    await assert_hidden(desk.theirs, f"DELETE {PATH}/{{}}", name)
    got = await desk.theirs.ask(f"GET {PATH}?include_disabled=true")
    assert got.body["subscriptions"] == []
    assert (await desk.get(name)).body["enabled"]


async def test_an_account_has_a_hundred_at_most(desk: Desk) -> None:
    """Each is a request for every event."""
    for number in range(MOST_SUBSCRIPTIONS):
        assert (await desk.post(url=f"https://hook.example/{number}")).status == 201
    got = await desk.post()
    assert (got.status, got.body["code"]) == (422, "validation_error")


async def test_a_request_that_is_sent_again_makes_no_second_one(desk: Desk) -> None:
    """With an ``Idempotency-Key``; the answer is the same, and holds no secret."""
    header = ("idempotency-key", "key-1")
    first, again = await desk.post(header), await desk.post(header)
    assert (first.status, first.body) == (again.status, again.body)
    assert len(_kept(desk)) == 1
    assert (await desk.post(header, enabled=False)).body["code"] == "idempotency_key_reuse"


async def test_every_path_needs_a_key_for_webhooks(desk: Desk) -> None:
    """None is 401."""
    for target in (f"GET {PATH}", f"POST {PATH}", f"GET {PATH}/x", f"PATCH {PATH}/x"):
        got = await ask(desk.mine.app, target, b"{}", authorization=None)
        assert (got.status, got.body["code"]) == (401, "missing_authorization")
