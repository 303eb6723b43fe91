"""The API of agents on a database of a test, for two accounts, with names that resolve as told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from antiphon_server.rest.agents import AgentRoutes
from antiphon_server.rest.idempotency import Idempotency
from antiphon_server.security.outbound import OutboundGuard
from antiphon_server.security.secrets import Vault
from antiphon_server.store.agents import Agents
from antiphon_server.store.database import Database
from antiphon_server.store.idempotency import Claims
from server.rest.rest_client import Answer, ask
from server.rest.two_accounts import Tenant, two_accounts

VAULT = Vault((bytes(32),))
NAMES = {
    "tools.example": "93.184.216.34",
    "models.example": "93.184.216.35",
    "inside.example": "10.0.0.7",
}

MINIMAL: dict[str, Any] = {
    "name": "Support",
    "system_prompt": "Be brief.",
    "voice": {"voice_id": "alba"},
}


async def resolve(host: str, _port: int) -> Sequence[str]:
    """The address of a name that is known here."""
    if host not in NAMES:
        raise OSError(host)
    return [NAMES[host]]


class Desk(NamedTuple):
    """Two clients of one API, and what is behind it."""

    mine: Tenant
    theirs: Tenant
    agents: Agents

    async def post(self, body: dict[str, Any], **headers: str) -> Answer:
        """The answer to a ``POST`` of mine."""
        sent = tuple((name.replace("_", "-"), text) for name, text in headers.items())
        raw = json.dumps(body).encode()
        tenant = self.mine
        return await ask(tenant.app, "POST /v1/agents", raw, authorization=tenant.key, headers=sent)

    async def put(self, agent_id: str, body: Any, method: str = "PUT") -> Answer:
        """The answer to a ``PUT`` of mine."""
        return await self.mine.ask(f"{method} /v1/agents/{agent_id}", json.dumps(body).encode())

    async def get(self, agent_id: str) -> Answer:
        """The answer to a ``GET`` of mine."""
        return await self.mine.ask(f"GET /v1/agents/{agent_id}")


@asynccontextmanager
async def desk_on(
    database: Database, *, former_voices: bool = True, allow: tuple[str, ...] = ()
) -> AsyncIterator[Desk]:
    """A desk, while it is used."""
    guard = OutboundGuard(allow, resolve=resolve)
    agents = Agents(database, VAULT)
    once = Idempotency(Claims(database), VAULT.pepper)
    try:
        mine, theirs = await two_accounts(
            lambda keys: AgentRoutes(
                keys, agents, guard, once, former_voices=former_voices
            ).operations()
        )
        yield Desk(mine, theirs, agents)
    finally:
        await guard.close()
