"""Sessions are found by their account, and deleted for good."""

from __future__ import annotations

from functools import partial
from typing import Any

import sqlalchemy as sa

from antiphon_server.store import past_sessions
from antiphon_server.store.database import Database
from antiphon_server.store.tables import session_records, sessions, usage
from server.store.ended_sessions import AT, Told, count, end, tell

MINE, THEIRS = "account-1", "account-2"


def _ids(database: Database, *arguments: Any) -> set[str]:
    query = past_sessions.of_account(*arguments)
    return {row.id for row in database.now(lambda connection: connection.execute(query).all())}


def _row(database: Database, session_id: str) -> sa.Row[Any]:
    query = sa.select(sessions).where(sessions.c.id == session_id)
    return database.now(lambda connection: connection.execute(query).one())


def test_an_account_sees_its_own_sessions(database: Database) -> None:
    """All, those in one status, those of one agent; never another account's."""
    tell(
        database,
        Told("s_1", MINE),
        Told("s_2", MINE, seconds=None),
        Told("s_3", MINE, agent_id="agent_1"),
        Told("s_4", THEIRS, agent_id="agent_1"),
    )
    assert _ids(database, MINE) == {"s_1", "s_2", "s_3"}
    assert _ids(database, MINE, "created") == {"s_2"}
    assert _ids(database, MINE, "completed", "agent_1") == {"s_3"}
    assert _ids(database, THEIRS) == {"s_4"}
    assert _ids(database, "") == set()


def test_one_is_found_by_account_and_id(database: Database) -> None:
    """A link's holder needs no account, but the session must have ended."""
    tell(database, Told("s_1", MINE), Told("s_2", MINE, seconds=None))

    def found(connection: sa.Connection) -> list[object]:
        return [
            past_sessions.find(connection, MINE, "s_1"),
            past_sessions.find(connection, THEIRS, "s_1"),
            past_sessions.find(connection, MINE, "nothing"),
            past_sessions.find_ended(connection, "s_1"),
            past_sessions.find_ended(connection, "s_2"),
        ]

    assert [row is not None for row in database.now(found)] == [True, False, False, True, False]


def test_records_come_back_in_order(database: Database) -> None:
    """As they were told, by their numbers."""
    tell(database, Told("s_1", MINE), Told("s_2", MINE))
    told = database.now(lambda connection: past_sessions.records(connection, "s_1"))
    assert [record.seq for record in told] == [0, 1, 2, 3, 4]
    assert type(told[1]).__name__ == "UserSaid"
    assert "Words of s_1" in str(told)
    assert "s_2" not in str(told)


def test_deletion_leaves_times_and_usage_only(database: Database) -> None:
    """No word, no configuration, no webhook; the bill and the row it hangs on remain."""
    tell(database, Told("s_1", MINE, is_recorded=True), Told("s_2", MINE))
    assert database.now(lambda connection: past_sessions.delete(connection, MINE, "s_1", AT + 99))
    assert _ids(database, MINE) == {"s_2"}
    row = _row(database, "s_1")
    assert (row.config, row.webhook, row.deleted_at) == ({}, None, AT + 99)
    assert (row.duration_seconds, row.created_at) == (12.5, AT)
    left = database.now(lambda connection: past_sessions.records(connection, "s_1"))
    assert left == []
    assert count(database, session_records) == 5
    assert count(database, usage) == 2


def test_only_its_account_deletes_a_session_and_only_once(database: Database) -> None:
    """For everybody else it is not there."""
    tell(database, Told("s_1", MINE))

    def tries(connection: sa.Connection) -> list[bool]:
        return [
            past_sessions.delete(connection, account, session_id, AT)
            for account, session_id in ((THEIRS, "s_1"), (MINE, "s_"), (MINE, "s_1"), (MINE, "s_1"))
        ]

    assert database.now(tries) == [False, False, True, False]


def test_audio_is_remembered_until_it_is_gone(database: Database) -> None:
    """Of a live session from its end on, though it was deleted before."""
    live = Told("s_2", MINE, seconds=None, is_recorded=True)
    tell(database, Told("s_1", MINE, is_recorded=True), live, Told("s_3", MINE, is_recorded=True))

    def delete(connection: sa.Connection) -> None:
        for session_id in ("s_1", "s_2"):
            past_sessions.delete(connection, MINE, session_id, AT)

    def left(connection: sa.Connection) -> list[list[str]]:
        wanted = past_sessions.with_audio_to_delete
        return [wanted(connection, 10), wanted(connection, 10, "s_2"), wanted(connection, 0)]

    database.now(delete)
    assert _row(database, "s_2").webhook == b"sealed"
    assert database.now(left) == [["s_1"], [], []]
    end(database, live)
    assert database.now(left) == [["s_1", "s_2"], ["s_2"], []]
    assert database.now(lambda connection: past_sessions.records(connection, "s_2")) == []
    for session_id in ("s_1", "s_3"):
        database.now(partial(past_sessions.forget_audio, session_id=session_id))
    assert database.now(left) == [["s_2"], ["s_2"], []]
    assert _row(database, "s_3").recording is not None


def test_what_ended_long_ago_is_deleted_oldest_first(database: Database) -> None:
    """Of every account; never what is live, nor more than is asked for."""
    tell(
        database,
        *(Told(f"s_{number}", f"account-{number}", AT + number) for number in range(5)),
        Told("live", MINE, AT - 1e6, seconds=None),
    )

    def deleted(connection: sa.Connection) -> list[int]:
        delete, before = past_sessions.delete_ended_before, AT + 12.5 + 3
        return [delete(connection, before, AT + 99, most) for most in (2, 2, 2)]

    assert database.now(deleted) == [2, 1, 0]
    alive = sa.select(sessions.c.id).where(sessions.c.deleted_at.is_(None))
    ids = database.now(lambda connection: connection.execute(alive).scalars().all())
    assert set(ids) == {"s_3", "s_4", "live"}


def test_a_recording_is_registered_where_there_is_none(database: Database) -> None:
    """Not before the session ended, not for a deleted one, and over nothing that is known."""
    tell(
        database,
        Told("s_1", MINE),
        Told("s_2", MINE, is_recorded=True),
        Told("s_3", MINE, seconds=None),
        Told("s_4", MINE),
    )
    found = {"file": "found"}

    def register(connection: sa.Connection) -> list[str]:
        past_sessions.delete(connection, MINE, "s_4", AT)
        return [
            past_sessions.register_recording(connection, session_id, found)
            for session_id in ("s_1", "s_2", "s_3", "s_4", "s_5")
        ]

    assert database.now(register) == ["known", "known", "unknown", "deleted", "unknown"]
    assert _row(database, "s_1").recording == found
    assert _row(database, "s_2").recording["file"] == "s_2.ogg"
    assert _row(database, "s_3").recording is None
    assert _row(database, "s_4").recording is None
