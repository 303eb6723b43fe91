"""Sessions as the database has them: to be read, and to be deleted for good.

A deleted session keeps its id, its times and its usage, which is billed; all that was said in
it, its configuration and its audio go. Source: voice agent protocol, section 6.3.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from antiphon_protocol.rest_sessions import SessionStatus
from antiphon_server.call.records import AnyRecord
from antiphon_server.store import summaries
from antiphon_server.store.applying import record_of
from antiphon_server.store.artifacts import Known, Register
from antiphon_server.store.database import Database
from antiphon_server.store.tables import session_records, sessions

_s = sessions.c


def of_account(
    account: str, status: SessionStatus | None = None, agent_id: str | None = None
) -> sa.Select[Any]:
    """The sessions of an account, for ``store.pages``."""
    query = sa.select(sessions).where(_s.account == account, _s.deleted_at.is_(None))
    if status is not None:
        query = query.where(_s.status == status)
    if agent_id is not None:
        # PostgreSQL's text has no U+0000, and takes none to compare with.
        query = query.where(sa.false() if "\0" in agent_id else _s.agent_id == agent_id)
    return query


def find(connection: sa.Connection, account: str, session_id: str) -> sa.Row[Any] | None:
    """A session of an account."""
    return connection.execute(of_account(account).where(_s.id == session_id)).first()


def find_ended(connection: sa.Connection, session_id: str) -> sa.Row[Any] | None:
    """A session that has ended, of any account: for whoever holds a link that was signed here."""
    query = sa.select(sessions).where(
        _s.id == session_id, _s.deleted_at.is_(None), _s.status == "completed"
    )
    return connection.execute(query).first()


def records(connection: sa.Connection, session_id: str) -> list[AnyRecord]:
    """All records of a session, in order."""
    columns = session_records.c
    query = sa.select(session_records).where(columns.session_id == session_id)
    return [record_of(row) for row in connection.execute(query.order_by(columns.seq))]


def delete(connection: sa.Connection, account: str, session_id: str, now: float) -> bool:
    """Deletes a session of an account, but for its audio; whether there was one."""
    found = find(connection, account, session_id)
    if found is not None:
        _delete(connection, [session_id], now)
    return found is not None


def delete_ended_before(connection: sa.Connection, moment: float, now: float, most: int) -> int:
    """Deletes sessions of all accounts that ended before a moment, but for their audio; returns
    how many there were, at most ``most``. Times are Unix seconds.
    """
    query = (
        sa.select(_s.id)
        .where(_s.deleted_at.is_(None), _s.status == "completed", _s.ended_at < moment)
        .order_by(_s.ended_at)
        .limit(most)
    )
    ids = list(connection.execute(query).scalars())
    _delete(connection, ids, now)
    return len(ids)


def with_audio_to_delete(
    connection: sa.Connection, most: int, session_id: str | None = None
) -> list[str]:
    """Deleted sessions whose audio is still there: of all, or only this one."""
    query = sa.select(_s.id).where(
        _s.deleted_at.is_not(None), _s.status == "completed", _s.recording.is_not(None)
    )
    if session_id is not None:
        query = query.where(_s.id == session_id)
    return list(connection.execute(query.order_by(_s.id).limit(most)).scalars())


def forget_audio(connection: sa.Connection, session_id: str) -> None:
    """The audio of a deleted session is gone."""
    gone = sa.update(sessions).where(_s.id == session_id, _s.deleted_at.is_not(None))
    connection.execute(gone.values(recording=None))


def register_recording(
    connection: sa.Connection, session_id: str, recorded: dict[str, Any]
) -> Known:
    """Writes down what the recording of a session holds that ended without it.

    A session that has not ended yet is not known yet: its end would overwrite this.
    """
    query = sa.select(_s.status, _s.deleted_at).where(_s.id == session_id)
    row = connection.execute(query).first()
    if row is None or row.status != "completed":
        return "unknown"
    if row.deleted_at is not None:
        return "deleted"
    known = sa.update(sessions).where(_s.id == session_id, _s.recording.is_(None))
    connection.execute(known.values(recording=recorded))
    return "known"


def registrar(database: Database) -> Register:
    """``register_recording`` for the event loop; raises ``Unreachable``."""

    async def register(session_id: str, recorded: dict[str, Any]) -> Known:
        return await database.write(
            lambda connection: register_recording(connection, session_id, recorded)
        )

    return register


def _delete(connection: sa.Connection, ids: list[str], now: float) -> None:
    connection.execute(sa.delete(session_records).where(session_records.c.session_id.in_(ids)))
    summaries.forget(connection, ids)
    gone = sa.update(sessions).where(_s.id.in_(ids))
    connection.execute(gone.values(deleted_at=now, config={}))
    # The end of a live one still has to be reported to it.
    connection.execute(gone.where(_s.status == "completed").values(webhook=None))
