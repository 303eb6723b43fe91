"""Migrations: what they make, and that several servers may start at once."""

import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from antiphon_server.store import migrate, tables
from antiphon_server.store.database import Database, Unreachable
from postgres import Postgres

UPGRADE = """
import sys
from antiphon_server.store.database import Database
from antiphon_server.store.migrate import upgrade
database = Database(sys.argv[1])
print("here", flush=True)
sys.stdin.readline()
upgrade(database)
database.dispose()
"""


def _names(database: Database) -> set[str]:
    return set(database.now(lambda connection: sa.inspect(connection).get_table_names()))


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/new/folder/antiphon.db"
    server: Postgres = request.getfixturevalue("postgres")
    return server.create(f"empty_{tmp_path.name}")


def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    """Whoever changes a table and forgets its revision is told the difference."""

    def differences(connection: sa.Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return list(compare_metadata(context, tables.metadata))

    assert database.now(differences) == []


def test_an_empty_database_gets_all_tables(empty_url: str) -> None:
    """Also in a folder that is not there yet."""
    database = Database(empty_url)
    migrate.upgrade(database)
    assert _names(database) == set(tables.metadata.tables) | {"alembic_version"}
    database.dispose()


def test_an_upgrade_that_was_done_changes_nothing(database: Database) -> None:
    """Every start of the server does it; what is stored stays."""
    key = {"id": "key_1", "account": "a", "name": "n", "digest": b"d", "scopes": []}
    database.now(
        lambda connection: connection.execute(
            sa.insert(tables.api_keys).values(**key, origins=[], created_at=1.0)
        )
    )
    migrate.upgrade(database)
    query = sa.select(tables.api_keys.c.id)
    assert database.now(lambda connection: connection.execute(query).scalars().all()) == ["key_1"]


def test_the_newest_revision_is_the_one_that_is_looked_for() -> None:
    """A server whose database has it does not even load what makes migrations."""
    scripts = ScriptDirectory.from_config(migrate.configuration())
    assert scripts.get_current_head() == migrate.NEWEST


def test_several_processes_may_upgrade_at_once(empty_url: str) -> None:
    """One does it and the other waits for it: none fails, none does it again."""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", UPGRADE, empty_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "here\n"
    told = [child.communicate("go\n", timeout=60)[1] for child in children]
    assert [(child.returncode, text) for child, text in zip(children, told, strict=True)] == [
        (0, "")
    ] * 2
    database = Database(empty_url)
    assert set(tables.metadata.tables) <= _names(database)
    database.dispose()


def test_a_database_of_a_newer_version_is_refused(database: Database) -> None:
    """It is left as it is, and the message says what to do."""
    database.now(
        lambda connection: connection.execute(
            sa.text("UPDATE alembic_version SET version_num = '9999'")
        )
    )
    with pytest.raises(migrate.NewerDatabase, match=r"revision 9999; .* restore a backup"):
        migrate.upgrade(database)
    query = sa.text("SELECT version_num FROM alembic_version")
    assert database.now(lambda connection: connection.execute(query).scalar()) == "9999"


def test_a_failed_upgrade_leaves_what_there_was(empty_url: str) -> None:
    """Here a table of that name exists already, which Antiphon did not make."""
    database = Database(empty_url)
    database.now(lambda connection: connection.execute(sa.text("CREATE TABLE usage (id INTEGER)")))
    with pytest.raises(migrate.UnfitDatabase, match=r"already exists\): use a database of Anti"):
        migrate.upgrade(database)
    assert _names(database) == {"usage"}
    database.dispose()


def test_a_table_that_is_gone_is_missed(database: Database) -> None:
    """Not at the first call: the server says at the start which, and what to do."""
    database.now(lambda connection: connection.execute(sa.text("DROP TABLE idempotency")))
    with pytest.raises(migrate.UnfitDatabase, match=r"\(idempotency\): restore a backup"):
        migrate.upgrade(database)


def test_a_user_who_may_not_use_the_tables_is_told(postgres: Postgres) -> None:
    """In PostgreSQL's words, without the password of the URL."""
    url = postgres.create("of_somebody_else")
    owner = Database(url)
    migrate.upgrade(owner)
    owner.now(lambda connection: connection.execute(sa.text("CREATE ROLE visitor LOGIN")))
    visitor = Database(url.replace("//antiphon@", "//visitor:canary@"))
    with pytest.raises(migrate.UnfitDatabase, match=r"permission denied .* who owns it") as refused:
        migrate.upgrade(visitor)
    assert "canary" not in str(refused.value)
    visitor.dispose()
    owner.dispose()
    postgres.drop("of_somebody_else")


def test_a_database_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    """As for all other work, so that the server says it in the same words."""
    database = Database(f"postgresql://nobody@/none?host={tmp_path}")
    with pytest.raises(Unreachable):
        migrate.upgrade(database)
    database.dispose()
