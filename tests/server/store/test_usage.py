"""Sums of usage in SQL, the same on both databases."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from antiphon_server.store.database import Database
from antiphon_server.store.pages import Paging, page_of, read_cursor
from antiphon_server.store.usage import NO_KEY, Asked, Grouping, sums
from server.store.used_sessions import DAY, FIRST, Row, write

ALL = Asked("a", 0.0, 1e12, "session")


def _found(database: Database, asked: Asked, limit: int = 200) -> list[dict[str, Any]]:
    """The rows of all pages of this length."""
    found: list[dict[str, Any]] = []
    paging = Paging(limit)
    while True:
        rows = database.now(lambda connection: sums(connection, asked, paging))  # noqa: B023
        page, has_more, cursor = page_of(rows, paging)
        assert len(page) <= limit
        found += [dict(row._mapping) for row in page]
        if not has_more:
            return found
        paging = Paging(limit, read_cursor(cursor))


def test_rows_are_added_up(database: Database) -> None:
    """Each column; a session counts once."""
    write(database, Row("a", "s1", FIRST), Row("a", "s1", FIRST + 1), Row("a", "s2", FIRST + 2))
    asked = Asked("a", 0.0, 1e12, "key")
    assert _found(database, asked) == [
        {
            "id": NO_KEY, "created_at": FIRST, "sessions": 2, "connected_seconds": 4.5,
            "prompt_tokens": 30, "completion_tokens": 60, "characters": 300,
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("key", [("key_2", 1), ("key_1", 2)]),
        ("session", [("s3", 1), ("s2", 1), ("s1", 2)]),
        ("day", [("20001", 2), ("20000", 1)]),
    ],
)
def test_groups_come_newest_first(
    by: Grouping, expected: list[tuple[str, int]], database: Database
) -> None:
    """By their first use in the time; a session over midnight counts on both days."""
    write(
        database,
        Row("a", "s1", FIRST + DAY - 0.001, "key_1"),
        Row("a", "s1", FIRST + DAY, "key_1"),
        Row("a", "s2", FIRST + DAY + 1, "key_1"),
        Row("a", "s3", FIRST + DAY + 2, "key_2"),
    )
    found = _found(database, Asked("a", 0.0, 1e12, by))
    seconds = {row["id"]: row["connected_seconds"] / 1.5 for row in found}
    counts = {"key_1": 3, "20001": 3, "s1": 2}
    assert seconds == {name: counts.get(name, 1) for name, _ in expected}
    if by == "day":
        assert [(row["id"], row["sessions"]) for row in found] == [("20001", 3), ("20000", 1)]
    else:
        assert [row["id"] for row in found] == [name for name, _ in expected]


def test_the_time_includes_its_first_moment_and_not_its_last(database: Database) -> None:
    """So that months add up."""
    write(database, *(Row("a", f"s{n}", FIRST + n) for n in range(4)))
    found = _found(database, Asked("a", FIRST + 1, FIRST + 3, "session"))
    assert [row["id"] for row in found] == ["s2", "s1"]


def test_no_other_account_is_seen(database: Database) -> None:
    """Not by any name that looks like a pattern, either."""
    write(database, Row("a", "s1", FIRST), Row("b", "s2", FIRST), Row("%", "s3", FIRST))
    for account, own in (("a", ["s1"]), ("b", ["s2"]), ("%", ["s3"]), ("_", []), ("", [])):
        for by in ("key", "day", "session"):
            found = _found(database, Asked(account, 0.0, 1e12, by))
            assert sum(row["sessions"] for row in found) == len(own)
        assert [row["id"] for row in _found(database, Asked(account, 0.0, 1e12, "session"))] == own


def test_a_page_does_not_move_while_sessions_go_on(database: Database) -> None:
    """What is used after the first page changes no place in the list."""
    write(database, *(Row("a", f"s{n}", FIRST + n) for n in range(5)))
    paging = Paging(2)
    first, _, cursor = page_of(database.now(lambda c: sums(c, ALL, paging)), paging)
    with database.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO usage SELECT session_id, 9, account, key_id, 1, 1, 1, 1, at + 999 "
            "FROM usage WHERE session_id IN ('s0', 's4')"
        )
    write(database, Row("a", "s9", FIRST + 9))
    paging = Paging(3, read_cursor(cursor))
    second, has_more, _ = page_of(database.now(lambda c: sums(c, ALL, paging)), paging)
    assert [row.id for row in first] + [row.id for row in second] == ["s4", "s3", "s2", "s1", "s0"]
    assert not has_more


_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.integers(0, 5),
        st.floats(0, 3 * DAY, allow_subnormal=False).map(lambda at: round(at, 3)),
        st.sampled_from([None, "key_1", "key_2"]),
    ),
    max_size=20,
)


@settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(drawn=_ROWS, by=st.sampled_from(["key", "day", "session"]), limit=st.integers(1, 3))
def test_the_sums_are_those_of_the_rows(
    drawn: list[tuple[str, int, float, str | None]], by: Grouping, limit: int, database: Database
) -> None:
    """Against the same sums in Python: any rows, any pages; nothing twice, nothing missing."""
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM usage")
        connection.exec_driver_sql("DELETE FROM sessions")
    rows = [Row(who, f"{who}{n}", FIRST + at, key_id) for who, n, at, key_id in drawn]
    write(database, *rows)
    expected: Counter[str] = Counter()
    for row in rows:
        names = {
            "key": row.key_id or NO_KEY,
            "session": row.session,
            "day": str(int(row.at // DAY)),
        }
        expected[names[by]] += int(row.account == "a")
    found = _found(database, Asked("a", FIRST, FIRST + 4 * DAY, by), limit)
    assert {row["id"]: row["characters"] // 100 for row in found} == dict(+expected)
    assert len(found) == len({row["id"] for row in found})
