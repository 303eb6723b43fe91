"""The fixtures `database` and `database_url`: a test that asks for one runs on SQLite and on
PostgreSQL, each time with a fresh database that has all tables.

tests/conftest.py makes them known to every test.
"""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon_server.store.database import Database
from antiphon_server.store.migrate import upgrade
from postgres import Postgres

TEMPLATE = "antiphon_template"
_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL for all tests, with `TEMPLATE`; its databases are their own."""
    server = Postgres()
    try:
        server.start()
        _upgrade(server.create(TEMPLATE))
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    _upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh database with all tables."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        yield f"sqlite:///{shutil.copy(template, tmp_path / 'antiphon.db')}"
        return
    server = request.getfixturevalue("postgres")
    name = f"test_{next(_numbers)}"
    yield server.create(name, template=TEMPLATE)
    server.drop(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh database with all tables."""
    opened = Database(database_url)
    yield opened
    opened.dispose()


def _upgrade(url: str) -> None:
    opened = Database(url)
    upgrade(opened)
    opened.dispose()
