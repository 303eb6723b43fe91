"""The REST API of webhooks on a database of a test, with clients of two accounts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import sqlalchemy as sa

from antiphon_server.rest.idempotency import Idempotency
from antiphon_server.rest.operations import Operation
from antiphon_server.rest.webhook_deliveries import WebhookDeliveryRoutes
from antiphon_server.rest.webhooks import WebhookRoutes
from antiphon_server.security.keys import Keys
from antiphon_server.store.database import Database
from antiphon_server.store.idempotency import Claims
from antiphon_server.store.tables import agents, sessions
from outbound_peer import Names, guarded
from server.rest.rest_client import Answer, ask
from server.rest.two_accounts import Tenant, two_accounts
from server.webhooks.outbox_rig import AT, SECRET, VAULT

GOOD: dict[str, Any] = {
    "url": "https://hook.example/x",
    "events": ["session.started", "session.completed"],
    "secret": SECRET,
}
NAMES = {
    "hook.example": [["93.184.216.34"]],
    "other.example": [["93.184.216.35"]],
    "inside.example": [["10.0.0.1"]],
}
PATH = "/v1/webhook-subscriptions"


class Desk(NamedTuple):
    """Two clients of one API, and its database."""

    mine: Tenant
    theirs: Tenant
    database: Database

    async def post(self, *headers: tuple[str, str], **changed: Any) -> Answer:
        """The answer to a ``POST`` of mine, of ``GOOD`` with something else in it."""
        raw = json.dumps(GOOD | changed).encode()
        tenant = self.mine
        return await ask(tenant.app, f"POST {PATH}", raw, authorization=tenant.key, headers=headers)

    async def patch(self, name: str, **values: Any) -> Answer:
        """The answer to a ``PATCH`` of mine."""
        return await self.mine.ask(f"PATCH {PATH}/{name}", json.dumps(values).encode())

    async def get(self, name: str) -> Answer:
        """The answer to a ``GET`` of mine."""
        return await self.mine.ask(f"GET {PATH}/{name}")

    def has_agent(self, name: str, account: str) -> None:
        """There is an agent of an account."""
        row = {"id": name, "account": account, "name": "n", "body": {}, "created_at": 0}
        self._insert(agents, row | {"updated_at": 0})

    def had_session(self, name: str, account: str, deleted_at: float | None = None) -> None:
        """There was a session of an account."""
        row = {"id": name, "account": account, "node": "n", "status": "completed", "config": {}}
        self._insert(sessions, row | {"created_at": AT, "deleted_at": deleted_at})

    def _insert(self, table: sa.Table, row: dict[str, Any]) -> None:
        self.database.now(lambda connection: connection.execute(sa.insert(table).values(row)))


@asynccontextmanager
async def desk_on(database: Database) -> AsyncIterator[Desk]:
    """A desk, while it is used."""
    once = Idempotency(Claims(database), VAULT.pepper)
    async with guarded(resolve=Names(dict(NAMES))) as guard:

        def operations(keys: Keys) -> tuple[Operation, ...]:
            return (
                *WebhookRoutes(keys, database, VAULT, guard, once).operations(),
                *WebhookDeliveryRoutes(keys, database).operations(),
            )

        yield Desk(*await two_accounts(operations), database)
