"""``/v1/agents``: what an agent is, kept on the server, so that a session only names it.

Source: voice agent protocol, section 6.2. Lists of models, ``PATCH`` and ``Idempotency-Key``
are extensions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Protocol

from msgspec.structs import asdict
from starlette.requests import Request
from starlette.responses import Response

from antiphon_protocol.rest import Fault, ResponseMetadata
from antiphon_protocol.rest_agents import (
    Agent,
    AgentBody,
    AgentChange,
    AgentCreate,
    AgentList,
    AgentSummary,
)
from antiphon_server.rest import idempotency
from antiphon_server.rest.access import account
from antiphon_server.rest.agent_changes import Terms, blank, change_of, merged
from antiphon_server.rest.answers import answer, nothing
from antiphon_server.rest.bodies import body_of
from antiphon_server.rest.errors import Invalid, NoSuchAgent
from antiphon_server.rest.idempotency import Idempotency
from antiphon_server.rest.operations import Operation
from antiphon_server.rest.paging import PAGING, read_paging
from antiphon_server.rest.shapes import Place
from antiphon_server.security.keys import Keys
from antiphon_server.security.outbound_errors import UnsafeUrl
from antiphon_server.store.agents import Agents, StoredAgent
from antiphon_server.store.bound_agents import AgentSecrets

MOST_BYTES = 1_048_576
"""Several times what may be echoed (``dialects.session_update``), for what escapes add."""
_PATH = "/v1/agents"


class CheckUrl(Protocol):
    """``OutboundGuard``, as far as it is used here."""

    async def check_url(self, url: str) -> None:
        """Raises ``UnsafeUrl`` for an address that may not be asked."""
        ...


class AgentRoutes:
    """Agents of the account whose key asks."""

    def __init__(
        self,
        keys: Keys,
        agents: Agents,
        guard: CheckUrl,
        once: Idempotency,
        *,
        former_voices: bool,
    ) -> None:
        self._keys = keys
        self._agents = agents
        self._guard = guard
        self._once = once
        self._former_voices = former_voices

    def operations(self) -> tuple[Operation, ...]:
        """The six."""
        one, tag = f"{_PATH}/{{agent_id}}", "Agents"
        gone = (NoSuchAgent,)
        return (
            Operation(
                method="POST", path=_PATH, handler=self.create, tag=tag, status=201,
                summary="Create an agent", takes=AgentCreate, answers=Agent,
                errors=(Invalid, *idempotency.ERRORS),
            ),
            Operation(
                method="GET", path=_PATH, handler=self.page, tag=tag, summary="List agents",
                answers=AgentList, query=PAGING, errors=(Invalid,),
            ),
            Operation(
                method="GET", path=one, handler=self.get, tag=tag, summary="Get an agent",
                answers=Agent, errors=gone,
            ),
            Operation(
                method="PUT", path=one, handler=self.change, tag=tag,
                summary="Change an agent", takes=AgentChange, answers=Agent,
                errors=(*gone, Invalid),
            ),
            Operation(
                method="PATCH", path=one, handler=self.change, tag=tag,
                summary="Change an agent, as `PUT` does", takes=AgentChange, answers=Agent,
                errors=(*gone, Invalid),
            ),
            Operation(
                method="DELETE", path=one, handler=self.delete, tag=tag, status=204,
                summary="Delete an agent", errors=gone,
            ),
        )  # fmt: skip

    async def create(self, request: Request) -> Response:
        """Raises what ``account``, ``body_of`` and ``Idempotency.once`` raise, ``Invalid`` and
        the database's ``Unreachable``.
        """
        owner = await account(self._keys, request, "agents")

        async def work() -> Response:
            change = change_of(await body_of(request, AgentCreate, MOST_BYTES))
            new = merged(blank(), AgentSecrets(), change, self._terms())
            await self._check_urls(change)
            return answer(_shown(await self._agents.add(owner, *new)), 201)

        return await self._once.once(owner, request, work, MOST_BYTES)

    async def page(self, request: Request) -> Response:
        """Raises what ``account`` and ``read_paging`` raise, and ``Unreachable``."""
        owner = await account(self._keys, request, "agents")
        rows, has_more, cursor = await self._agents.page(owner, read_paging(request))
        agents = tuple(
            AgentSummary(row.id, row.name, _time(row.created_at), _time(row.updated_at))
            for row in rows
        )
        metadata = ResponseMetadata(cursor)
        return answer(AgentList(agents=agents, has_more=has_more, response_metadata=metadata))

    async def get(self, request: Request) -> Response:
        """Raises what ``account`` raises, ``NoSuchAgent`` and ``Unreachable``."""
        owner = await account(self._keys, request, "agents")
        return answer(_shown(await self._stored(owner, request)))

    async def change(self, request: Request) -> Response:
        """Raises what ``account`` and ``body_of`` raise, ``NoSuchAgent``, ``Invalid`` and
        ``Unreachable``.
        """
        owner = await account(self._keys, request, "agents")
        change = await body_of(request, AgentChange, MOST_BYTES)
        await self._stored(owner, request)
        await self._check_urls(change)
        terms = self._terms()

        def merge(body: AgentBody, kept: AgentSecrets) -> tuple[AgentBody, AgentSecrets]:
            return merged(body, kept, change, terms)

        changed = await self._agents.change(owner, request.path_params["agent_id"], merge)
        if changed is None:
            raise NoSuchAgent
        return answer(_shown(changed))

    async def delete(self, request: Request) -> Response:
        """Raises what ``account`` raises, ``NoSuchAgent`` and ``Unreachable``."""
        owner = await account(self._keys, request, "agents")
        if not await self._agents.remove(owner, request.path_params["agent_id"]):
            raise NoSuchAgent
        return nothing()

    async def _stored(self, owner: str, request: Request) -> StoredAgent:
        found = await self._agents.get(owner, request.path_params["agent_id"])
        if found is None:
            raise NoSuchAgent
        return found

    def _terms(self) -> Terms:
        return Terms(self._former_voices, datetime.now(UTC))

    async def _check_urls(self, change: AgentChange) -> None:
        """Raises ``Invalid`` with everything that is wrong; each address is looked up once."""
        places: dict[str, list[Place]] = {}
        for place, url in _urls(change):
            places.setdefault(url, []).append(place)
        told = await asyncio.gather(*map(self._told, places))
        faults = [
            Fault("value_error", place, reason, None)
            for (url, found), reason in zip(places.items(), told, strict=True)
            if reason is not None
            for place in found
        ]
        if faults:
            raise Invalid(tuple(faults))

    async def _told(self, url: str) -> str | None:
        try:
            await self._guard.check_url(url)
        except UnsafeUrl as refused:
            return str(refused)
        return None


def _urls(change: AgentChange) -> Iterator[tuple[Place, str]]:
    """Every address in a change, with its place."""
    for index, tool in enumerate(change.tools or ()):
        if tool.http is not None:
            yield ("body", "tools", index, "http", "url"), tool.http.url
    for index, request in enumerate(change.pre_connect_requests or ()):
        yield ("body", "pre_connect_requests", index, "http", "url"), request.http.url
    for index, model in enumerate(change.llm or ()):
        yield ("body", "llm", index, "base_url"), model.base_url


def _shown(agent: StoredAgent) -> Agent:
    return Agent(
        id=agent.id,
        created_at=_time(agent.created_at),
        updated_at=_time(agent.updated_at),
        **asdict(agent.body),
    )


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
