"""What the database has of a session: all of it, once, however often its records come."""

import itertools
from collections.abc import Sequence

import pytest
import sqlalchemy as sa

from antiphon_server.call.records import AnyRecord
from antiphon_server.store import applying
from antiphon_server.store.database import Database
from antiphon_server.store.spool_segment import Line
from antiphon_server.store.tables import session_records, sessions, usage
from server.store.talk import (
    NOON,
    Events,
    answered,
    as_stored,
    counted,
    ended,
    said,
    started,
    stored,
    used,
    whole,
)


def _apply(database: Database, events: Events, *lines: Line) -> list[Line]:
    return database.now(lambda connection: applying.apply(connection, "node-1", lines, events))


def _lines(records: Sequence[AnyRecord], session_id: str = "sess_1") -> list[Line]:
    return [Line(session_id, record) for record in records]


def _session(database: Database, session_id: str = "sess_1") -> sa.Row[tuple[object, ...]]:
    query = sa.select(sessions).where(sessions.c.id == session_id)
    return database.now(lambda connection: connection.execute(query).one())


def test_a_session_is_stored_from_its_start_to_its_end(database: Database) -> None:
    """Its row, its records and its usage."""
    events = Events()
    first = started(agent_id="agent_1", config={"system_prompt": "Be kind."}, webhook=b"sealed")
    recording = {"channels": 2}
    records: list[AnyRecord] = [first, said(1), used(2), ended(3, recording=recording)]
    assert _apply(database, events, *_lines(records)) == []
    row = _session(database)
    assert (row.account, row.key_id, row.agent_id, row.node) == (
        "acme",
        "key_1",
        "agent_1",
        "node-1",
    )
    assert (row.status, row.close_reason, row.public_close_reason) == (
        "completed",
        "client_ended",
        "client_end",
    )
    assert (row.config, row.webhook) == ({"system_prompt": "Be kind."}, b"sealed")
    assert (row.duration_seconds, row.audio_seconds, row.recording) == (3.0, 1.5, recording)
    assert (row.created_at, row.ended_at, row.deleted_at) == (NOON, NOON + 3, None)
    assert stored(database) == as_stored("sess_1", records)
    query = sa.select(usage)
    (count,) = database.now(lambda connection: connection.execute(query).all())
    assert count == ("sess_1", 2, "acme", "key_1", 10.0, 7, 0, 0, NOON + 2)


def test_records_come_back_as_they_were(database: Database) -> None:
    """But for the webhook's secret, which is no part of what happened."""
    records: list[AnyRecord] = [started(webhook=b"sealed"), said(1), answered(2), used(3), ended(4)]
    _apply(database, Events(), *_lines(records))
    query = sa.select(session_records).order_by(session_records.c.seq)
    rows = database.now(lambda connection: connection.execute(query).all())
    assert [applying.record_of(row) for row in rows] == [started(), *records[1:]]
    assert all("sealed" not in str(row.body) for row in rows)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_records_may_come_again_and_again(database: Database, size: int) -> None:
    """In whatever batches they come, once or twice, the database has each once, and so have those
    who are told of a start and an end.
    """
    events = Events()
    lines = _lines(whole()) + _lines(whole(), "sess_2")
    for start, _ in itertools.product(range(0, len(lines), size), range(2)):
        _apply(database, events, *lines[start : start + size])
    _apply(database, events, *lines)
    assert stored(database) == as_stored("sess_1", whole()) + as_stored("sess_2", whole())
    assert counted(database) == [("sess_1", 2), ("sess_2", 2)]
    assert sorted(events.kinds) == [
        ("sess_1", "session.completed"),
        ("sess_1", "session.started"),
        ("sess_2", "session.completed"),
        ("sess_2", "session.started"),
    ]


def test_a_start_and_an_end_are_reported_with_what_is_known(database: Database) -> None:
    """And where to: the session's own webhook, as it was sealed."""
    events = Events()
    _apply(database, events, *_lines([started(agent_id="agent_1", webhook=b"sealed")]))
    _apply(database, events, *_lines([ended(9)]))
    start, end = events.seen
    assert (start.account, start.agent_id, start.inline, start.at) == (
        "acme",
        "agent_1",
        b"sealed",
        NOON,
    )
    assert start.payload == {"status": "created", "created_at": NOON}
    assert (end.account, end.agent_id, end.inline, end.at) == (
        "acme",
        "agent_1",
        b"sealed",
        NOON + 9,
    )
    assert end.payload == {
        "status": "completed",
        "created_at": NOON,
        "ended_at": NOON + 9,
        "duration_seconds": 9.0,
        "audio_duration_seconds": 1.5,
        "close_reason": "client_ended",
        "public_close_reason": "client_end",
    }


def test_what_cannot_be_reported_is_not_stored_either(database: Database) -> None:
    """Both are one transaction, so nothing is reported that is then rolled back, or the reverse."""

    def fail(_connection: sa.Connection, _event: object) -> None:
        raise LookupError

    line = Line("sess_1", started())
    with pytest.raises(LookupError):
        database.now(lambda connection: applying.apply(connection, "node-1", [line], fail))
    assert stored(database) == []


def test_records_of_a_session_that_never_started_are_handed_back(database: Database) -> None:
    """The others of the batch are stored."""
    stray = Line("sess_0", said(1))
    assert _apply(database, Events(), stray, *_lines(whole())) == [stray]
    assert stored(database) == as_stored("sess_1", whole())


def test_a_deleted_session_gets_no_record_any_more(database: Database) -> None:
    """Neither later ones, nor earlier ones that come again; what it used is still billed, and its
    end is still told.
    """
    events = Events()
    _apply(database, events, *_lines([started(), said(1)]))
    gone = sa.update(sessions).values(deleted_at=NOON)
    database.now(lambda connection: connection.execute(gone))
    database.now(lambda connection: connection.execute(sa.delete(session_records)))
    _apply(database, events, *_lines([started(), said(1), used(2), ended(3)]))
    assert stored(database) == []
    assert counted(database) == [("sess_1", 2)]
    assert _session(database).status == "completed"
    assert events.kinds == [("sess_1", "session.started"), ("sess_1", "session.completed")]


@pytest.mark.parametrize(
    "text", ["\0", "a\0b", "😀", "\u2028\ufffe", "'; DROP TABLE usage; --", "x" * 1_000_000]
)
def test_whatever_is_said_is_stored(database: Database, text: str) -> None:
    """PostgreSQL's text cannot hold U+0000, but what is said is kept as JSON."""
    records: list[AnyRecord] = [
        started(config={"system_prompt": text, text: [text]}),
        said(1, text),
    ]
    assert _apply(database, Events(), *_lines(records)) == []
    query = sa.select(session_records).order_by(session_records.c.seq)
    rows = database.now(lambda connection: connection.execute(query).all())
    assert [applying.record_of(row) for row in rows] == records
    assert _session(database).config == {"system_prompt": text, text: [text]}


def test_no_line_is_no_work(database: Database) -> None:
    """As of a segment in which all lines are damaged."""
    assert _apply(database, Events()) == []
