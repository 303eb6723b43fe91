"""``GET /v1/usage``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from antiphon_server.rest.api import Api
from antiphon_server.rest.usage import UsageRoutes
from antiphon_server.security.keys import Keys
from antiphon_server.store.database import Database
from antiphon_server.store.keys import KeyStore
from server.rest.rest_client import ask
from server.rest.two_accounts import Tenant, two_accounts
from server.security.created_keys import PEPPER, create, unreachable
from server.store.used_sessions import DAY, FIRST, Row, write

SPAN = "from=2024-10-01&to=2024-11-01"


@pytest.fixture
def unasked(tmp_path: Path) -> Iterator[Database]:
    """A database without tables: whoever asks it anything fails."""
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    yield database
    database.dispose()


async def _tenants(database: Database) -> tuple[Tenant, Tenant]:
    return await two_accounts(lambda keys: UsageRoutes(keys, database).operations())


async def test_usage_is_added_up_by_day_unless_something_else_is_asked_for(
    database: Database,
) -> None:
    """Whole, with the time it is about."""
    mine, _ = await _tenants(database)
    write(database, Row(mine.account, "s1", FIRST), Row(mine.account, "s2", FIRST + 1))
    got = await mine.ask(f"GET /v1/usage?{SPAN}")
    assert (got.status, got.body) == (
        200,
        {
            "from": "2024-10-01T00:00:00Z",
            "to": "2024-11-01T00:00:00Z",
            "group_by": "day",
            "usage": [
                {
                    "day": "2024-10-04", "sessions": 2, "connected_seconds": 3.0,
                    "prompt_tokens": 20, "completion_tokens": 40, "characters": 200,
                }
            ],
            "has_more": False,
            "response_metadata": {"next_cursor": ""},
        },
    )  # fmt: skip


@pytest.mark.parametrize(
    ("by", "name", "expected"),
    [
        ("key", "key_id", [None, "key_1"]),
        ("day", "day", ["2024-10-05", "2024-10-04"]),
        ("session", "session_id", ["s3", "s2", "s1"]),
    ],
)
async def test_each_sum_says_what_it_is_of(
    by: str, name: str, expected: list[str | None], database: Database
) -> None:
    """Newest first, in pages that add up to the same."""
    mine, _ = await _tenants(database)
    write(
        database,
        Row(mine.account, "s1", FIRST, "key_1"),
        Row(mine.account, "s2", FIRST + DAY, "key_1"),
        Row(mine.account, "s3", FIRST + DAY + 1),
    )
    whole = (await mine.ask(f"GET /v1/usage?{SPAN}&group_by={by}")).body["usage"]
    assert [one[name] for one in whole] == expected
    paged, cursor = [], ""
    while True:
        target = f"GET /v1/usage?{SPAN}&group_by={by}&limit=1&cursor={cursor}"
        body = (await mine.ask(target)).body
        paged += body["usage"]
        cursor = body["response_metadata"]["next_cursor"]
        if not body["has_more"]:
            break
    assert paged == whole


async def test_no_account_sees_what_another_used(database: Database) -> None:
    """By no group and no cursor (T16)."""
    mine, theirs = await _tenants(database)
    write(database, *(Row(mine.account, f"s{n}", FIRST + n, "key_1") for n in range(3)))
    for by in ("key", "day", "session"):
        target = f"GET /v1/usage?{SPAN}&group_by={by}&limit=1"
        body = (await mine.ask(target)).body
        cursor = body["response_metadata"]["next_cursor"]
        assert len(body["usage"]) == 1
        for query in (target, f"{target}&cursor={cursor}"):
            assert (await theirs.ask(query)).body["usage"] == []


async def test_a_time_is_read_in_the_usual_forms(database: Database) -> None:
    """RFC 3339 or a date; without a zone in UTC; with a plus sign that arrived as a space."""
    mine, _ = await _tenants(database)
    for written, seconds in (
        ("2024-10-04", FIRST),
        ("2024-10-04T00:00:00Z", FIRST),
        ("2024-10-04t00:00:00z", FIRST),
        ("2024-10-04T02:00:00+02:00", FIRST),
        ("2024-10-04 02:00:00 02:00", FIRST),
        ("2024-10-03T22:00:00-02:00", FIRST),
        ("2024-10-04T00:00:00", FIRST),
        ("2024-10-04T00:00:00.25Z", FIRST + 0.25),
        ("0001-01-01", -62135596800.0),
    ):
        got = await mine.ask(f"GET /v1/usage?from={quote(written)}&to=9999-12-31")
        assert got.status == 200
        assert datetime.fromisoformat(got.body["from"]).timestamp() == seconds, written


async def test_the_last_30_days_count_by_default(database: Database) -> None:
    """Until now; with an end, the 30 days before it."""
    mine, _ = await _tenants(database)
    before = time.time()
    body = (await mine.ask("GET /v1/usage")).body
    start, end = (datetime.fromisoformat(body[name]).timestamp() for name in ("from", "to"))
    assert before - 1 <= end <= time.time()
    assert end - start == pytest.approx(30 * DAY)
    body = (await mine.ask("GET /v1/usage?to=2024-10-31")).body
    assert body["from"] == "2024-10-01T00:00:00Z"


@pytest.mark.parametrize(
    ("query", "param", "kind"),
    [
        ("from=yesterday", "from", "datetime_parsing"),
        ("from=", "from", "datetime_parsing"),
        ("from=2024-13-01", "from", "datetime_parsing"),
        ("from=2024-02-30", "from", "datetime_parsing"),
        ("from=20240101", "from", "datetime_parsing"),
        ("from=2024-W01-1", "from", "datetime_parsing"),
        ("from=1727740800", "from", "datetime_parsing"),
        ("from=2024-01-01T25:00:00Z", "from", "datetime_parsing"),
        ("from=2024-01-01T00:00:00%2B99:99", "from", "datetime_parsing"),
        ("from=0001-01-01T00:00:00%2B01:00", "from", "datetime_parsing"),
        ("to=9999-12-31T23:59:59-01:00", "to", "datetime_parsing"),
        ("to=%D9%A2%D9%A0%D9%A2%D9%A4-01-01", "to", "datetime_parsing"),
        ("to=2024-01-01%00", "to", "datetime_parsing"),
        (f"to={'9' * 5000}", "to", "datetime_parsing"),
        ("from=2024-01-02&to=2024-01-01", "from", "value_error"),
        ("from=2024-01-01&to=2024-01-01", "from", "value_error"),
        ("to=0001-01-01", "from", "value_error"),
        ("group_by=agent", "group_by", "literal_error"),
        ("group_by=", "group_by", "literal_error"),
        ("limit=0", "limit", "greater_than_equal"),
        ("cursor=x", "cursor", "value_error"),
    ],
)
async def test_what_cannot_be_is_422(query: str, param: str, kind: str, unasked: Database) -> None:
    """With the parameter, and what would be right."""
    mine, _ = await _tenants(unasked)
    got = await mine.ask(f"GET /v1/usage?{query}")
    assert (got.status, got.body["code"], got.body["param"]) == (422, "validation_error", param)
    assert got.body["detail"][0]["type"] == kind
    assert len(got.raw) < 2000


async def test_everything_that_is_wrong_is_told_at_once(unasked: Database) -> None:
    """Each parameter once."""
    mine, _ = await _tenants(unasked)
    got = await mine.ask("GET /v1/usage?from=x&to=y&group_by=z")
    assert [item["param"] for item in got.body["errors"]] == ["from", "to", "group_by"]


async def test_a_key_must_be_for_it(database: Database) -> None:
    """One with the scope sees its account, one without is refused; so is nobody."""
    keys = Keys((), store=KeyStore(database), pepper=PEPPER)
    app = Api(UsageRoutes(keys, database).operations())
    write(database, Row("shop", "s1", FIRST, "key_1"))
    _, good = create(database, account="shop", scopes=("usage",))
    _, bad = create(database, account="shop", scopes=("calls", "agents", "sessions", "webhooks"))
    got = await ask(app, f"GET /v1/usage?{SPAN}", authorization=good)
    assert got.body["usage"][0]["sessions"] == 1
    got = await ask(app, f"GET /v1/usage?{SPAN}", authorization=bad)
    assert (got.status, got.body["code"]) == (403, "forbidden")
    got = await ask(app, f"GET /v1/usage?{SPAN}", authorization=None)
    assert (got.status, got.body["code"]) == (401, "missing_authorization")
    await keys.close()


async def test_without_the_database_it_is_503(database: Database) -> None:
    """With a word about when to ask again."""
    mine, _ = await _tenants(database)
    with unreachable(database):
        got = await mine.ask("GET /v1/usage")
    assert (got.status, got.headers["retry-after"]) == (503, "1")
