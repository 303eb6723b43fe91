"""Pages of a table: every row once, and cursors that no page gave."""

from __future__ import annotations

import base64

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.store.pages import NoCursor, Paging, page_of, paged, read_cursor

_metadata = sa.MetaData()
_things = sa.Table(
    "things",
    _metadata,
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("created_at", sa.Double, nullable=False),
)


def _page(connection: sa.Connection, paging: Paging) -> tuple[list[str], bool, str]:
    found = connection.execute(paged(sa.select(_things), _things, paging)).all()
    rows, has_more, cursor = page_of(found, paging)
    return [row.id for row in rows], has_more, cursor


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


@given(
    times=st.lists(st.floats(0, 4e9, allow_subnormal=False), max_size=30),
    limit=st.integers(1, 8),
)
def test_pages_hold_every_row_once_and_newest_first(times: list[float], limit: int) -> None:
    """Also of rows that were made at the same moment, whose ids decide."""
    engine = sa.create_engine("sqlite://")
    rows = [{"id": f"thing_{index:02}", "created_at": at} for index, at in enumerate(times)]
    with engine.connect() as connection:
        _metadata.create_all(connection)
        if rows:
            connection.execute(sa.insert(_things), rows)
        found: list[str] = []
        cursor, has_more = "", True
        while has_more:
            ids, has_more, cursor = _page(connection, Paging(limit, read_cursor(cursor)))
            assert len(ids) == limit if has_more else cursor == ""
            found += ids
    engine.dispose()
    newest = sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)
    assert found == [row["id"] for row in newest]


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "\0",
        "é",
        "+/==",
        _encoded("{}"),
        _encoded("[1]"),
        _encoded('["1","a"]'),
        _encoded('[1,"a",2]'),
        _encoded('[1e999,"a"]'),
        _encoded('[null,"a"]'),
        _encoded('[1,""]'),
        _encoded('[1,"a\\u0000"]'),
        _encoded('[1,"a b"]'),
        _encoded(f'[1,"{"a" * 81}"]'),
        "A" * 4_000,
    ],
)
def test_a_cursor_that_no_page_gave_is_refused(cursor: str) -> None:
    """Before it reaches the database."""
    with pytest.raises(NoCursor):
        read_cursor(cursor)
