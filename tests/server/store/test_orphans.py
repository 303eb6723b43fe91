"""Sessions whose process died are ended as of the last that is known of them."""

import pytest
import sqlalchemy as sa

from antiphon_server.call.records import AnyRecord, Ended
from antiphon_server.store import applying, orphans
from antiphon_server.store.database import Database
from antiphon_server.store.spool_segment import Line
from antiphon_server.store.tables import session_records, sessions
from server.store.talk import NOON, Events, ended, said, started, used


def _put(database: Database, node: str, session_id: str, *records: AnyRecord) -> None:
    lines = [Line(session_id, record) for record in records]
    database.now(lambda connection: applying.apply(connection, node, lines, Events()))


def _close(database: Database, ids: list[str]) -> Events:
    events = Events()
    database.now(lambda connection: orphans.close(connection, ids, events))
    return events


def _record(database: Database, session_id: str) -> AnyRecord:
    query = sa.select(session_records).where(session_records.c.session_id == session_id)
    query = query.order_by(session_records.c.seq.desc()).limit(1)
    return applying.record_of(database.now(lambda connection: connection.execute(query).one()))


def test_only_open_sessions_of_the_run_are_found(database: Database) -> None:
    """Not those of another server, and not those that have ended."""
    _put(database, "run-1", "sess_open", started())
    _put(database, "run-1", "sess_over", started(), ended(1))
    _put(database, "run-2", "sess_theirs", started())
    found = database.now(lambda connection: orphans.of_run(connection, "run-1"))
    assert found == ["sess_open"]


def test_sessions_that_began_long_ago_are_found_whoever_had_them(database: Database) -> None:
    """Where a spool is gone, nothing else is left of their process."""
    _put(database, "run-1", "sess_old", started())
    _put(database, "run-1", "sess_over", started(), ended(1))
    _put(database, "run-2", "sess_new", started(at=NOON + 100))
    found = database.now(lambda connection: orphans.older_than(connection, NOON + 50))
    assert found == ["sess_old"]


def test_a_lost_session_ends_with_its_last_record(database: Database) -> None:
    """Its end is a record and an event as any other, with what is known."""
    _put(database, "run-1", "sess_1", started(), said(1), used(8))
    events = _close(database, ["sess_1"])
    lost = Ended(
        seq=9,
        at=NOON + 8,
        reason="lost",
        public_reason="error",
        duration_seconds=8.0,
        audio_seconds=None,
    )
    assert _record(database, "sess_1") == lost
    row = database.now(lambda connection: connection.execute(sa.select(sessions)).one())
    assert (row.status, row.close_reason, row.ended_at) == ("completed", "lost", NOON + 8)
    assert row.node == "run-1"
    (event,) = events.seen
    assert event.kind == "session.completed"
    assert event.payload["duration_seconds"] == 8.0
    assert event.payload["audio_duration_seconds"] is None


@pytest.mark.parametrize("again", [1, 2])
def test_a_session_is_ended_once(database: Database, again: int) -> None:
    """Also if it is looked for twice, or if its own end comes after all."""
    _put(database, "run-1", "sess_1", started(), said(1))
    kinds = [_close(database, ["sess_1"]).kinds for _ in range(again)]
    assert [kind for told in kinds for kind in told] == [("sess_1", "session.completed")]
    late = Events()
    line = Line("sess_1", ended(2))
    database.now(lambda connection: applying.apply(connection, "run-1", [line], late))
    assert late.seen == []


def test_a_deleted_session_is_ended_too(database: Database) -> None:
    """It has no record left; it ends when it began."""
    _put(database, "run-1", "sess_1", started(), said(1))
    gone = sa.update(sessions).values(deleted_at=NOON)
    database.now(lambda connection: connection.execute(gone))
    database.now(lambda connection: connection.execute(sa.delete(session_records)))
    assert _close(database, ["sess_1"]).kinds == [("sess_1", "session.completed")]
    row = database.now(lambda connection: connection.execute(sa.select(sessions)).one())
    assert (row.status, row.duration_seconds) == ("completed", 0.0)


def test_a_clock_that_ran_backwards_gives_no_negative_time(database: Database) -> None:
    """Wall clocks are set."""
    _put(database, "run-1", "sess_1", started(), said(-100))
    _close(database, ["sess_1"])
    row = database.now(lambda connection: connection.execute(sa.select(sessions)).one())
    assert (row.duration_seconds, row.ended_at) == (0.0, NOON)
