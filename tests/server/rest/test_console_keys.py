"""``/v1/console/keys``: what ``antiphon keys`` does, for operators."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import structlog

from antiphon_server.rest.api import Api
from antiphon_server.rest.console_keys import ConsoleKeyRoutes
from antiphon_server.security.admission import ALL_SCOPES, SCOPES
from antiphon_server.security.keys import Keys
from antiphon_server.store import keys as rows
from antiphon_server.store.database import Database
from server.rest.rest_client import Answer, ask
from server.security.created_keys import PEPPER, create, keys_of

PATH = "/v1/console/keys"


class _Desk:
    """An operator, and what is asked in its name."""

    def __init__(self, database: Database) -> None:
        self.keys = keys_of(database)
        self.app = Api(ConsoleKeyRoutes(self.keys, database, PEPPER).operations())
        self.key_id, self.key = create(database, scopes=ALL_SCOPES, name="operator")

    async def ask(self, target: str, body: Any = None) -> Answer:
        parts = () if body is None else (json.dumps(body).encode(),)
        return await ask(self.app, target, *parts, authorization=self.key)


async def test_a_key_is_created_and_shown_once(database: Database) -> None:
    """It opens what it is for at once; the list has no secret."""
    desk = _Desk(database)
    made = await desk.ask(f"POST {PATH}", {"name": " The shop's page "})
    assert made.status == 201
    key, created = made.body["key"], made.body["created"]
    assert created["name"] == "The shop's page"
    assert (created["account"], created["scopes"]) == ("default", list(SCOPES))
    listed = await desk.ask(f"GET {PATH}")
    assert [one["id"] for one in listed.body["keys"]] == [created["id"], desk.key_id]
    assert listed.body["keys"][0] == created
    assert key not in listed.raw.decode()
    assert "digest" not in listed.raw.decode()
    kept = database.now(lambda connection: rows.find(connection, created["id"]))
    assert kept is not None
    assert key.encode() not in kept.digest
    assert (await desk.keys.owner(key)).key_id == created["id"]


async def test_a_key_has_what_was_asked_for(database: Database) -> None:
    """Every option of the command."""
    desk = _Desk(database)
    before = time.time()
    made = await desk.ask(
        f"POST {PATH}",
        {
            "name": "page",
            "account": "acme",
            "scopes": ["operator", "calls", "calls"],
            "origins": ["HTTPS://Shop.example.com:443/", "https://shop.example.com"],
            "max_sessions": 7,
            "sessions_per_minute": 9,
            "expires_in_seconds": 3_600,
        },
    )
    created = made.body["created"]
    assert (created["account"], created["scopes"]) == ("acme", ["calls", "operator"])
    assert created["origins"] == ["https://shop.example.com"]
    assert (created["max_sessions"], created["sessions_per_minute"]) == (7, 9)
    kept = database.now(lambda connection: rows.find(connection, created["id"]))
    assert kept is not None
    assert kept.expires_at == pytest.approx(before + 3_600, abs=5)


async def test_a_key_is_revoked(database: Database) -> None:
    """Once or twice; it stays in the list, with when."""
    desk = _Desk(database)
    created = (await desk.ask(f"POST {PATH}", {"name": "page"})).body["created"]
    for _ in range(2):
        gone = await desk.ask(f"DELETE {PATH}/{created['id']}")
        assert (gone.status, gone.raw) == (204, b"")
    listed = (await desk.ask(f"GET {PATH}")).body["keys"]
    assert listed[0]["revoked_at"] is not None
    for unknown in ("key_0000000000000000", "nothing"):
        missing = await desk.ask(f"DELETE {PATH}/{unknown}")
        assert (missing.status, missing.body["code"]) == (404, "key_not_found")


async def test_only_an_operator_may(database: Database) -> None:
    """Neither a key with every other scope, nor one of the settings, nor anybody on a server
    that has none.
    """
    desk = _Desk(database)
    _, usual = create(database)
    for keys, key, status in (
        (desk.keys, usual, 403),
        (desk.keys, None, 401),
        (desk.keys, "nothing", 401),
        (Keys(("client-key",)), "client-key", 403),
        (Keys(()), None, 403),
    ):
        app = Api(ConsoleKeyRoutes(keys, database, PEPPER).operations())
        for target in (f"GET {PATH}", f"POST {PATH}", f"DELETE {PATH}/{desk.key_id}"):
            got = await ask(app, target, b'{"name": "x"}', authorization=key)
            assert got.status == status, (target, got.raw)
    assert len((await desk.ask(f"GET {PATH}")).body["keys"]) == 2


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "\u202ekey"}, "name"),
        ({"name": 7}, "name"),
        ({"name": "n", "account": ""}, "account"),
        ({"name": "n", "account": "a b"}, "account"),
        ({"name": "n", "scopes": ["everything"]}, "scopes[0]"),
        ({"name": "n", "scopes": []}, "scopes"),
        ({"name": "n", "scopes": "calls"}, "scopes"),
        ({"name": "n", "origins": ["https://ok.example", "nowhere"]}, "origins[1]"),
        ({"name": "n", "origins": ["https://x"] * 51}, "origins"),
        ({"name": "n", "max_sessions": 0}, "max_sessions"),
        ({"name": "n", "sessions_per_minute": "many"}, "sessions_per_minute"),
        ({"name": "n", "expires_in_seconds": 59}, "expires_in_seconds"),
        ({"name": "n", "expires_in_seconds": 10**12}, "expires_in_seconds"),
    ],
)
async def test_what_is_no_key_is_refused(
    database: Database, body: dict[str, Any], param: str
) -> None:
    """422, with the field; nothing is created."""
    desk = _Desk(database)
    got = await desk.ask(f"POST {PATH}", body)
    assert (got.status, got.body["code"], got.body["param"]) == (422, "validation_error", param)
    assert len((await desk.ask(f"GET {PATH}")).body["keys"]) == 1


async def test_keys_of_another_pepper_are_in_the_way(database: Database) -> None:
    """409: the server would refuse the new key as it refuses those."""
    desk = _Desk(database)
    foreign, _ = create(database, pepper=b"another pepper")
    got = await desk.ask(f"POST {PATH}", {"name": "page"})
    assert (got.status, got.body["code"]) == (409, "keys_do_not_fit")
    assert foreign in got.body["message"]


async def test_who_created_or_revoked_a_key_is_in_the_log(database: Database) -> None:
    """Never the key itself."""
    desk = _Desk(database)
    with structlog.testing.capture_logs() as logs:
        made = await desk.ask(f"POST {PATH}", {"name": "page"})
        await desk.ask(f"DELETE {PATH}/{made.body['created']['id']}")
    told = [(entry["event"], entry["key"]) for entry in logs]
    assert told == [("key created", desk.key_id), ("key revoked", desk.key_id)]
    assert made.body["key"] not in str(logs)
