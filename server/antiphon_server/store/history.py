"""The sessions of an account as the console lists and searches them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct

from antiphon_protocol.rest import TOKEN_SESSION_SECONDS
from antiphon_protocol.rest_sessions import SessionStatus
from antiphon_server.call.records import AnyRecord
from antiphon_server.store import summaries
from antiphon_server.store.applying import record_of, summary_of
from antiphon_server.store.database import Database
from antiphon_server.store.pages import Paging, paged
from antiphon_server.store.stage_times import Point, Span, percentiles
from antiphon_server.store.tables import agents, session_records, session_summaries, sessions

MOST_WORDS = 10
"""What is searched for at once; the last of them is the rest, as it is."""
FILL_AT_ONCE = 20
"""In one transaction, so that calls do not wait for it."""
FILL_PAUSE_SECONDS = 0.05
LONGEST_SECONDS = TOKEN_SESSION_SECONDS[1]
"""No session lasts longer."""

_s, _m = sessions.c, session_summaries.c


class Wanted(Struct, frozen=True, kw_only=True):
    """Which sessions; None and empty are any. Times are Unix seconds."""

    account: str
    search: str = ""
    status: SessionStatus | None = None
    agent_id: str | None = None
    start: float | None = None
    end: float | None = None
    slow_ms: float | None = None
    errors: bool = False


class Entry(Struct, frozen=True):
    """A session, and what it came to."""

    row: sa.Row[Any]
    summary: summaries.Summary


def listed(
    connection: sa.Connection, wanted: Wanted, paging: Paging
) -> tuple[Sequence[sa.Row[Any]], list[Entry], int]:
    """The rows of a page and one more (for ``store.pages``), all but that as entries, and how
    many sessions there are on all pages.
    """
    query = _narrow().where(*_conditions(wanted))
    rows = connection.execute(paged(query, sessions, paging)).all()
    counted = _joined(sa.select(sa.func.count())).where(*_conditions(wanted))
    total = connection.execute(counted).scalar_one()
    return rows, [_entry(connection, row) for row in rows[: paging.limit]], total


def find(connection: sa.Connection, account: str, session_id: str) -> Entry | None:
    """A session of an account."""
    query = _narrow(_s.config).where(*_conditions(Wanted(account=account)), _s.id == session_id)
    row = connection.execute(query).first()
    return None if row is None else _entry(connection, row)


def records_after(
    connection: sa.Connection, session_id: str, after: int, most: int
) -> list[AnyRecord]:
    """Records of a session whose numbers are higher than one, in order."""
    columns = session_records.c
    query = sa.select(session_records).where(columns.session_id == session_id, columns.seq > after)
    return [record_of(row) for row in connection.execute(query.order_by(columns.seq).limit(most))]


def latency(connection: sa.Connection, account: str, span: Span) -> dict[str, list[Point]]:
    """Percentiles of the stage times of an account's ended sessions, by stage."""
    end = span.start + span.step * span.points
    query = (
        sa.select(_s.created_at, _m.stage_times)
        .join_from(sessions, session_summaries, _m.session_id == _s.id)
        .where(
            _s.account == account,
            _s.deleted_at.is_(None),
            _s.created_at >= span.start - LONGEST_SECONDS,
            _s.created_at < end,
        )
    )
    told = [(row.created_at, row.stage_times) for row in connection.execute(query)]
    return percentiles(told, span)


async def fill(database: Database) -> int:
    """Keeps summaries of sessions that ended before there were any; returns of how many.

    Raises ``Unreachable``.
    """
    filled = 0
    while some := await database.write(_fill):
        filled += some
        await asyncio.sleep(FILL_PAUSE_SECONDS)
    return filled


def _fill(connection: sa.Connection) -> int:
    query = (
        sa.select(_s.id)
        .outerjoin(session_summaries, _m.session_id == _s.id)
        .where(_s.status == "completed", _s.deleted_at.is_(None), _m.session_id.is_(None))
        .limit(FILL_AT_ONCE)
    )
    ids = list(connection.execute(query).scalars())
    for session_id in ids:
        summaries.keep(connection, session_id, summary_of(connection, session_id))
    return len(ids)


_KEPT = tuple(
    name for name in summaries.Summary.__struct_fields__ if name not in {"words", "stage_times"}
)


def _narrow(*more: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """What lists show; neither what was said nor the configuration, which are long."""
    names = ("id", "agent_id", "status", "close_reason", "created_at", "ended_at")
    columns = [_s[name] for name in (*names, "duration_seconds", "recording")]
    kept = [_m[name] for name in _KEPT]
    query = sa.select(*columns, *more, agents.c.name.label("agent_name"), _m.session_id, *kept)
    return _joined(query)


def _joined(query: sa.Select[Any]) -> sa.Select[Any]:
    own = (agents.c.id == _s.agent_id) & (agents.c.account == _s.account)
    return (
        query.select_from(sessions)
        .outerjoin(session_summaries, _m.session_id == _s.id)
        .outerjoin(agents, own)
    )


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found = [_s.account == wanted.account, _s.deleted_at.is_(None)]
    if wanted.status is not None:
        found.append(_s.status == wanted.status)
    if wanted.agent_id is not None:
        # PostgreSQL's text has no U+0000, and takes none to compare with.
        found.append(sa.false() if "\0" in wanted.agent_id else _s.agent_id == wanted.agent_id)
    if wanted.start is not None:
        found.append(_s.created_at >= wanted.start)
    if wanted.end is not None:
        found.append(_s.created_at < wanted.end)
    if wanted.slow_ms is not None:
        found.append(_m.response_max_ms >= wanted.slow_ms)
    if wanted.errors:
        found.append(_m.errors > 0)
    if wanted.search.strip():
        found.append(_search(wanted.search))
    return found


def _search(text: str) -> sa.ColumnElement[bool]:
    """All words were said, or the id begins so. No character stands for another one."""
    asked = summaries.searched(text).strip()
    words = [_m.words.contains(word, autoescape=True) for word in asked.split(None, MOST_WORDS - 1)]
    begins = sa.func.substr(_s.id, 1, len(asked)) == asked
    return sa.or_(sa.and_(*words), begins)


def _entry(connection: sa.Connection, row: sa.Row[Any]) -> Entry:
    if row.session_id is None:
        # It is live, or older than summaries are.
        return Entry(row, summary_of(connection, row.id))
    kept = {name: getattr(row, name) for name in _KEPT}
    return Entry(row, summaries.Summary(**kept))
