"""The PostgreSQL of the tests: it starts, keeps what it has over a stop, and leaves nothing."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import psycopg
import pytest

import postgres as postgres_module
from postgres import Postgres, PostgresMissing, is_open, programs


def test_databases_come_and_go(postgres: Postgres) -> None:
    """Each a copy of another; one is deleted though somebody is connected to it."""
    with psycopg.connect(postgres.create("first"), autocommit=True) as connection:
        connection.execute("CREATE TABLE things (name TEXT)")
    with psycopg.connect(postgres.create("second", template="first")) as connection:
        assert connection.execute("SELECT count(*) FROM things").fetchone() == (0,)
        postgres.drop("second")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    postgres.drop("first")
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(postgres.url("first"))


def test_what_it_has_outlives_a_stop_and_nothing_outlives_its_removal() -> None:
    """Stopping twice is no mistake."""
    server = Postgres()
    server.start()
    url = server.create("kept")
    server.stop()
    server.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)
    server.start()
    psycopg.connect(url).close()
    server.remove()
    assert not server.folder.exists()


def test_one_that_is_paused_answers_nobody_until_it_is_resumed() -> None:
    """Whoever is connected already waits, too; and it can be removed while it hangs."""
    server = Postgres()
    server.start()
    with psycopg.connect(server.url()) as connection, ThreadPoolExecutor(1) as thread:
        server.pause()
        answer = thread.submit(connection.execute, "SELECT 1")
        assert wait([answer], timeout=0.2).not_done == {answer}
        server.resume()
        assert answer.result(30).fetchone() == (1,)
    server.pause()
    server.remove()
    assert not server.folder.exists()


def test_a_machine_without_it_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is skipped for that."""
    monkeypatch.setattr(postgres_module, "INSTALLED", tmp_path)
    monkeypatch.setattr(postgres_module, "UNPACKED", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PostgresMissing, match="scripts/test fetches it"):
        programs()


@pytest.mark.parametrize(
    ("versions", "newest"), [(("9.6", "15"), "15"), (("17", "9"), "17"), (("x", "14"), "14")]
)
def test_the_newest_version_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, versions: tuple[str, ...], newest: str
) -> None:
    """By number."""
    for version in versions:
        folder = tmp_path / "usr/lib/postgresql" / version / "bin"
        folder.mkdir(parents=True)
        (folder / "initdb").touch()
    monkeypatch.setattr(postgres_module, "INSTALLED", tmp_path)
    monkeypatch.setattr(postgres_module, "UNPACKED", tmp_path)
    assert programs().parent.name == newest


def test_a_server_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """In its own words, and it leaves no folder that nobody removes."""
    monkeypatch.setitem(postgres_module.OPTIONS, "shared_buffers", "none")
    server = Postgres()
    with pytest.raises(PostgresMissing, match="shared_buffers"):
        server.start()
    server.remove()


def test_programs_where_only_root_may_look_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL is not root when the tests are, and a checkout may lie in root's own folder."""
    private = tmp_path / "private"
    root = Path("/usr") if programs().is_relative_to("/usr") else postgres_module.UNPACKED / "usr"
    for part in ("lib/postgresql", "share/postgresql"):
        shutil.copytree(root / part, private / "usr" / part, symlinks=True)
    private.chmod(0o700)
    assert not is_open(private)
    monkeypatch.setattr(postgres_module, "UNPACKED", private)
    monkeypatch.setattr(postgres_module, "INSTALLED", tmp_path)
    server = Postgres()
    server.start()
    assert (server.folder / "programs").exists() == (os.geteuid() == 0)
    psycopg.connect(server.url()).close()
    server.remove()
