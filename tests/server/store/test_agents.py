"""Agents at rest, on both databases."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from antiphon_protocol.rest_agents import AgentBody
from antiphon_server.security.secrets import Unsealable, Vault
from antiphon_server.store.agents import Agents
from antiphon_server.store.bound_agents import AgentSecrets
from antiphon_server.store.database import Database
from antiphon_server.store.pages import Paging, read_cursor
from antiphon_server.store.tables import agents as table
from server.store.agent_bodies import CANARY, FULL, PLAIN, SECRETS

VAULT = Vault((bytes(32),))
NOBODY = f"agent_{'0' * 32}"
MINE, THEIRS = "account-1", "account-2"


class _Clock:
    """Unix seconds, one later each time."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.25

    def __call__(self) -> float:
        self.now += 1
        return self.now


def _agents(database: Database, vault: Vault = VAULT) -> Agents:
    return Agents(database, vault, _Clock())


async def test_an_agent_comes_back_as_it_was_kept(database: Database) -> None:
    """Every field, also characters that a database may not hold; its id and times are ours."""
    agents = _agents(database)
    for body, kept in ((FULL, SECRETS), (PLAIN, AgentSecrets())):
        added = await agents.add(MINE, body, kept)
        assert await agents.get(MINE, added.id) == added
        assert added.body == body
        assert added.created_at == added.updated_at
        assert len(added.id) == len(NOBODY)


async def test_no_secret_is_readable_in_the_database(database: Database) -> None:
    """Nor is there anything sealed where there is no secret."""
    agents = _agents(database)
    full = await agents.add(MINE, FULL, SECRETS)
    plain = await agents.add(MINE, PLAIN, AgentSecrets())
    rows = database.now(lambda connection: connection.execute(sa.select(table)).all())
    by_id = {row.id: row for row in rows}
    assert CANARY.encode() not in by_id[full.id].secrets
    assert CANARY not in str(tuple(by_id[full.id]))
    assert by_id[plain.id].secrets is None


async def test_a_change_is_one_transaction(database: Database) -> None:
    """It sees the secrets; when it raises, everything stays as it was."""
    agents = _agents(database)
    added = await agents.add(MINE, FULL, SECRETS)

    def renamed(body: AgentBody, kept: AgentSecrets) -> tuple[AgentBody, AgentSecrets]:
        assert kept == SECRETS
        return replace(body, name="New"), AgentSecrets(llm=("canary-5", None))

    def broken(body: AgentBody, kept: AgentSecrets) -> tuple[AgentBody, AgentSecrets]:
        raise ZeroDivisionError(body.name, kept)

    changed = await agents.change(MINE, added.id, renamed)
    assert changed is not None
    assert changed.body == replace(FULL, name="New")
    assert changed.updated_at > changed.created_at == added.created_at
    with pytest.raises(ZeroDivisionError):
        await agents.change(MINE, added.id, broken)
    assert await agents.get(MINE, added.id) == changed
    bound = await agents.bind(MINE, added.id)
    assert bound is not None
    assert [model.api_key for model in bound.models] == ["canary-5", ""]
    rows, _, _ = await agents.page(MINE, Paging())
    assert [row.name for row in rows] == ["New"]


async def test_changes_of_one_agent_follow_each_other(database: Database) -> None:
    """None is lost, however many come at once."""
    agents = _agents(database)

    def longer(body: AgentBody, kept: AgentSecrets) -> tuple[AgentBody, AgentSecrets]:
        return replace(body, name=body.name + "x"), kept

    added = await agents.add(MINE, replace(PLAIN, name=""), SECRETS)
    await asyncio.gather(*(agents.change(MINE, added.id, longer) for _ in range(16)))
    found = await agents.get(MINE, added.id)
    assert found is not None
    assert found.body.name == "x" * 16


async def test_pages_are_newest_first_and_of_one_account(database: Database) -> None:
    """Nobody sees or counts another's."""
    agents = _agents(database)
    mine = [(await agents.add(MINE, PLAIN, AgentSecrets())).id for _ in range(3)]
    await agents.add(THEIRS, PLAIN, AgentSecrets())
    rows, has_more, cursor = await agents.page(MINE, Paging(2))
    rest, more, end = await agents.page(MINE, Paging(2, read_cursor(cursor)))
    assert [row.id for row in (*rows, *rest)] == mine[::-1]
    assert (has_more, more, end) == (True, False, "")


@pytest.mark.parametrize("account", [MINE, THEIRS])
async def test_what_is_not_there_or_not_ones_own_does_not_exist(
    database: Database, account: str
) -> None:
    """To read, change, delete or bind."""
    agents = _agents(database)
    added = await agents.add(MINE, FULL, SECRETS)
    wrong = [added.id] if account == THEIRS else [NOBODY, "", "agent_1", f"{added.id}\n", "\0"]
    for agent_id in wrong:
        assert await agents.get(account, agent_id) is None
        assert await agents.bind(account, agent_id) is None
        assert await agents.change(account, agent_id, lambda body, kept: (body, kept)) is None
        assert not await agents.remove(account, agent_id)
    assert await agents.get(MINE, added.id) == added


async def test_a_deleted_agent_is_gone(database: Database) -> None:
    """With its secrets."""
    agents = _agents(database)
    added = await agents.add(MINE, FULL, SECRETS)
    assert await agents.remove(MINE, added.id)
    assert await agents.get(MINE, added.id) is None
    assert not await agents.remove(MINE, added.id)


async def test_secrets_open_for_their_own_agent_only(database: Database) -> None:
    """Copied into another agent's row, or under another key, they do not."""
    agents = _agents(database)
    full = await agents.add(MINE, FULL, SECRETS)
    other = await agents.add(MINE, FULL, SECRETS)
    sealed = sa.select(table.c.secrets).where(table.c.id == full.id).scalar_subquery()
    moved = sa.update(table).where(table.c.id == other.id).values(secrets=sealed)
    database.now(lambda connection: connection.execute(moved))
    with pytest.raises(Unsealable):
        await agents.bind(MINE, other.id)
    with pytest.raises(Unsealable):
        await _agents(database, Vault((bytes(range(32)),))).bind(MINE, full.id)
    assert await agents.bind(MINE, full.id) is not None
