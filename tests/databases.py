"""The fixtures `database` and `database_url`: a test that asks for one runs on SQLite and on
PostgreSQL, each time with an empty database that has all tables.

tests/conftest.py makes them known to every test.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from antiphon_server.store.database import Database
from antiphon_server.store.migrate import upgrade
from antiphon_server.store.tables import metadata
from postgres import Postgres

TEMPLATE = "antiphon_template"

_COLUMNS = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' ORDER BY 1, 2
"""
_CUT_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Shelf:
    """Databases with all tables that may be used again: emptying one takes a tenth of the time
    that copying one takes.
    """

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._free: list[str] = []
        self._made = 0
        _upgrade(server.create(TEMPLATE))
        self._intact = _state(server.url(TEMPLATE))

    def take(self) -> str:
        """Return the name of an empty database."""
        if self._free:
            return self._free.pop()
        self._made += 1
        name = f"test_{self._made}"
        self._server.create(name, template=TEMPLATE)
        return name

    def put_back(self, name: str) -> None:
        """Empty a database; one whose tables a test has changed is deleted."""
        url = self._server.url(name)
        tables = sql.SQL(", ").join(map(sql.Identifier, metadata.tables))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_CUT_OTHERS)
            is_intact = _state(url) == self._intact
            if is_intact:
                connection.execute(sql.SQL("TRUNCATE {}").format(tables))
        if is_intact:
            self._free.append(name)
        else:
            self._server.drop(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL for all tests."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def postgres_shelf(postgres: Postgres) -> Shelf:
    """Databases with all tables in it."""
    return Shelf(postgres)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    _upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database with all tables."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        yield f"sqlite:///{shutil.copy(template, tmp_path / 'antiphon.db')}"
        return
    shelf = request.getfixturevalue("postgres_shelf")
    name = shelf.take()
    yield request.getfixturevalue("postgres").url(name)
    shelf.put_back(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An empty database with all tables."""
    opened = Database(database_url)
    yield opened
    opened.dispose()


def _upgrade(url: str) -> None:
    opened = Database(url)
    upgrade(opened)
    opened.dispose()


def _state(url: str) -> list[tuple[object, ...]]:
    """The columns of all tables, and the revision."""
    with psycopg.connect(url) as connection:
        revision = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        return [*revision, *connection.execute(_COLUMNS).fetchall()]


@pytest.fixture
def away() -> Iterator[Postgres]:
    """A PostgreSQL of a test's own, which it may stop and start."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.remove()
