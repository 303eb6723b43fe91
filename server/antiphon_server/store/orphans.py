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
    for session_id in ids:
        ended = _lost(connection, session_id)
        apply(connection, "", [Line(session_id, ended)], on_event)


def _lost(connection: sa.Connection, session_id: str) -> Ended:
    columns = session_records.c
    last = (
        sa.select(columns.seq, columns.at)
        .where(columns.session_id == session_id)
        .order_by(columns.seq.desc())
        .limit(1)
    )
    started = sa.select(sessions.c.created_at).where(sessions.c.id == session_id)
    began_at = connection.execute(started).scalar_one()
    record = connection.execute(last).first()
    at = began_at if record is None else max(began_at, record.at)
    return Ended(
        seq=0 if record is None else record.seq + 1,
        at=at,
        reason="lost",
        public_reason="error",
        duration_seconds=round(at - began_at, 3),
        audio_seconds=None,
    )
