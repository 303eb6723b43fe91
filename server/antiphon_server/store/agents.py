"""Stored agents: kept per account, their secrets sealed beside them."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from antiphon_protocol.rest_agents import AgentBody
from antiphon_server.security.secrets import Vault
from antiphon_server.store.bound_agents import AgentSecrets, BoundAgent, bound
from antiphon_server.store.database import Database
from antiphon_server.store.pages import Paging, page_of, paged
from antiphon_server.store.tables import agents as table

_ID = re.compile("agent_[0-9a-f]{32}")


class StoredAgent(Struct, frozen=True):
    """An agent as it is shown, and when it was made and changed (Unix seconds)."""

    id: str
    body: AgentBody
    created_at: float
    updated_at: float


Merge = Callable[[AgentBody, AgentSecrets], tuple[AgentBody, AgentSecrets]]


class Agents:
    """The agents of all accounts. ``clock`` gives Unix seconds.

    Every method raises the database's ``Unreachable``. What belongs to another account does not
    exist.
    """

    def __init__(
        self, database: Database, vault: Vault, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    async def add(self, account: str, body: AgentBody, kept: AgentSecrets) -> StoredAgent:
        """A new agent."""
        agent_id, now = f"agent_{secrets.token_hex(16)}", self._clock()
        row = {
            "id": agent_id,
            "account": account,
            "name": body.name,
            "body": body,
            "secrets": self._sealed(account, agent_id, kept),
            "created_at": now,
            "updated_at": now,
        }
        await self._database.write(lambda connection: connection.execute(sa.insert(table), row))
        return StoredAgent(agent_id, body, now, now)

    async def get(self, account: str, agent_id: str) -> StoredAgent | None:
        """An agent; None when the account has no such one."""
        row = await self._row(account, agent_id)
        return None if row is None else _stored(row)

    async def bind(self, account: str, agent_id: str) -> BoundAgent | None:
        """An agent for a session, its secrets open; None as ``get``.

        Raises ``Unsealable``, and ``InvalidValue`` for what cannot run on a WebSocket.
        """
        row = await self._row(account, agent_id)
        return None if row is None else bound(*self._opened(account, row))

    async def page(self, account: str, paging: Paging) -> tuple[Sequence[sa.Row[Any]], bool, str]:
        """Rows with ``id``, ``name``, ``created_at`` and ``updated_at``; as ``page_of``."""
        columns = (table.c.id, table.c.name, table.c.created_at, table.c.updated_at)
        query = paged(sa.select(*columns).where(table.c.account == account), table, paging)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return page_of(rows, paging)

    async def change(self, account: str, agent_id: str, merge: Merge) -> StoredAgent | None:
        """What ``merge`` makes of an agent, in one transaction; None as ``get``.

        Raises ``Unsealable`` and what ``merge`` raises, and then nothing is changed.
        """
        if not _ID.fullmatch(agent_id):
            return None
        return await self._database.write(
            lambda connection: self._change(connection, account, agent_id, merge)
        )

    async def remove(self, account: str, agent_id: str) -> bool:
        """Deletes an agent and its secrets; whether there was one."""
        if not _ID.fullmatch(agent_id):
            return False
        gone = sa.delete(table).where(_is(account, agent_id))
        return await self._database.write(lambda connection: connection.execute(gone).rowcount > 0)

    def _change(
        self, connection: sa.Connection, account: str, agent_id: str, merge: Merge
    ) -> StoredAgent | None:
        query = sa.select(table).where(_is(account, agent_id)).with_for_update()
        row = connection.execute(query).one_or_none()
        if row is None:
            return None
        body, kept = merge(*self._opened(account, row))
        now = max(self._clock(), row.created_at)
        connection.execute(
            sa.update(table)
            .where(_is(account, agent_id))
            .values(
                name=body.name,
                body=body,
                secrets=self._sealed(account, agent_id, kept),
                updated_at=now,
            )
        )
        return StoredAgent(agent_id, body, row.created_at, now)

    async def _row(self, account: str, agent_id: str) -> sa.Row[Any] | None:
        if not _ID.fullmatch(agent_id):
            return None
        query = sa.select(table).where(_is(account, agent_id))
        return await self._database.read(lambda connection: connection.execute(query).one_or_none())

    def _sealed(self, account: str, agent_id: str, kept: AgentSecrets) -> bytes | None:
        if kept == AgentSecrets():
            return None
        return self._vault.seal(msgspec.json.encode(kept), _context(account, agent_id))

    def _opened(self, account: str, row: sa.Row[Any]) -> tuple[AgentBody, AgentSecrets]:
        kept = AgentSecrets()
        if row.secrets is not None:
            plain = self._vault.open(row.secrets, _context(account, row.id))
            kept = msgspec.json.decode(plain, type=AgentSecrets)
        return _stored(row).body, kept


def _is(account: str, agent_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.account == account, table.c.id == agent_id)


def _context(account: str, agent_id: str) -> str:
    return f"{agent_id} of {account}"


def _stored(row: sa.Row[Any]) -> StoredAgent:
    body = msgspec.convert(row.body, AgentBody)
    return StoredAgent(row.id, body, row.created_at, row.updated_at)
