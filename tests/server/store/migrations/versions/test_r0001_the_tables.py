"""The first revision: what it makes is in databases out there, and never changes again."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from antiphon_server.store.database import Database
from antiphon_server.store.migrate import configuration


def _upgrade(connection: sa.Connection) -> None:
    scripts = configuration()
    scripts.attributes["connection"] = connection
    command.upgrade(scripts, "0001")


def test_it_makes_the_first_tables_of_an_empty_database(tmp_path: Path) -> None:
    """With the keys that make a record and an event unique."""
    database = Database(f"sqlite:///{tmp_path}/antiphon.db")
    database.now(_upgrade)
    inspected = database.now(lambda connection: _keys(sa.inspect(connection)))
    assert inspected == {
        "agents": ["id"],
        "alembic_version": ["version_num"],
        "api_keys": ["id"],
        "idempotency": ["account", "key", "operation"],
        "session_records": ["session_id", "seq"],
        "sessions": ["id"],
        "usage": ["session_id", "seq"],
        "webhook_deliveries": ["id"],
        "webhook_events": ["id"],
        "webhook_subscriptions": ["id"],
    }
    database.dispose()


def test_it_is_the_first() -> None:
    """Every other one follows it."""
    scripts = ScriptDirectory.from_config(configuration())
    assert scripts.get_base() == "0001"


def _keys(inspector: sa.Inspector) -> dict[str, list[str]]:
    names = inspector.get_table_names()
    return {name: inspector.get_pk_constraint(name)["constrained_columns"] for name in names}
