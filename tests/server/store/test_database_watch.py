"""Whether a database could be written to, found out without writing."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from structlog.testing import capture_logs

from antiphon_server.store.database import Database
from antiphon_server.store.database_watch import AWAY, BEHIND, READ_ONLY, SILENT, DatabaseWatch
from postgres import Postgres
from server.store.limits import largest_file


def watch(database: Database) -> DatabaseWatch:
    """Of a database that takes all records."""
    return DatabaseWatch(database, lambda: False)


def test_a_database_that_may_be_written_is_no_trouble(database: Database) -> None:
    """Of either kind; nothing is written to find out."""
    watched = watch(database)
    watched.ask()
    assert watched.trouble is None


def test_records_that_it_does_not_take_are_trouble(database: Database) -> None:
    """As long as the ledger says so."""
    behind = [True]
    watched = DatabaseWatch(database, lambda: behind[0])
    watched.ask()
    assert watched.trouble == BEHIND
    behind[0] = False
    assert watched.trouble is None


def test_one_that_does_not_answer_is_trouble_until_it_does(database: Database) -> None:
    """Whoever asks says so; the answer takes it back."""
    watched = watch(database)
    watched.silent()
    assert watched.trouble == SILENT
    watched.ask()
    assert watched.trouble is None


def test_a_sqlite_folder_without_room_is_trouble(tmp_path: Path) -> None:
    """Its next write would fail, and the reason is the system's."""
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    watched = watch(database)
    watched.ask()
    with capture_logs(), largest_file(100):
        watched.ask()
        assert watched.trouble in {"the database cannot be written: File too large", AWAY}
    watched.ask()
    assert watched.trouble is None
    database.dispose()


def test_a_file_that_is_no_database_is_trouble(tmp_path: Path) -> None:
    """Without its address: whoever asks needs no key."""
    file = tmp_path / "a.db"
    file.write_bytes(b"no database" * 1_000)
    database = Database(f"sqlite:///{file}")
    watched = watch(database)
    watched.ask()
    assert watched.trouble == AWAY
    database.dispose()


def test_a_postgresql_that_is_stopped_is_away(away: Postgres) -> None:
    """And there again after its start, over a new connection."""
    database = Database(away.url())
    watched = watch(database)
    watched.ask()
    assert watched.trouble is None
    away.stop()
    watched.ask()
    assert watched.trouble == AWAY
    away.start()
    watched.ask()
    assert watched.trouble is None
    database.dispose()


def test_a_postgresql_that_only_reads_is_trouble(away: Postgres) -> None:
    """As a standby does, and one whose operator has closed it."""
    database = Database(away.url())
    database.now(
        lambda connection: connection.execute(
            sa.text("ALTER ROLE antiphon SET default_transaction_read_only = on")
        )
    )
    database.dispose()
    database = Database(away.url())
    watched = watch(database)
    watched.ask()
    assert watched.trouble == READ_ONLY
    database.dispose()
