"""Sessions whose process died: they are ended, as of the last that is known of them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from antiphon_server.call.records import Ended
from antiphon_server.store.applying import OnEvent, apply
from antiphon_server.store.spool_segment import Line
from antiphon_server.store.tables import session_records, sessions

AT_ONCE = 200


def of_run(connection: sa.Connection, run: str) -> list[str]:
    """The sessions of a run of a server that have not ended."""
    columns = sessions.c
    query = sa.select(columns.id).where(columns.node == run, columns.status == "created")
    return list(connection.execute(query.limit(AT_ONCE)).scalars())


def older_than(connection: sa.Connection, at: float) -> list[str]:
    """The sessions of any server that began before a time (Unix seconds) and have not ended.

    Those of a server whose spool is gone are found by nothing else.
    """
    columns = sessions.c
    query = sa.select(columns.id).where(columns.created_at < at, columns.status == "created")
    return list(connection.execute(query.limit(AT_ONCE)).scalars())


def close(connection: sa.Connection, ids: Sequence[str], on_event: OnEvent) -> None:
    """Ends sessions, with the record and the event that an end has."""
    apply(connection, "", _ends(connection, ids), on_event)


def _ends(connection: sa.Connection, ids: Sequence[str]) -> list[Line]:
    columns = session_records.c
    query = (
        sa.select(
            sessions.c.id,
            sessions.c.created_at,
            sa.func.max(columns.seq).label("seq"),
            sa.func.max(columns.at).label("at"),
        )
        .outerjoin(session_records, columns.session_id == sessions.c.id)
        .where(sessions.c.id.in_(ids))
        .group_by(sessions.c.id, sessions.c.created_at)
    )
    return [
        Line(row.id, _lost(row.created_at, row.seq, row.at)) for row in connection.execute(query)
    ]


def _lost(began_at: float, last_seq: int | None, last_at: float | None) -> Ended:
    at = began_at if last_at is None else max(began_at, last_at)
    return Ended(
        seq=0 if last_seq is None else last_seq + 1,
        at=at,
        reason="lost",
        public_reason="error",
        duration_seconds=round(at - began_at, 3),
        audio_seconds=None,
    )
