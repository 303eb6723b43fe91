"""Which page a query asks for."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from antiphon_server.rest.errors import Invalid
from antiphon_server.rest.paging import PAGING, Paging, read_paging


def _asked(query: str) -> Paging:
    return read_paging(Request({"type": "http", "query_string": query.encode(), "headers": []}))


def test_a_page_is_50_rows_from_the_newest() -> None:
    """By default; an empty cursor, which the last page has, begins again."""
    assert _asked("") == _asked("cursor=") == Paging(50, None)
    assert _asked("limit=200") == Paging(200, None)
    assert _asked("cursor=WzEuNSwiYSJd") == Paging(50, (1.5, "a"))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("limit=0", ["limit"]),
        ("limit=201", ["limit"]),
        ("limit=x", ["limit"]),
        ("cursor=x", ["cursor"]),
        ("limit=0&cursor=%00", ["limit", "cursor"]),
    ],
)
def test_what_is_wrong_is_told_together(query: str, names: list[str]) -> None:
    """So that a client mends both at once."""
    with pytest.raises(Invalid) as refused:
        _asked(query)
    assert refused.value.status == 422
    assert [fault.loc for fault in refused.value.faults] == [("query", name) for name in names]


def test_both_parameters_are_declared() -> None:
    """For the document of every list."""
    assert [known.name for known in PAGING] == ["limit", "cursor"]
    assert not any(known.required for known in PAGING)
