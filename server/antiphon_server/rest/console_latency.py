"""``/v1/console/latency``: percentiles of an account's stage times over time."""

from __future__ import annotations

import time
from typing import Annotated

import msgspec
import sqlalchemy as sa
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from antiphon_protocol.rest import Fault
from antiphon_protocol.rest_console import DEFAULT_POINTS, POINTS, Latency, LatencyPoint
from antiphon_server.rest.access import account
from antiphon_server.rest.answers import encoded
from antiphon_server.rest.errors import Invalid
from antiphon_server.rest.fields import integer, shown
from antiphon_server.rest.moments import moment, told
from antiphon_server.rest.operations import Operation, Parameter
from antiphon_server.security.keys import Keys
from antiphon_server.store import history
from antiphon_server.store.database import Database
from antiphon_server.store.stage_times import Point, Span

DEFAULT_SECONDS = 86_400.0
_QUERY = (
    Parameter("from", str, "The first moment: RFC 3339, or a date; a day before `to`."),
    Parameter("to", str, "The last one, in the same forms; now."),
    Parameter(
        "points",
        Annotated[int, Meta(ge=POINTS[0], le=POINTS[1])],
        f"Into how many steps the time is cut, by default {DEFAULT_POINTS}.",
    ),
)


class ConsoleLatencyRoutes:
    """Of the account whose key asks."""

    def __init__(self, keys: Keys, database: Database) -> None:
        self._keys = keys
        self._database = database

    def operations(self) -> tuple[Operation, ...]:
        """The one address."""
        return (
            Operation(
                method="GET", path="/v1/console/latency", handler=self.get, tag="Console",
                summary="See how long the stages of turns took", answers=Latency, query=_QUERY,
                errors=(Invalid,),
            ),
        )  # fmt: skip

    async def get(self, request: Request) -> Response:
        """Raises what ``account`` raises, ``Invalid`` and ``Unreachable``."""
        owner = await account(self._keys, request, "sessions")
        span = _span(request)

        def read(connection: sa.Connection) -> bytes:
            found = history.latency(connection, owner, span)
            stages = {stage: tuple(map(_point, points)) for stage, points in found.items()}
            return msgspec.json.encode(
                Latency(
                    step_seconds=span.step,
                    start=told(span.start),
                    end=told(span.start + span.step * span.points),
                    stages=stages,
                )
            )

        return encoded(await self._database.read(read), 200)


def _span(request: Request) -> Span:
    """What a query asks for. Raises ``Invalid``."""
    query = request.query_params
    end = moment(query["to"], "to") if query.get("to") else time.time()
    start = moment(query["from"], "from") if query.get("from") else None
    points = integer(query.get("points") or str(DEFAULT_POINTS), ("query", "points"), POINTS)
    if isinstance(start, Fault) or isinstance(end, Fault) or isinstance(points, Fault):
        raise Invalid(tuple(read for read in (start, end, points) if isinstance(read, Fault)))
    if start is None:
        start = max(0.0, end - DEFAULT_SECONDS)
    if start >= end:
        said = "'from' should be before 'to'"
        raise Invalid((Fault("value_error", ("query", "from"), said, shown(query.get("from"))),))
    return Span(start, (end - start) / points, points)


def _point(point: Point) -> LatencyPoint:
    p50, p95, p99 = point.ms
    return LatencyPoint(at=told(point.at), count=point.count, p50=p50, p95=p95, p99=p99)
