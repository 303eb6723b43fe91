"""The databases that tests get: empty each time, whatever the test before did."""

import psycopg
import pytest
import sqlalchemy as sa

from antiphon_server.store.database import Database
from antiphon_server.store.tables import api_keys
from databases import Shelf
from postgres import Postgres

INSERT = sa.insert(api_keys).values(
    id="key_1", account="a", name="n", digest=b"", scopes=[], origins=[], created_at=1.0
)


@pytest.mark.parametrize("time", ["first", "second"])
def test_a_database_is_empty_also_after_a_test_that_filled_it(
    database: Database, time: str
) -> None:
    """Both write the same key."""
    del time
    database.now(lambda connection: connection.execute(INSERT))


def test_a_database_that_is_put_back_is_used_again(
    postgres: Postgres, postgres_shelf: Shelf
) -> None:
    """Emptied, though somebody is still connected and has a transaction open."""
    name = postgres_shelf.take()
    database = Database(postgres.url(name))
    database.now(lambda connection: connection.execute(INSERT))
    lingering = psycopg.connect(postgres.url(name))
    lingering.execute("SELECT * FROM api_keys")
    postgres_shelf.put_back(name)
    lingering.close()
    assert postgres_shelf.take() == name
    database.dispose()
    database = Database(postgres.url(name))
    assert database.now(lambda connection: connection.execute(sa.select(api_keys)).all()) == []
    database.dispose()
    postgres_shelf.put_back(name)


@pytest.mark.parametrize(
    "change",
    ["ALTER TABLE agents ADD COLUMN more TEXT", "UPDATE alembic_version SET version_num = '9'"],
)
def test_a_database_whose_tables_were_changed_is_not_used_again(
    postgres: Postgres, postgres_shelf: Shelf, change: str
) -> None:
    """By a test of migrations, say."""
    name = postgres_shelf.take()
    with psycopg.connect(postgres.url(name), autocommit=True) as connection:
        connection.execute(change.encode())
    postgres_shelf.put_back(name)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(postgres.url(name))
