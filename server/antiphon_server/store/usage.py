"""Sums of what was used, from the rows that sessions leave (``usage``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa
from msgspec import Struct

from antiphon_server.store.pages import Paging, paged
from antiphon_server.store.tables import usage

DAY_SECONDS = 86_400
NO_KEY = "-"
"""Stands for the key of sessions without one, because every group has a name."""

Grouping = Literal["key", "day", "session"]


class Asked(Struct, frozen=True):
    """Whose usage, added up by what, from ``start``, which counts, to ``end``, which does not.

    Times are Unix seconds.
    """

    account: str
    start: float
    end: float
    by: Grouping


def sums(connection: sa.Connection, asked: Asked, paging: Paging) -> Sequence[sa.Row[Any]]:
    """A page, and one row more if there is one: a row for each key, day (in UTC) or session.

    ``id`` is the key, ``-`` for none, the number of the day since 1970, or the session;
    ``created_at`` is when it first used something in that time, by which pages are ordered,
    because it does not change while a session goes on.
    """
    groups = _groups(asked).subquery()
    return connection.execute(paged(sa.select(groups), groups, paging)).all()


def _groups(asked: Asked) -> sa.Select[Any]:
    name = _name(asked.by)
    added = ("connected_seconds", "prompt_tokens", "completion_tokens", "characters")
    return (
        sa.select(
            name.label("id"),
            sa.func.min(usage.c.at).label("created_at"),
            sa.func.count(usage.c.session_id.distinct()).label("sessions"),
            *(sa.func.sum(usage.c[column]).label(column) for column in added),
        )
        .where(usage.c.account == asked.account)
        .where(usage.c.at >= asked.start, usage.c.at < asked.end)
        .group_by(name)
    )


def _name(by: Grouping) -> sa.ColumnElement[Any]:
    if by == "session":
        return usage.c.session_id
    if by == "key":
        return sa.func.coalesce(usage.c.key_id, NO_KEY)
    return sa.cast(sa.cast(usage.c.at // DAY_SECONDS, sa.Integer), sa.String)
