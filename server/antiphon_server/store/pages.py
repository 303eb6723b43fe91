"""Pages of a table: newest first, each after the last row of the one before.

So rows that come or go meanwhile neither repeat nor hide others.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from antiphon_protocol.codec import UNDECODABLE
from antiphon_protocol.rest import DEFAULT_PAGE_LENGTH

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,80}", re.ASCII)
_MOST_CHARACTERS = 256


class NoCursor(Exception):
    """What was presented as a cursor is none."""


class Paging(Struct, frozen=True):
    """Which page: ``before`` is when the last row of the page before was made (Unix seconds),
    and its id; None begins with the newest.
    """

    limit: int = DEFAULT_PAGE_LENGTH
    before: tuple[float, str] | None = None


def paged(query: sa.Select[Any], table: sa.FromClause, paging: Paging) -> sa.Select[Any]:
    """The rows of a page and one more, by ``created_at`` and ``id`` of a table."""
    place = (table.c.created_at, table.c.id)
    if paging.before is not None:
        query = query.where(sa.tuple_(*place) < sa.tuple_(*paging.before))
    return query.order_by(*(column.desc() for column in place)).limit(paging.limit + 1)


def page_of(rows: Sequence[sa.Row[Any]], paging: Paging) -> tuple[Sequence[sa.Row[Any]], bool, str]:
    """The rows of the page, whether there are more, and the cursor of the next page.

    ``rows`` is what ``paged`` found; each has ``created_at`` and ``id``.
    """
    page = rows[: paging.limit]
    has_more = len(rows) > paging.limit
    return page, has_more, _cursor(page[-1]) if has_more else ""


def _cursor(last: sa.Row[Any]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((last.created_at, last.id))).decode()


def read_cursor(cursor: str) -> tuple[float, str] | None:
    """The place of a cursor; None for an empty one. Raises ``NoCursor``."""
    if not cursor:
        return None
    if len(cursor) > _MOST_CHARACTERS:
        raise NoCursor
    try:
        raw = base64.b64decode(cursor, altchars=b"-_", validate=True)
        at, identifier = msgspec.json.decode(raw, type=tuple[float, str])
    except UNDECODABLE as wrong:
        raise NoCursor from wrong
    if not math.isfinite(at) or not _ID.fullmatch(identifier):
        raise NoCursor
    return at, identifier
