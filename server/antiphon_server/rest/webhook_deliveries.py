"""``/v1/sessions/{id}/webhook-deliveries``: how the reporting of a session's events went.

Source: voice agent protocol, section 6.5.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import Response

from antiphon_protocol.rest import ResponseMetadata
from antiphon_protocol.rest_webhooks import INLINE, WebhookDelivery, WebhookDeliveryList
from antiphon_server.rest.access import account
from antiphon_server.rest.answers import answer
from antiphon_server.rest.errors import Invalid, NoSuchSession
from antiphon_server.rest.operations import Operation
from antiphon_server.rest.paging import PAGING, page_of, paged, read_paging
from antiphon_server.security.keys import Keys
from antiphon_server.store.database import Database
from antiphon_server.store.tables import sessions, webhook_deliveries
from antiphon_server.store.webhook_deliveries import latest_of_session, of_session

_PATH = "/v1/sessions/{id}/webhook-deliveries"


class WebhookDeliveryRoutes:
    """Deliveries of the sessions of the account whose key asks."""

    def __init__(self, keys: Keys, database: Database) -> None:
        self._keys = keys
        self._database = database

    def operations(self) -> tuple[Operation, ...]:
        """Both."""
        return (
            Operation(
                method="GET", path=_PATH, handler=self.page, tag="Webhooks",
                summary="List deliveries of a session's events", answers=WebhookDeliveryList,
                query=PAGING, errors=(Invalid, NoSuchSession),
            ),
            Operation(
                method="GET", path=f"{_PATH}/latest", handler=self.latest, tag="Webhooks",
                summary="Get the latest delivery to each subscription",
                answers=WebhookDeliveryList, errors=(NoSuchSession,),
            ),
        )  # fmt: skip

    async def page(self, request: Request) -> Response:
        """Raises what ``account`` raises, ``Invalid``, ``NoSuchSession`` and ``Unreachable``."""
        owner = await account(self._keys, request, "webhooks")
        paging = read_paging(request)
        session_id = request.path_params["id"]
        query = paged(of_session(owner, session_id), webhook_deliveries, paging)
        rows, has_more, cursor = page_of(await self._rows(owner, session_id, query), paging)
        return answer(
            WebhookDeliveryList(
                deliveries=tuple(map(_shown, rows)),
                has_more=has_more,
                response_metadata=ResponseMetadata(cursor),
            )
        )

    async def latest(self, request: Request) -> Response:
        """Raises what ``account`` raises, ``NoSuchSession`` and ``Unreachable``."""
        owner = await account(self._keys, request, "webhooks")
        session_id = request.path_params["id"]
        rows = await self._rows(owner, session_id, latest_of_session(owner, session_id))
        return answer(WebhookDeliveryList(deliveries=tuple(map(_shown, rows))))

    async def _rows(self, owner: str, session_id: str, query: sa.Select[Any]) -> list[sa.Row[Any]]:
        """What a query finds. Raises ``NoSuchSession`` where the account has no such session."""
        known = sa.select(sessions.c.id).where(
            sessions.c.account == owner,
            sessions.c.id == session_id,
            sessions.c.deleted_at.is_(None),
        )

        def work(connection: sa.Connection) -> list[sa.Row[Any]]:
            if connection.execute(known).first() is None:
                raise NoSuchSession
            return list(connection.execute(query))

        return await self._database.read(work)


def _shown(row: sa.Row[Any]) -> WebhookDelivery:
    return WebhookDelivery(
        id=row.id,
        subscription_id=row.subscription_id or INLINE,
        session_id=row.session_id,
        event=row.kind,
        event_id=row.event_id,
        attempt_count=row.attempt_count,
        status=row.status,
        http_status_code=row.http_status_code,
        error=row.error,
        delivered_at=_moment(row.delivered_at),
        next_retry_at=_moment(row.next_retry_at),
        created_at=datetime.fromtimestamp(row.created_at, UTC),
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
