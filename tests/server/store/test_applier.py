"""The applier: all of the spool reaches the database, whatever is wrong with a line or with it."""

import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from structlog.typing import EventDict

from antiphon_server.call.records import AnyRecord
from antiphon_server.observe import metrics
from antiphon_server.store.applier import REJECTED, Applier
from antiphon_server.store.database import Database
from antiphon_server.store.spool_folder import claim
from antiphon_server.store.spool_segment import Line, Segment, encode
from antiphon_server.store.tables import session_records, sessions
from server.store.talk import Events, as_stored, counted, ended, said, started, stored, whole


class Desk:
    """An applier, and a segment of its own run to write into."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.claim, self.dead = claim(folder, "node")
        self.events = Events()
        self.applier = Applier(database, self.claim, self.events)
        self.segments: deque[Segment] = deque()
        self.total = 0

    def start(self) -> None:
        """Starts the thread."""
        self.applier.start(self.dead, self.segments)

    def write(self, *texts: bytes) -> None:
        """Writes lines as the spool does, into a new segment."""
        if self.segments:
            self.segments[-1].is_complete = True
        segment = Segment(self.claim.segment(len(self.claim.segments()) + 1), is_new=True)
        segment.append(b"".join(texts), fsync=False)
        self.segments.append(segment)
        self.total += segment.written
        self.applier.changed()

    def settle(self) -> None:
        """Waits until all that was written is applied."""
        done = threading.Event()
        self.applier.when_applied(self.total, done.set)
        assert done.wait(30)

    def close(self) -> None:
        """Ends the thread."""
        for segment in self.segments:
            segment.is_complete = True
        self.applier.close(30)

    def rejected(self) -> list[bytes]:
        """The lines that are kept for a person."""
        file = self.claim.folder / REJECTED
        return file.read_bytes().splitlines(keepends=True) if file.exists() else []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a spool is."""
    return tmp_path / "spool"


@pytest.fixture
def desk(database: Database, folder: Path) -> Iterator[Desk]:
    """An applier that runs."""
    desk = Desk(database, folder)
    desk.start()
    yield desk
    desk.close()


def _line(session_id: str, record: object) -> bytes:
    return encode(Line(session_id, record))  # type: ignore[arg-type]


def _lines(session_id: str = "sess_1") -> list[bytes]:
    return [_line(session_id, record) for record in whole()]


def _leave(folder: Path, *texts: bytes) -> None:
    """What a process leaves that died."""
    left, others = claim(folder, "node")
    left.segment(1).write_bytes(b"".join(texts))
    for each in (left, *others):
        each.release(is_done=False)


def test_what_is_written_is_applied_and_deleted(desk: Desk) -> None:
    """A segment to which more may come stays; one that is complete goes."""
    desk.write(*_lines())
    desk.settle()
    assert stored(desk.database) == as_stored("sess_1", whole())
    assert len(desk.claim.segments()) == 1
    desk.write(*_lines("sess_2"))
    desk.settle()
    assert desk.claim.segments() == [desk.claim.segment(2)]
    assert counted(desk.database) == [("sess_1", 2), ("sess_2", 2)]


def test_what_dead_processes_left_comes_first(database: Database, folder: Path) -> None:
    """All of it, and their sessions are ended; nothing of it is left in the folder."""
    _leave(folder, _line("sess_1", started()), _line("sess_1", said(1)))
    _leave(folder, *_lines("sess_2"))
    _leave(folder)
    desk = Desk(database, folder)
    desk.start()
    desk.settle()
    assert stored(database) == [
        *as_stored("sess_1", [started(), said(1), ended(2)]),
        *as_stored("sess_2", whole()),
    ]
    query = sa.select(sessions.c.id, sessions.c.close_reason).order_by(sessions.c.id)
    assert database.now(lambda connection: [tuple(row) for row in connection.execute(query)]) == [
        ("sess_1", "lost"),
        ("sess_2", "client_ended"),
    ]
    assert [path.name for path in folder.glob("*.lock")] == [f"{desk.claim.name}.lock"]
    desk.close()
    assert {path.name for path in folder.iterdir()} == {"gate"}


def test_what_a_dead_process_had_applied_already_is_not_doubled(
    database: Database, folder: Path
) -> None:
    """It died between the database and the deletion of its file."""
    for _ in range(2):
        _leave(folder, *_lines())
        desk = Desk(database, folder)
        desk.start()
        desk.close()
    assert stored(database) == as_stored("sess_1", whole())
    assert counted(database) == [("sess_1", 2)]


def test_a_torn_last_line_is_dropped(database: Database, folder: Path) -> None:
    """Nobody was told that it is durable."""
    _leave(folder, _line("sess_1", started()), _line("sess_1", said(1))[:-5])
    desk = Desk(database, folder)
    desk.start()
    desk.close()
    assert stored(database) == as_stored("sess_1", [started(), ended(1)])
    assert desk.rejected() == []


def test_sessions_that_are_open_at_the_end_are_ended_at_the_next_start(
    database: Database, folder: Path
) -> None:
    """The lock file stays for that; nothing else does."""
    desk = Desk(database, folder)
    desk.start()
    desk.write(_line("sess_1", started()))
    desk.close()
    assert {path.suffix for path in folder.iterdir()} == {"", ".lock"}
    following = Desk(database, folder)
    following.start()
    following.close()
    assert following.events.kinds == [("sess_1", "session.completed")]
    assert {path.name for path in folder.iterdir()} == {"gate"}


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"\0\0\0\n", id="damaged"),
        pytest.param(b"{}\n", id="no line"),
        pytest.param(encode(Line("sess_0", said(1))), id="of no session"),
        pytest.param(encode(Line("x" * 500, started())), id="too long an id, in PostgreSQL"),
        pytest.param(encode(Line("sess_0", started(account="a\0b"))), id="NUL, in PostgreSQL"),
        pytest.param(encode(Line("sess_1", said(2**70))), id="too large a number"),
    ],
)
def test_a_line_that_cannot_be_stored_stops_no_other(desk: Desk, bad: bytes) -> None:
    """It is kept for a person to look at, and counted; SQLite can hold some that PostgreSQL can
    not.
    """
    before = metrics.RECORDS_REJECTED._value.get()
    desk.write(*_lines("sess_2")[:3], bad, *_lines("sess_2")[3:], *_lines())
    desk.settle()
    assert set(as_stored("sess_1", whole()) + as_stored("sess_2", whole())) <= set(
        stored(desk.database)
    )
    assert desk.rejected() in ([bad], [])
    assert metrics.RECORDS_REJECTED._value.get() - before == len(desk.rejected())
    if not desk.database.is_sqlite:
        assert desk.rejected() == [bad]


def test_a_report_that_fails_for_one_session_stops_no_other(
    database: Database, folder: Path
) -> None:
    """That session's records are kept for a person."""
    desk = Desk(database, folder)

    def fail(_connection: sa.Connection, event: object) -> None:
        if "sess_2" in str(event):
            raise LookupError("no such thing")

    desk.applier = Applier(database, desk.claim, fail)
    desk.start()
    desk.write(*_lines(), *_lines("sess_2"), *_lines("sess_3"))
    desk.settle()
    assert stored(database) == as_stored("sess_1", whole()) + as_stored("sess_3", whole())
    assert desk.rejected() == _lines("sess_2")
    desk.close()


def test_a_mistake_of_ours_is_an_outage_and_no_reason_to_reject_anything(
    desk: Desk, database: Database
) -> None:
    """Here the table is missing; once it is back, all is applied. It is logged once, without what
    was said.
    """
    rename = "ALTER TABLE session_records RENAME TO {}".format
    database.now(lambda connection: connection.execute(sa.text(rename("elsewhere"))))
    before = metrics.DATABASE_OUTAGES._value.get()
    is_told = threading.Event()

    def tell(_logger: object, _name: str, entry: EventDict) -> EventDict:
        is_told.set()
        return entry

    with structlog.testing.capture_logs(processors=[tell]) as logs:
        desk.write(_line("sess_1", started()), _line("sess_1", said(1, "my secret")))
        assert is_told.wait(30)
        back = sa.text("ALTER TABLE elsewhere RENAME TO session_records")
        database.now(lambda connection: connection.execute(back))
        desk.settle()
    assert [entry["event"] for entry in logs] == [
        "records cannot be applied: calls go on, and the spool keeps them",
        "records are applied again",
    ]
    assert "secret" not in str(logs)
    assert metrics.DATABASE_OUTAGES._value.get() - before == 1
    assert stored(database) == as_stored("sess_1", [started(), said(1)])
    assert desk.rejected() == []


def test_a_line_longer_than_a_batch_is_applied(desk: Desk) -> None:
    """One megabyte, in the midst of others."""
    records: list[AnyRecord] = [started(), said(1, "x" * 1_000_000), said(2)]
    desk.write(*(_line("sess_1", record) for record in records))
    desk.settle()
    assert stored(desk.database) == as_stored("sess_1", records)
    size = sa.select(sa.func.max(sa.func.length(sa.cast(session_records.c.body, sa.Text))))
    assert desk.database.now(lambda connection: connection.execute(size).scalar_one()) > 1_000_000


def test_what_waits_is_counted(desk: Desk) -> None:
    """In bytes, for the operator."""
    before = metrics.SPOOL_BYTES._value.get()
    metrics.SPOOL_BYTES.inc(sum(map(len, _lines())))
    desk.write(*_lines())
    desk.settle()
    assert metrics.SPOOL_BYTES._value.get() == before
