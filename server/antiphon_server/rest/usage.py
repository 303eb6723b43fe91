"""``GET /v1/usage``: what the caller's account used, added up. An extension of ours."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from antiphon_protocol.rest import Fault, ResponseMetadata
from antiphon_protocol.rest_accounts import (
    DEFAULT_USAGE_DAYS,
    USAGE_GROUPINGS,
    UsageGrouping,
    UsageList,
    UsageSums,
)
from antiphon_server.rest.access import account
from antiphon_server.rest.answers import answer
from antiphon_server.rest.errors import Invalid
from antiphon_server.rest.fields import shown
from antiphon_server.rest.moments import moment
from antiphon_server.rest.operations import Operation, Parameter
from antiphon_server.rest.paging import PAGING, page_of, read_paging
from antiphon_server.security.keys import Keys
from antiphon_server.store.database import Database
from antiphon_server.store.usage import DAY_SECONDS, NO_KEY, Asked, sums

_QUERY = (
    Parameter(
        "from",
        str,
        "The first moment that counts: RFC 3339, or a date, which is its first moment in UTC. "
        f"By default {DEFAULT_USAGE_DAYS} days before `to`.",
    ),
    Parameter("to", str, "The moment from which nothing counts, in the same forms; now."),
    Parameter("group_by", UsageGrouping, "What is added up; `day` by default."),
    *PAGING,
)


class UsageRoutes:
    """Sums of usage, of one account each."""

    def __init__(self, keys: Keys, database: Database) -> None:
        self._keys = keys
        self._database = database

    def operations(self) -> tuple[Operation, ...]:
        """The one address."""
        return (
            Operation(
                method="GET",
                path="/v1/usage",
                handler=self.get,
                summary="Add up what was used",
                tag="Usage",
                answers=UsageList,
                query=_QUERY,
                errors=(Invalid,),
            ),
        )

    async def get(self, request: Request) -> Response:
        """Raises what ``account`` raises, ``Invalid`` and the database's ``Unreachable``."""
        owner = await account(self._keys, request, "usage")
        asked = _asked(request, owner)
        paging = read_paging(request)
        rows = await self._database.read(lambda connection: sums(connection, asked, paging))
        page, has_more, cursor = page_of(rows, paging)
        body = UsageList(
            start=datetime.fromtimestamp(asked.start, UTC),
            end=datetime.fromtimestamp(asked.end, UTC),
            group_by=asked.by,
            usage=tuple(_sums(row, asked.by) for row in page),
            has_more=has_more,
            response_metadata=ResponseMetadata(cursor),
        )
        return answer(body)


def _asked(request: Request, owner: str) -> Asked:
    """What to add up. Raises ``Invalid``, with everything that is wrong."""
    query = request.query_params
    end = moment(query["to"], "to") if "to" in query else time.time()
    start = moment(query["from"], "from") if "from" in query else None
    by = _grouping(query.get("group_by", "day"))
    faults = [read for read in (start, end, by) if isinstance(read, Fault)]
    if faults or isinstance(start, Fault) or isinstance(end, Fault) or isinstance(by, Fault):
        raise Invalid(tuple(faults))
    if start is None:
        start = max(0.0, end - DEFAULT_USAGE_DAYS * DAY_SECONDS)
    if start >= end:
        told = "'from' should be before 'to'"
        raise Invalid((Fault("value_error", ("query", "from"), told, shown(query.get("from"))),))
    return Asked(owner, start, end, by)


def _grouping(text: str) -> UsageGrouping | Fault:
    for known in USAGE_GROUPINGS:
        if text == known:
            return known
    told = f"Input should be one of {', '.join(USAGE_GROUPINGS)}"
    return Fault("literal_error", ("query", "group_by"), told, shown(text))


def _sums(row: sa.Row[Any], by: UsageGrouping) -> UsageSums:
    return UsageSums(
        key_id=UNSET if by != "key" else None if row.id == NO_KEY else row.id,
        day=_day(int(row.id)) if by == "day" else UNSET,
        session_id=row.id if by == "session" else UNSET,
        sessions=row.sessions,
        connected_seconds=row.connected_seconds,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        characters=row.characters,
    )


def _day(number: int) -> str:
    return datetime.fromtimestamp(number * DAY_SECONDS, UTC).date().isoformat()
