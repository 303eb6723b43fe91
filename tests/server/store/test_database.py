"""The database: transactions, threads, and clear words when it cannot be used."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from antiphon_server.store import database as database_module
from antiphon_server.store.database import Database, Unreachable
from antiphon_server.store.tables import api_keys
from postgres import Postgres

COUNT = sa.select(sa.func.count()).select_from(api_keys)


def _insert(connection: sa.Connection, name: str) -> None:
    row = {"id": name, "account": "a", "name": name, "digest": b"", "scopes": [], "origins": []}
    connection.execute(sa.insert(api_keys).values(**row, created_at=1.0))


def _count(connection: sa.Connection) -> int:
    return connection.execute(COUNT).scalar_one()


def _scalar(query: sa.Executable, connection: sa.Connection) -> object:
    return connection.execute(query).scalar()


async def test_work_that_returns_is_committed(database: Database) -> None:
    """And what it returns comes back."""
    await database.write(lambda connection: _insert(connection, "one"))
    assert await database.read(_count) == 1


async def test_work_that_raises_changes_nothing(database: Database) -> None:
    """The error is the work's own."""

    def fail(connection: sa.Connection) -> None:
        _insert(connection, "one")
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(fail)
    assert await database.read(_count) == 0


async def test_a_mistake_in_the_work_is_not_called_unreachable(database: Database) -> None:
    """A statement that is wrong, or a rule that it breaks, is a bug and not an outage."""
    with pytest.raises(sa.exc.DBAPIError):
        await database.read(lambda connection: connection.execute(sa.text("SELECT no_such")))
    await database.write(lambda connection: _insert(connection, "one"))
    with pytest.raises(sa.exc.IntegrityError):
        await database.write(lambda connection: _insert(connection, "one"))


async def test_work_does_not_hold_the_loop(database: Database) -> None:
    """It runs on another thread, and several at a time."""
    meeting = threading.Barrier(3)

    def meet(_connection: sa.Connection) -> str:
        meeting.wait(timeout=30)
        return threading.current_thread().name

    names = await asyncio.gather(*(database.read(meet) for _ in range(3)))
    assert len(set(names)) == 3
    assert threading.current_thread().name not in names


async def test_many_writers_take_turns(database: Database) -> None:
    """Each one's work is done, also if another reads first and writes then."""

    def count_and_insert(number: int, connection: sa.Connection) -> None:
        _count(connection)
        _insert(connection, f"key {number}")

    works = [partial(count_and_insert, number) for number in range(40)]
    await asyncio.gather(*(database.write(work) for work in works))
    assert await database.read(_count) == 40


def test_the_file_and_its_folder_are_for_this_user_only(tmp_path: Path) -> None:
    """Both are made; transcripts are in the file."""
    database = Database(f"sqlite:///{tmp_path}/data/antiphon.db")
    database.now(lambda connection: connection.execute(sa.text("CREATE TABLE t (x)")))
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    for file in (tmp_path / "data").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    database.dispose()


def test_what_was_committed_outlives_a_power_cut(tmp_path: Path) -> None:
    """SQLite syncs each commit (synchronous = FULL), as PostgreSQL does by itself."""
    database = Database(f"sqlite:///{tmp_path}/antiphon.db")
    for pragma, value in {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}.items():
        assert database.now(partial(_scalar, sa.text(f"PRAGMA {pragma}"))) == value
    database.dispose()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "cannot be read"),
        ("no url with a secret", "cannot be read"),
        ("postgresql://user:secret@host:port/name", "cannot be read"),
        ("postgresql://user:pass@secret@host/name", "in a password write %40 for @"),
        ("mysql://user:secret@host/name", "mysql:// is no database that can be used"),
        ("sqlite://", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
        ("sqlite:////proc/none/antiphon.db", "/proc/none cannot be made"),
    ],
)
def test_a_url_that_can_never_be_used_is_told_at_once(url: str, told: str) -> None:
    """With what it should look like, and without a password."""
    with pytest.raises(Unreachable, match=told) as refused:
        Database(url)
    assert "secret" not in str(refused.value)


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    """With its name; it is left as it is."""
    file = tmp_path / "notes.txt"
    file.write_text("not a database " * 100)
    database = Database(f"sqlite:///{file}")
    with pytest.raises(Unreachable, match=r"notes\.txt: file is not a database: restore a"):
        database.now(_count)
    assert file.read_text().startswith("not a database")
    database.dispose()


def test_a_database_that_may_only_be_read_is_told(sqlite_template: Path) -> None:
    """What is read from it is answered, what is written to it is refused as an outage."""
    database = Database(f"sqlite:///file:{sqlite_template}?mode=ro&uri=true")
    assert database.now(_count, writes=False) == 0
    with pytest.raises(Unreachable, match="readonly"):
        database.now(lambda connection: _insert(connection, "one"), writes=False)
    database.dispose()


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    """After the start, too."""
    database = Database(f"sqlite:///{tmp_path}/data/antiphon.db")
    (tmp_path / "data/antiphon.db").unlink()
    (tmp_path / "data").rmdir()
    with pytest.raises(Unreachable, match="unable to open"):
        database.now(_count)
    database.dispose()


def test_another_process_that_writes_for_too_long_is_told(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an outage: it can be tried again."""
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.05)
    file = tmp_path / "antiphon.db"
    file.write_bytes(sqlite_template.read_bytes())
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    database = Database(f"sqlite:///{file}")
    with pytest.raises(Unreachable, match="locked"):
        database.now(lambda connection: _insert(connection, "one"))
    other.execute("COMMIT")
    other.close()
    database.now(lambda connection: _insert(connection, "one"))
    database.dispose()


def test_a_server_that_does_not_answer_is_told_without_the_password() -> None:
    """The address is, so that the operator knows which."""
    database = Database("postgres://user:secret@127.0.0.1:1/name")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1/name: .*refused") as refused:
        database.now(_count)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value), "a log has one line for each event"
    database.dispose()


def test_an_option_that_there_is_not_is_told_without_a_password_among_the_others() -> None:
    """A mistake in the URL, so the server must say so instead of breaking off."""
    database = Database("postgresql://user@127.0.0.1:1/name?colour=red&password=secret")
    with pytest.raises(Unreachable, match='/name: invalid connection option "colour"') as refused:
        database.now(lambda connection: connection.execute(sa.text("SELECT 1")))
    assert "secret" not in str(refused.value)
    database.dispose()


def test_a_database_that_does_not_exist_is_told(postgres: Postgres) -> None:
    """In PostgreSQL's own words."""
    database = Database(postgres.url("none"))
    with pytest.raises(Unreachable, match='"none" does not exist'):
        database.now(_count)
    database.dispose()


def test_a_server_that_comes_back_is_used_again() -> None:
    """Connections that died with it are not."""
    server = Postgres()
    server.start()
    database = Database(server.url())
    one = partial(_scalar, sa.select(sa.literal(1)))
    assert database.now(one) == 1
    server.stop()
    with pytest.raises(Unreachable):
        database.now(one)
    server.start()
    assert database.now(one) == 1
    database.dispose()
    server.remove()


async def test_an_end_does_not_wait_for_a_server_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever waits for an answer fails then; nothing is left running."""
    monkeypatch.setattr(database_module, "END_SECONDS", 0.1)
    server = Postgres()
    server.start()
    database = Database(server.url())
    begun, paused = threading.Event(), threading.Event()

    def ask(connection: sa.Connection) -> object:
        begun.set()
        assert paused.wait(30)
        return _scalar(sa.text("SELECT 1"), connection)

    asking = asyncio.ensure_future(database.read(ask))
    assert await asyncio.to_thread(begun.wait, 30)
    server.pause()
    paused.set()
    await database.close()
    with pytest.raises(Unreachable):
        await asking
    server.remove()


def test_postgresql_without_its_driver_says_what_to_install() -> None:
    """The extra `postgres` has it."""
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from antiphon_server.store.database import Database\n"
        "Database('postgresql://user:secret@host/name')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "pip install 'antiphon[postgres]'" in done.stderr.splitlines()[-1]
