"""What the database has of a session follows from its records.

Each piece is applied once, however often its line comes: rows have the record's own key, and
what a start or an end sets off happens only when the session's row really changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from antiphon_server.call.records import AnyRecord, Ended, Record, Started, Used
from antiphon_server.store import summaries
from antiphon_server.store.spool_segment import Line
from antiphon_server.store.tables import session_records, sessions, usage
from antiphon_server.store.webhook_outbox import SessionEvent

OnEvent = Callable[[sa.Connection, SessionEvent], None]

_COLUMNS = frozenset(Record.__struct_fields__) | {"kind", "webhook"}


class Applied(NamedTuple):
    """A session as the database has it, as far as its records need to know."""

    account: str
    key_id: str | None
    is_deleted: bool


def apply(
    connection: sa.Connection, node: str, lines: Sequence[Line], on_event: OnEvent
) -> list[Line]:
    """Applies lines in their order; answers with those whose session never started.

    ``on_event`` is called in the same transaction, once for each session's start and its end.
    A session that was deleted keeps its times and its usage, and gets no record any more.
    """
    for line in lines:
        if isinstance(line.record, Started):
            _start(connection, node, line.session_id, line.record, on_event)
    known = _known(connection, {line.session_id for line in lines})
    mine = [line for line in lines if line.session_id in known]
    kept = [line for line in mine if not known[line.session_id].is_deleted]
    _insert_missing(connection, session_records, map(_record_row, kept))
    _insert_missing(connection, usage, _usage_rows(mine, known))
    for line in mine:
        if isinstance(line.record, Ended):
            is_new = _end(connection, line.session_id, line.record, on_event)
            if is_new and not known[line.session_id].is_deleted:
                summaries.keep(connection, line.session_id, summary_of(connection, line.session_id))
    return [line for line in lines if line.session_id not in known]


def record_of(row: sa.Row[Any]) -> AnyRecord:
    """The record of a row of ``session_records``."""
    fields = {**row.body, "kind": row.kind, "seq": row.seq, "at": row.at}
    return msgspec.convert(fields, AnyRecord)  # type: ignore[no-any-return]


def summary_of(connection: sa.Connection, session_id: str) -> summaries.Summary:
    """What a session's records come to. One that this version cannot read counts for nothing:
    a session must end all the same.
    """
    columns = session_records.c
    query = (
        sa.select(session_records)
        .where(columns.session_id == session_id, columns.kind.in_(summaries.KINDS))
        .order_by(columns.seq)
    )
    read: list[AnyRecord] = []
    for row in connection.execute(query):
        with suppress(msgspec.ValidationError):
            read.append(record_of(row))
    return summaries.summary(read)


def _record_row(line: Line) -> dict[str, Any]:
    record = msgspec.to_builtins(line.record)
    return {
        "session_id": line.session_id,
        "seq": record["seq"],
        "kind": record["kind"],
        "at": record["at"],
        "body": {name: value for name, value in record.items() if name not in _COLUMNS},
    }


def _usage_rows(lines: Iterable[Line], known: dict[str, Applied]) -> Iterable[dict[str, Any]]:
    for line in lines:
        if isinstance(line.record, Used):
            session = known[line.session_id]
            yield {
                "session_id": line.session_id,
                "account": session.account,
                "key_id": session.key_id,
                **msgspec.structs.asdict(line.record),
            }


def _insert_missing(
    connection: sa.Connection, table: sa.Table, rows: Iterable[dict[str, Any]]
) -> None:
    if values := list(rows):
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), values)


def _insert(connection: sa.Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    is_sqlite = connection.dialect.name == "sqlite"
    return sqlite.insert(table) if is_sqlite else postgresql.insert(table)


def _known(connection: sa.Connection, ids: set[str]) -> dict[str, Applied]:
    columns = sessions.c
    query = sa.select(columns.id, columns.account, columns.key_id, columns.deleted_at)
    return {
        row.id: Applied(row.account, row.key_id, row.deleted_at is not None)
        for row in connection.execute(query.where(columns.id.in_(ids)))
    }


def _start(
    connection: sa.Connection, node: str, session_id: str, record: Started, on_event: OnEvent
) -> None:
    row = {
        "id": session_id,
        "account": record.account,
        "key_id": record.key_id,
        "agent_id": record.agent_id,
        "node": node,
        "status": "created",
        "config": record.config,
        "webhook": record.webhook,
        "created_at": record.at,
    }
    insert = _insert(connection, sessions).values(row)
    added = connection.execute(insert.on_conflict_do_nothing().returning(sessions.c.id))
    if added.first() is not None:
        event = SessionEvent(
            account=record.account,
            session_id=session_id,
            agent_id=record.agent_id,
            kind="session.started",
            payload={"status": "created", "created_at": record.at},
            inline=record.webhook,
            at=record.at,
        )
        on_event(connection, event)


def _end(connection: sa.Connection, session_id: str, record: Ended, on_event: OnEvent) -> bool:
    """Whether it was not known yet."""
    columns = sessions.c
    told = {
        "status": "completed",
        "close_reason": record.reason,
        "public_close_reason": record.public_reason,
        "duration_seconds": record.duration_seconds,
        "ended_at": record.at,
    }
    update = (
        sa.update(sessions)
        .where(columns.id == session_id, columns.ended_at.is_(None))
        .values(**told, audio_seconds=record.audio_seconds, recording=record.recording)
        .returning(columns.account, columns.agent_id, columns.created_at, columns.webhook)
    )
    row = connection.execute(update).first()
    if row is not None:
        payload = {"created_at": row.created_at, "audio_duration_seconds": record.audio_seconds}
        event = SessionEvent(
            account=row.account,
            session_id=session_id,
            agent_id=row.agent_id,
            kind="session.completed",
            payload={**told, **payload},
            inline=row.webhook,
            at=record.at,
        )
        on_event(connection, event)
    return row is not None
