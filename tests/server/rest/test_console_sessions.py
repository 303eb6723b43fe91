"""``/v1/console/sessions``: search, one call's page, its records, its journal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from antiphon_server.rest.sessions import SETTLE_SECONDS
from antiphon_server.store.database import Database
from antiphon_server.store.tables import session_records
from server.rest.console_desk import ConsoleDesk
from server.rest.two_accounts import assert_hidden
from server.security.created_keys import unreachable
from server.store.ended_sessions import count
from server.store.told_sessions import AT, Told

LIST = "/v1/console/sessions"
HOSTILE = "<script>alert(1)</script>\u202e\u2066 \0 \x1b[31m" + "x" * 100_000


async def _ids(desk: ConsoleDesk, query: str = "") -> list[str]:
    got = await desk.mine.ask(f"GET {LIST}?{query}")
    assert got.status == 200, got.raw
    return [each["id"] for each in got.body["sessions"]]


async def test_a_session_is_listed_with_what_it_came_to(database: Database, tmp_path: Path) -> None:
    """And how many there are; what calls have just recorded is waited for."""
    desk = await ConsoleDesk(database, tmp_path).open()
    desk.had(Told("s_1", trouble=True))
    got = await desk.mine.ask(f"GET {LIST}")
    assert (got.status, got.body) == (
        200,
        {
            "sessions": [
                {
                    "id": "s_1", "agent_id": None, "agent_name": None, "status": "completed",
                    "close_reason": "client_ended", "created_at": "2026-09-21T14:13:20Z",
                    "ended_at": "2026-09-21T14:13:32.500000Z", "duration_seconds": 12.5,
                    "turns": 1, "interruptions": 0, "tool_calls": 0, "errors": 1,
                    "response_p50_ms": 700.0, "response_max_ms": 700.0,
                    "first_words": "Hello there.", "recorded": False,
                }
            ],
            "next_cursor": None,
            "total": 1,
        },
    )  # fmt: skip
    assert desk.settled == [SETTLE_SECONDS]
    assert (await desk.theirs.ask(f"GET {LIST}")).body["total"] == 0


async def test_the_query_says_which(database: Database, tmp_path: Path) -> None:
    """Each parameter, and several."""
    desk = await ConsoleDesk(database, tmp_path).open()
    desk.had(
        Told("s_1", said="I want a refund, 100% sure", agent_id="agent_1"),
        Told("s_2", at=AT + 86_400, response_ms=1_500.0, trouble=True),
        Told("s_3", at=AT + 2 * 86_400, is_live=True),
    )
    assert await _ids(desk) == ["s_3", "s_2", "s_1"]
    assert await _ids(desk, "search=REFUND") == ["s_1"]
    assert await _ids(desk, "search=100%25") == ["s_1"]
    assert await _ids(desk, "search=100_") == []
    assert await _ids(desk, f"search={quote(chr(0))}") == []
    assert await _ids(desk, "search=s_3") == ["s_3"]
    assert await _ids(desk, "status=created") == ["s_3"]
    assert await _ids(desk, "agent_id=agent_1&status=completed") == ["s_1"]
    assert await _ids(desk, "from=2026-09-22&to=2026-09-23") == ["s_2"]
    assert await _ids(desk, "slow_ms=1500") == ["s_2"]
    assert await _ids(desk, "errors=1") == ["s_2"]
    assert await _ids(desk, "errors=0&search=&status=&agent_id=&from=&to=&slow_ms=") == [
        "s_3",
        "s_2",
        "s_1",
    ]


async def test_the_cursor_leads_through_all_of_them(database: Database, tmp_path: Path) -> None:
    """Null at the end."""
    desk = await ConsoleDesk(database, tmp_path).open()
    desk.had(*(Told(f"s_{number}", at=AT + number) for number in range(5)))
    seen, cursor = [], ""
    while cursor is not None:
        got = await desk.mine.ask(f"GET {LIST}?limit=2&cursor={quote(cursor)}")
        assert got.body["total"] == 5
        seen += [each["id"] for each in got.body["sessions"]]
        cursor = got.body["next_cursor"]
    assert seen == ["s_4", "s_3", "s_2", "s_1", "s_0"]


@pytest.mark.parametrize(
    ("query", "param", "kind"),
    [
        (f"search={'x' * 201}", "search", "string_too_long"),
        (f"search={'x' * 10_000}", "search", "string_too_long"),
        ("status=over", "status", "literal_error"),
        ("from=yesterday", "from", "datetime_parsing"),
        ("to=2026-13-01", "to", "datetime_parsing"),
        ("slow_ms=fast", "slow_ms", "int_parsing"),
        ("slow_ms=-1", "slow_ms", "greater_than_equal"),
        ("slow_ms=99999999999", "slow_ms", "less_than_equal"),
        ("errors=yes", "errors", "int_parsing"),
        ("errors=2", "errors", "less_than_equal"),
        ("limit=0", "limit", "greater_than_equal"),
        ("limit=201", "limit", "less_than_equal"),
        ("cursor=nonsense", "cursor", "value_error"),
    ],
)
async def test_what_cannot_be_read_is_refused(
    database: Database, tmp_path: Path, query: str, param: str, kind: str
) -> None:
    """422, with the parameter."""
    desk = await ConsoleDesk(database, tmp_path).open()
    got = await desk.mine.ask(f"GET {LIST}?{query}")
    assert (got.status, got.body["code"]) == (422, "validation_error")
    assert (got.body["param"], got.body["detail"][0]["type"]) == (param, kind)


async def test_a_session_is_seen_turn_by_turn(database: Database, tmp_path: Path) -> None:
    """With its configuration, stages, errors, links to what it left."""
    desk = await ConsoleDesk(database, tmp_path).open()
    desk.had(Told("s_1", trouble=True))
    got = await desk.mine.ask(f"GET {LIST}/s_1")
    assert got.status == 200
    told = got.body
    assert told["session"] == (await desk.mine.ask(f"GET {LIST}")).body["sessions"][0]
    assert told["config"] == {"system_prompt": "Prompt of s_1."}
    (turn,) = told["turns"]
    assert (turn["user"]["text"], turn["agent"]["heard"]) == ("Hello there.", "Indeed.")
    assert turn["stages"] == {"endpointing": 450.0, "response": 700.0}
    assert turn["models"] == {"language_model": "large"}
    assert [error["code"] for error in turn["errors"]] == ["provider_timed_out"]
    assert (told["errors"], told["config_changes"], told["journal"]) == ([], [], False)
    assert [link["type"] for link in told["artifacts"]] == ["timeline", "metadata"]
    assert told["artifacts"][0]["url"].startswith("http://localhost/v1/artifacts/s_1/timeline?")
    assert "sealed" not in got.raw.decode()


async def test_a_live_session_is_seen_as_far_as_it_is(database: Database, tmp_path: Path) -> None:
    """Without links: they lead to what is left."""
    desk = await ConsoleDesk(database, tmp_path).open()
    desk.had(Told("s_1", is_live=True))
    told = (await desk.mine.ask(f"GET {LIST}/s_1")).body
    assert (told["session"]["status"], len(told["turns"]), told["artifacts"]) == ("created", 1, [])


async def test_records_are_read_piece_by_piece(database: Database, tmp_path: Path) -> None:
    """Each with its number, its time and its kind."""
    desk = await ConsoleDesk(database, tmp_path).open()
    desk.had(Told("s_1"))
    first = (await desk.mine.ask(f"GET {LIST}/s_1/events?limit=3")).body
    rest = (await desk.mine.ask(f"GET {LIST}/s_1/events?after={first['next']}")).body
    events = first["events"] + rest["events"]
    assert [event["kind"] for event in events] == ["started", "user_said", "agent_said", "ended"]
    assert [event["seq"] for event in events] == [0, 1, 2, 3]
    assert [event["at_ms"] for event in events] == [0, 2_000, 5_000, 12_500]
    assert (first["next"], rest["next"]) == (2, None)
    assert events[1]["text"] == "Hello there."
    assert "webhook" not in events[0]


@pytest.mark.parametrize(
    ("query", "param"),
    [("after=-2", "after"), ("after=x", "after"), ("limit=0", "limit"), ("limit=1001", "limit")],
)
async def test_records_that_cannot_be_asked_for_are_refused(
    database: Database, tmp_path: Path, query: str, param: str
) -> None:
    """422."""
    desk = await ConsoleDesk(database, tmp_path).open()
    got = await desk.mine.ask(f"GET {LIST}/s_1/events?{query}")
    assert (got.status, got.body["param"]) == (422, param)


async def test_a_journal_is_downloaded(database: Database, tmp_path: Path) -> None:
    """As a file, where one is kept."""
    desk = await ConsoleDesk(database, tmp_path).open()
    desk.had(Told("s_1"), Told("s_2"))
    lines = b'{"at": 0}\n' * 20_000
    (desk.journals / "s_1.jsonl").write_bytes(lines)
    assert (await desk.mine.ask(f"GET {LIST}/s_1")).body["journal"] is True
    got = await desk.mine.ask(f"GET {LIST}/s_1/journal")
    assert (got.status, got.raw) == (200, lines)
    assert got.headers["content-type"] == "application/x-ndjson"
    assert got.headers["content-disposition"] == 'attachment; filename="s_1.jsonl"'
    assert got.headers["content-length"] == str(len(lines))
    missing = await desk.mine.ask(f"GET {LIST}/s_2/journal")
    assert (missing.status, missing.body["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["", "/events", "/journal"])
async def test_another_accounts_session_does_not_exist(
    database: Database, tmp_path: Path, path: str
) -> None:
    """Nor does one that never was, nor one that was deleted."""
    desk = await ConsoleDesk(database, tmp_path).open()
    session_id = f"sess_{'a' * 32}"
    desk.had(Told(session_id))
    (desk.journals / f"{session_id}.jsonl").write_bytes(b"said")
    await assert_hidden(desk.theirs, f"GET {LIST}/{{}}{path}", session_id)
    assert (await desk.mine.ask(f"DELETE /v1/sessions/{session_id}")).status == 204
    got = await desk.mine.ask(f"GET {LIST}/{session_id}{path}")
    assert (got.status, got.body["code"]) == (404, "session_not_found")


async def test_nothing_of_a_deleted_session_is_left(database: Database, tmp_path: Path) -> None:
    """No word in any table, no journal; no search finds it."""
    desk = await ConsoleDesk(database, tmp_path).open()
    desk.had(Told("s_1", said="secret words"), Told("s_2"))
    (desk.journals / "s_1.jsonl").write_bytes(b"secret words")
    assert await _ids(desk, "search=secret") == ["s_1"]
    assert (await desk.mine.ask("DELETE /v1/sessions/s_1")).status == 204
    assert await _ids(desk, "search=secret") == []
    assert await _ids(desk, "search=s_1") == []
    assert not (desk.journals / "s_1.jsonl").exists()

    def everything(connection: sa.Connection) -> str:
        tables = sa.inspect(connection).get_table_names()
        return str([connection.execute(sa.text(f"SELECT * FROM {t}")).all() for t in tables])  # noqa: S608

    assert "secret words" not in database.now(everything)
    assert count(database, session_records) == 4


async def test_hostile_text_comes_back_as_it_was(database: Database, tmp_path: Path) -> None:
    """Markup, bidi controls, U+0000, a word of 100,000 characters: as text in JSON."""
    desk = await ConsoleDesk(database, tmp_path).open()
    desk.had(Told("s_1", said=HOSTILE, answer=HOSTILE))
    got = await desk.mine.ask(f"GET {LIST}/s_1")
    turn: dict[str, Any] = got.body["turns"][0]
    assert (turn["user"]["text"], turn["agent"]["heard"]) == (HOSTILE, HOSTILE)
    assert got.body["session"]["first_words"] == HOSTILE[:200]
    assert got.headers["content-type"] == "application/json"
    events = (await desk.mine.ask(f"GET {LIST}/s_1/events")).body["events"]
    assert events[1]["text"] == HOSTILE
    assert await _ids(desk, f"search={quote('<script>alert(1)')}") == ["s_1"]
    json.loads(got.raw)


async def test_a_database_that_is_away_is_said_to_be(database: Database, tmp_path: Path) -> None:
    """503, at every address."""
    desk = await ConsoleDesk(database, tmp_path).open()
    with unreachable(database):
        for path in (LIST, f"{LIST}/s_1", f"{LIST}/s_1/events", f"{LIST}/s_1/journal",
                     "/v1/console/latency"):  # fmt: skip
            got = await desk.mine.ask(f"GET {path}")
            assert (got.status, got.body["code"]) == (503, "internal_error"), path
