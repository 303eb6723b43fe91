"""``/v1/sessions``: the sessions of an account, and what they left.

Source: voice agent protocol, section 6.3.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from antiphon_protocol.rest import Fault, ResponseMetadata
from antiphon_protocol.rest_sessions import (
    SESSION_STATUSES,
    SessionDetail,
    SessionList,
    SessionStatus,
    SessionSummary,
)
from antiphon_server.rest.access import account
from antiphon_server.rest.answers import answer
from antiphon_server.rest.artifact_links import ArtifactLinks
from antiphon_server.rest.errors import Invalid, NoSuchSession
from antiphon_server.rest.fields import shown
from antiphon_server.rest.operations import Operation, Parameter
from antiphon_server.rest.paging import PAGING, Paging, page_of, paged, read_paging
from antiphon_server.security.keys import Keys
from antiphon_server.security.links import Links
from antiphon_server.store import past_sessions
from antiphon_server.store.retention import Keeping, delete_audio
from antiphon_server.store.tables import sessions

SETTLE_SECONDS = 2.0
"""How long a reader waits for what calls have just recorded to reach the database."""

_QUERY = (
    Parameter("status", SessionStatus, "Only those that are live (`created`) or have ended."),
    Parameter("agent_id", str, "Only those that ran with this stored agent."),
    *PAGING,
)

Settle = Callable[[float], Awaitable[object]]


class SessionPlaces(Struct, frozen=True):
    """Where sessions are kept, and how links to their artifacts are made."""

    keeping: Keeping
    links: Links
    public_url: str = ""
    """Where clients reach this server; empty: where the request was sent to."""
    settle: Settle | None = None
    """Waits until the database has all that was recorded, for so many seconds at most."""


class SessionRoutes:
    """The sessions of the account whose key asks."""

    def __init__(self, keys: Keys, places: SessionPlaces) -> None:
        self._keys = keys
        self._places = places
        self._database = places.keeping.database
        self._artifacts = ArtifactLinks(places.keeping, places.links, places.public_url)

    def operations(self) -> tuple[Operation, ...]:
        """All of them."""
        return (
            Operation(
                method="GET", path="/v1/sessions", handler=self.page, tag="Sessions",
                summary="List sessions", answers=SessionList, query=_QUERY, errors=(Invalid,),
            ),
            Operation(
                method="GET", path="/v1/sessions/{id}", handler=self.get, tag="Sessions",
                summary="Get a session, with links to what it left", answers=SessionDetail,
                errors=(NoSuchSession,),
            ),
            Operation(
                method="DELETE", path="/v1/sessions/{id}", handler=self.delete, tag="Sessions",
                summary="Delete a session, with all that was said in it", status=204,
                errors=(NoSuchSession,),
            ),
        )  # fmt: skip

    async def page(self, request: Request) -> Response:
        """Raises what ``account`` raises, ``Invalid`` and ``Unreachable``."""
        owner = await account(self._keys, request, "sessions")
        paging, status = _asked(request)
        agent_id = request.query_params.get("agent_id") or None
        query = paged(past_sessions.of_account(owner, status, agent_id), sessions, paging)
        await self._settle()
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        page, has_more, cursor = page_of(rows, paging)
        return answer(
            SessionList(
                sessions=tuple(SessionSummary(**_summary(row)) for row in page),
                has_more=has_more,
                response_metadata=ResponseMetadata(cursor),
            )
        )

    async def get(self, request: Request) -> Response:
        """Raises what ``account`` raises, ``NoSuchSession`` and ``Unreachable``."""
        owner = await account(self._keys, request, "sessions")
        session_id = request.path_params["id"]
        await self._settle()
        row = await self._database.read(
            lambda connection: past_sessions.find(connection, owner, session_id)
        )
        if row is None:
            raise NoSuchSession
        artifacts = await self._artifacts.of(row, request)
        return answer(SessionDetail(**_summary(row), config=row.config, artifacts=artifacts))

    async def delete(self, request: Request) -> Response:
        """Raises what ``account`` raises, ``NoSuchSession`` and ``Unreachable``."""
        owner = await account(self._keys, request, "sessions")
        session_id = request.path_params["id"]
        now = self._places.keeping.clock()
        await self._settle()
        if not await self._database.write(
            lambda connection: past_sessions.delete(connection, owner, session_id, now)
        ):
            raise NoSuchSession
        await delete_audio(self._places.keeping, session_id)
        await self._places.keeping.journals.delete(session_id)
        return Response(status_code=204, headers={"cache-control": "no-store"})

    async def _settle(self) -> None:
        if self._places.settle is not None:
            await self._places.settle(SETTLE_SECONDS)


def _asked(request: Request) -> tuple[Paging, SessionStatus | None]:
    """Raises ``Invalid``."""
    paging = read_paging(request)
    given = request.query_params.get("status")
    if given is None:
        return paging, None
    for status in SESSION_STATUSES:
        if given == status:
            return paging, status
    told = f"Input should be one of {', '.join(SESSION_STATUSES)}"
    raise Invalid((Fault("literal_error", ("query", "status"), told, shown(given)),))


def _summary(row: sa.Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "agent_id": row.agent_id,
        "status": row.status,
        "public_close_reason": row.public_close_reason,
        "duration_seconds": row.duration_seconds,
        "created_at": datetime.fromtimestamp(row.created_at, UTC),
        "ended_at": None if row.ended_at is None else datetime.fromtimestamp(row.ended_at, UTC),
    }
