"""Which page of a collection a request asks for, by ``limit`` and an opaque ``cursor``.

Source: voice agent protocol, section 6.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta
from starlette.requests import Request

from antiphon_protocol.rest import DEFAULT_PAGE_LENGTH, PAGE_LENGTHS, Fault
from antiphon_server.rest.errors import Invalid
from antiphon_server.rest.fields import integer
from antiphon_server.rest.operations import Parameter
from antiphon_server.store.pages import NoCursor, Paging, page_of, paged, read_cursor

__all__ = ["PAGING", "Paging", "page_of", "paged", "read_paging"]

PAGING = (
    Parameter(
        "limit",
        Annotated[int, Meta(ge=PAGE_LENGTHS[0], le=PAGE_LENGTHS[1])],
        f"How many entries, by default {DEFAULT_PAGE_LENGTH}.",
    ),
    Parameter("cursor", str, "The `next_cursor` of the page before; empty begins with the newest."),
)
"""The parameters of every list, for its ``Operation``."""


def read_paging(request: Request) -> Paging:
    """The page a query asks for. Raises ``Invalid``."""
    query = request.query_params
    limit = integer(query.get("limit", str(DEFAULT_PAGE_LENGTH)), ("query", "limit"), PAGE_LENGTHS)
    before = _before(query.get("cursor", ""))
    if isinstance(limit, Fault) or isinstance(before, Fault):
        raise Invalid(tuple(read for read in (limit, before) if isinstance(read, Fault)))
    return Paging(limit, before)


def _before(cursor: str) -> tuple[float, str] | Fault | None:
    try:
        return read_cursor(cursor)
    except NoCursor:
        return Fault("value_error", ("query", "cursor"), "Not a cursor of this list", None)
