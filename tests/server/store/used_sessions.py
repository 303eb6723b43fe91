"""Sessions and what they used, as a ledger writes them."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from antiphon_server.store.database import Database
from antiphon_server.store.tables import sessions, usage

DAY = 86_400.0
FIRST = 20_000 * DAY
"""The first moment of a day: 2024-10-04."""


class Row(NamedTuple):
    """A row of usage: 1.5 s, 10 and 20 tokens, 100 characters."""

    account: str
    session: str
    at: float
    key_id: str | None = None


def write(database: Database, *rows: Row) -> None:
    """Puts usage rows into a database, numbered by session, and the sessions themselves."""
    database.now(lambda connection: _write(connection, rows))


def _write(connection: sa.Connection, rows: tuple[Row, ...]) -> None:
    seqs: dict[str, int] = {}
    for row in rows:
        seq = seqs[row.session] = seqs.get(row.session, -1) + 1
        if seq == 0:
            connection.execute(
                sa.insert(sessions).values(
                    id=row.session, account=row.account, key_id=row.key_id, node="n",
                    status="created", config={}, created_at=row.at,
                )
            )  # fmt: skip
        connection.execute(
            sa.insert(usage).values(
                session_id=row.session, seq=seq, account=row.account, key_id=row.key_id,
                connected_seconds=1.5, prompt_tokens=10, completion_tokens=20, characters=100,
                at=row.at,
            )
        )  # fmt: skip
