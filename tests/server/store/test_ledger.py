"""The ledger: what is recorded is durable at once, and in the database soon, whatever happens."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog

from antiphon_protocol.session_config import Webhook
from antiphon_server.call.records import AnyRecord, Recorder
from antiphon_server.security.secrets import Vault
from antiphon_server.store import applier as applier_module
from antiphon_server.store import database as database_module
from antiphon_server.store import ledger as ledger_module
from antiphon_server.store import migrate
from antiphon_server.store.database import Database
from antiphon_server.store.ledger import Ledger
from antiphon_server.store.spool import Unrecorded
from antiphon_server.store.tables import sessions, webhook_deliveries, webhook_events
from antiphon_server.store.webhook_outbox import Outbox, sealed
from postgres import Postgres
from server.store.limits import largest_file
from server.store.talk import NOON, Events, as_stored, counted, ended, said, started, stored, whole


@pytest.fixture
def events() -> Events:
    """What was to be reported."""
    return Events()


@pytest.fixture
def sqlite_copy(sqlite_template: Path, tmp_path: Path) -> Path:
    """A SQLite file with all tables."""
    return Path(shutil.copy(sqlite_template, tmp_path / "antiphon.db"))


@pytest.fixture
async def ledger(database: Database, events: Events, tmp_path: Path) -> AsyncIterator[Ledger]:
    """A ledger that records."""
    ledger = Ledger(database, tmp_path / "spool", "node", events)
    await ledger.start()
    yield ledger
    await ledger.close()


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def _record(recorder: Recorder, session_id: str, records: list[AnyRecord]) -> None:
    await asyncio.gather(*(recorder.record(session_id, record) for record in records))


async def test_what_is_recorded_is_in_the_database_once_it_is_settled(
    ledger: Ledger, database: Database, events: Events
) -> None:
    """Sessions, records, usage and what is to be reported."""
    for name in ("sess_1", "sess_2"):
        await _record(ledger, name, whole())
    assert await ledger.settled(30)
    assert stored(database) == as_stored("sess_1", whole()) + as_stored("sess_2", whole())
    assert counted(database) == [("sess_1", 2), ("sess_2", 2)]
    assert len(events.seen) == 4


async def test_a_start_and_an_end_are_in_the_outbox_of_webhooks(
    database: Database, tmp_path: Path
) -> None:
    """Once, also if their records come again after a crash, each for the session's own webhook."""
    vault = Vault((b"k" * 32,))
    webhook = Webhook("https://example.com/hook", ("session.started", "session.completed"))
    first = started(webhook=sealed(vault, "sess_1", webhook))
    records: list[AnyRecord] = [first, said(1), ended(2)]
    for _ in range(2):
        ledger = Ledger(database, tmp_path / "spool", "node", Outbox(vault).enqueue)
        await ledger.start()
        await _record(ledger, "sess_1", records)
        await ledger.close()
    query = sa.select(webhook_events.c.kind).order_by(webhook_events.c.kind)
    kinds = database.now(lambda connection: connection.execute(query).scalars().all())
    assert kinds == ["session.completed", "session.started"]
    query = sa.select(webhook_deliveries.c.url)
    urls = database.now(lambda connection: connection.execute(query).scalars().all())
    assert urls == ["https://example.com/hook"] * 2
    assert stored(database) == as_stored("sess_1", records)


async def test_it_settles_without_waiting_for_the_futures(
    ledger: Ledger, database: Database
) -> None:
    """What was handed over before counts, durable or not yet."""
    for record in whole():
        ledger.record("sess_1", record)
    assert await ledger.settled(30)
    assert stored(database) == as_stored("sess_1", whole())


async def test_nothing_to_settle_is_settled(ledger: Ledger) -> None:
    """However often it is asked, also several times at once."""
    assert await asyncio.gather(*(ledger.settled(30) for _ in range(10))) == [True] * 10


async def test_many_sessions_at_once_are_in_order(ledger: Ledger, database: Database) -> None:
    """Fifty of them, mixed."""
    names = [f"sess_{number:02}" for number in range(50)]
    for record in whole(20):
        for name in names:
            ledger.record(name, record)
    assert await ledger.settled(60)
    assert stored(database) == [row for name in names for row in as_stored(name, whole(20))]


async def test_an_end_leaves_nothing_behind(
    database: Database, events: Events, tmp_path: Path
) -> None:
    """All is applied, and the folder has no record and no lock."""
    ledger = Ledger(database, tmp_path / "spool", "node", events)
    await ledger.start()
    for record in whole():
        ledger.record("sess_1", record)
    await ledger.close()
    assert stored(database) == as_stored("sess_1", whole())
    assert _names(tmp_path / "spool") == ["gate"]


async def test_a_closed_ledger_takes_no_record(database: Database, tmp_path: Path) -> None:
    """It says so; it is settled, and may be closed again."""
    ledger = Ledger(database, tmp_path / "spool", "node", Events())
    with pytest.raises(Unrecorded, match="closed"):
        await ledger.record("sess_1", started())
    await ledger.start()
    await ledger.close()
    await ledger.close()
    with pytest.raises(Unrecorded, match="closed"):
        await ledger.record("sess_1", started())
    assert await ledger.settled(0)


async def test_a_folder_that_cannot_be_used_is_told_at_the_start(
    database: Database, tmp_path: Path
) -> None:
    """Before any call."""
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OSError, match="file"):
        await Ledger(database, tmp_path / "file" / "spool", "node", Events()).start()


async def test_servers_may_share_a_folder_and_a_database(
    ledger: Ledger, database: Database, events: Events, tmp_path: Path
) -> None:
    """Neither touches the records, nor the open sessions, of the other."""
    await _record(ledger, "sess_1", [started()])
    other = Ledger(database, tmp_path / "spool", "node", events)
    await other.start()
    await _record(other, "sess_2", whole())
    await _record(ledger, "sess_1", whole()[1:])
    await other.close()
    assert await ledger.settled(30)
    assert stored(database) == as_stored("sess_1", whole()) + as_stored("sess_2", whole())
    assert len(events.seen) == 4


async def test_sessions_of_a_spool_that_is_gone_can_be_ended(
    ledger: Ledger, events: Events
) -> None:
    """By their age."""
    await _record(ledger, "sess_1", [started(), said(1)])
    await _record(ledger, "sess_2", [started(at=NOON + 1000)])
    assert await ledger.settled(30)
    assert await ledger.close_orphans(before=NOON + 500) == 1
    assert await ledger.close_orphans(before=NOON + 500) == 0
    assert events.kinds[2:] == [("sess_1", "session.completed")]


async def test_a_database_that_goes_and_comes_back_loses_nothing(tmp_path: Path) -> None:
    """Calls go on: their records are durable all the while. It is logged once, not every try."""
    server = Postgres()
    server.start()
    database = Database(server.url())
    migrate.upgrade(database)
    ledger = Ledger(database, tmp_path, "node", Events())
    await ledger.start()
    await _record(ledger, "sess_1", whole()[:2])
    assert await ledger.settled(30)
    server.stop()
    with structlog.testing.capture_logs() as logs:
        for number in range(20):
            await ledger.record("sess_1", said(10 + number))
            assert not await ledger.settled(0.01)
        assert ledger.is_behind
        server.start()
        await _record(ledger, "sess_1", [ended(30)])
        assert await ledger.settled(30)
        assert not ledger.is_behind
    records = [*whole()[:2], *(said(10 + number) for number in range(20)), ended(30)]
    assert stored(database) == as_stored("sess_1", records)
    assert [entry["event"] for entry in logs] == [
        "records cannot be applied: calls go on, and the spool keeps them",
        "records are applied again",
    ]
    await ledger.close()
    database.dispose()
    server.remove()


async def test_a_file_that_another_program_writes_to_loses_nothing(
    sqlite_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while somebody looks into it with a tool; here for longer than a writer waits."""
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.05)
    database = Database(f"sqlite:///{sqlite_copy}")
    ledger = Ledger(database, tmp_path / "spool", "node", Events())
    await ledger.start()
    other = sqlite3.connect(sqlite_copy, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    await _record(ledger, "sess_1", whole())
    assert not await ledger.settled(0.3)
    other.execute("ROLLBACK")
    other.close()
    assert await ledger.settled(30)
    assert stored(database) == as_stored("sess_1", whole())
    await ledger.close()
    database.dispose()


async def test_a_server_that_ends_without_its_database_leaves_the_records_to_the_next(
    tmp_path: Path, events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not wait for ever; the next start applies them."""
    monkeypatch.setattr(ledger_module, "CLOSE_SECONDS", 0.1)
    server = Postgres()
    server.start()
    database = Database(server.url())
    migrate.upgrade(database)
    first = Ledger(database, tmp_path, "node", events)
    await first.start()
    server.stop()
    await _record(first, "sess_1", whole()[:2])
    await first.close()
    for name in ("sess_2", "sess_3"):
        following = Ledger(database, tmp_path, "node", events)
        await following.start()
        await _record(following, name, whole())
        await following.close()
    server.start()
    last = Ledger(database, tmp_path, "node", events)
    await last.start()
    await last.close()
    assert stored(database) == [
        *as_stored("sess_1", [*whole()[:2], ended(2)]),
        *as_stored("sess_2", whole()),
        *as_stored("sess_3", whole()),
    ]
    assert _names(tmp_path) == ["gate"]
    database.dispose()
    server.remove()


@pytest.mark.parametrize("is_closing", [False, True])
async def test_an_end_that_is_hurried_waits_no_more_for_the_database(
    sqlite_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_closing: bool
) -> None:
    """Whether it waits already or not; the records wait instead."""
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(ledger_module, "CLOSE_SECONDS", 3_600.0)
    database = Database(f"sqlite:///{sqlite_copy}")
    ledger = Ledger(database, tmp_path / "spool", "node", Events())
    await ledger.start()
    with closing(sqlite3.connect(sqlite_copy, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await _record(ledger, "sess_1", whole())
        if not is_closing:
            ledger.hurry()
        end = asyncio.create_task(ledger.close())
        await asyncio.sleep(0)
        ledger.hurry()
        await end
        assert any(name.endswith(".jsonl") for name in _names(tmp_path / "spool"))
        other.execute("ROLLBACK")
    following = Ledger(database, tmp_path / "spool", "node", Events())
    await following.start()
    await following.close()
    assert stored(database) == as_stored("sess_1", whole())
    database.dispose()


async def test_an_end_does_not_wait_for_a_database_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cut off, and the records wait for the next start."""
    monkeypatch.setattr(ledger_module, "CLOSE_SECONDS", 0.1)
    monkeypatch.setattr(applier_module, "HANG_SECONDS", 0.1)
    server = Postgres()
    server.start()
    database = Database(f"{server.url()}&connect_timeout=2")
    migrate.upgrade(database)
    ledger = Ledger(database, tmp_path, "node", Events())
    await ledger.start()
    await _record(ledger, "sess_1", whole()[:1])
    assert await ledger.settled(30)
    server.pause()
    await _record(ledger, "sess_1", whole()[1:])
    await ledger.close()
    server.resume()
    following = Ledger(database, tmp_path, "node", Events())
    await following.start()
    await following.close()
    assert stored(database) == as_stored("sess_1", whole())
    database.dispose()
    server.remove()


async def test_a_full_disk_fails_records_and_no_call(ledger: Ledger, database: Database) -> None:
    """Those that were durable before are stored, and those after."""
    await ledger.record("sess_1", started())
    assert await ledger.settled(30)
    with largest_file(900_000):
        with pytest.raises(Unrecorded, match="cannot be written"):
            await ledger.record("sess_1", said(1, "x" * 1_000_000))
        await ledger.record("sess_1", said(2))
        assert ledger.disk.trouble == "records of calls cannot be written: File too large"
    await ledger.record("sess_1", said(3))
    await asyncio.to_thread(ledger.disk.ask)
    assert ledger.disk.trouble is None
    assert await ledger.settled(30)
    assert stored(database) == as_stored("sess_1", [started(), said(2), said(3)])


@pytest.mark.parametrize("text", ["\0", "😀\u2028\ufffe", "x" * 1_000_000])
async def test_whatever_is_said_is_recorded(ledger: Ledger, database: Database, text: str) -> None:
    """On its whole way."""
    await _record(ledger, "sess_1", [started(config={"prompt": text}), said(1, text), ended(2)])
    assert await ledger.settled(30)
    query = sa.select(sessions.c.config)
    assert database.now(lambda connection: connection.execute(query).scalar()) == {"prompt": text}
    assert len(stored(database)) == 3
