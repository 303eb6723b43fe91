"""The tables, and what their columns can hold."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from antiphon_server.store.database import Database
from antiphon_server.store.tables import agents, metadata

MADE = {"id": "agent_1", "account": "a", "name": "n", "created_at": 1.0, "updated_at": 1.0}


@pytest.mark.parametrize(
    "value",
    [{}, [], "text", 0, 1.5, True, {"a": [1, {"b": None}]}, "\x00 é 😀 \u2028", "x" * 100_000],
)
def test_a_document_comes_back_as_it_was(database: Database, value: Any) -> None:
    """Any JSON value, with characters that a text column of PostgreSQL would refuse."""
    database.now(
        lambda connection: connection.execute(sa.insert(agents).values(**MADE, body=value))
    )
    query = sa.select(agents.c.body)
    assert database.now(lambda connection: connection.execute(query).scalar_one()) == value


def test_every_table_with_what_a_client_owns_names_its_account() -> None:
    """What a query does not ask for it cannot mix up; records and summaries are
    reached through a session.
    """
    without = {name for name, table in metadata.tables.items() if "account" not in table.c}
    assert without == {"session_records", "session_summaries"}
