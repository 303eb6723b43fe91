"""Providers of agents over ``/v1/agents``, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa

from antiphon_server.store.database import Database
from antiphon_server.store.tables import agents as table
from server.rest.agent_desk import MINIMAL, Desk, desk_on

HEARS = {"name": "deepgram", "options": {"model": "nova-3"}, "api_key": "canary-1"}
SPEAKS = {"name": "cartesia", "api_key": "canary-2"}
BOTH = {"stt": [HEARS], "tts": [SPEAKS, {"name": "default"}]}
MODEL = {"base_url": "https://models.example/v1", "model": "m", "api_key": "canary-3"}
THINKS = {"name": "anthropic", "options": {"model": "claude"}, "api_key": "canary-4"}


@pytest_asyncio.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    """Two clients of an API of agents."""
    async with desk_on(database) as opened:
        yield opened


async def _keys(desk: Desk, agent_id: str) -> dict[str, list[str]]:
    found = await desk.agents.bind(desk.mine.account, agent_id)
    assert found is not None
    return {stage: [one.api_key for one in chosen] for stage, chosen in found.providers.items()}


async def test_an_agent_without_is_read_as_the_hosted_service_has_it(desk: Desk) -> None:
    """Strict clients know no such field; it goes again with the last stage."""
    assert "providers" not in (await desk.post(MINIMAL)).body
    assert "providers" not in (await desk.post(MINIMAL | {"providers": None})).body
    got = await desk.post(MINIMAL | {"providers": BOTH})
    assert "providers" in got.body
    assert "providers" not in (await desk.put(got.body["id"], {"providers": {"stt": []}})).body
    assert await _keys(desk, got.body["id"]) == {}


async def test_keys_go_in_and_never_come_out(desk: Desk, database: Database) -> None:
    """Neither in an answer nor in a row; a session gets them."""
    got = await desk.post(MINIMAL | {"providers": BOTH})
    assert got.status == 201
    assert got.body["providers"] == {
        "stt": [{"name": "deepgram", "options": {"model": "nova-3"}}],
        "tts": [{"name": "cartesia", "options": {}}, {"name": "default", "options": {}}],
    }
    agent_id = got.body["id"]
    for answer in (got, await desk.get(agent_id)):
        assert b"canary" not in answer.raw
    rows = await database.read(lambda connection: connection.execute(sa.select(table)).all())
    assert "canary" not in repr(rows)
    assert await _keys(desk, agent_id) == {"stt": ["canary-1"], "tts": ["canary-2", ""]}


async def test_a_key_stays_while_its_provider_is_listed(desk: Desk) -> None:
    """What was read can be written back; another provider never gets it."""
    agent_id = (await desk.post(MINIMAL | {"providers": BOTH})).body["id"]
    read = (await desk.get(agent_id)).body
    assert (await desk.put(agent_id, {"providers": read["providers"]})).status == 200
    assert (await desk.put(agent_id, {"name": "Other"})).status == 200
    assert await _keys(desk, agent_id) == {"stt": ["canary-1"], "tts": ["canary-2", ""]}
    got = await desk.put(agent_id, {"providers": {"stt": [{"name": "assemblyai"}]}})
    assert (got.status, got.body["param"]) == (422, "providers.stt[0].api_key")
    new = {"providers": {"stt": [HEARS | {"api_key": "canary-9"}]}}
    assert (await desk.put(agent_id, new)).status == 200
    assert await _keys(desk, agent_id) == {"stt": ["canary-9"]}


@pytest.mark.parametrize(
    ("providers", "param"),
    [
        ({"stt": [HEARS] * 4}, "providers.stt"),
        ({"stt": HEARS}, "providers.stt"),
        ({"vad": [HEARS]}, "providers.vad"),
        ([], "providers"),
        ({"stt": [HEARS | {"base_url": "http://10.0.0.7"}]}, "providers.stt[0].base_url"),
        ({"stt": [{**HEARS, "name": "canary"}]}, "providers.stt[0].name"),
        ({"stt": [{**HEARS, "name": "moonshine"}]}, "providers.stt[0].name"),
        ({"stt": [{**HEARS, "options": {"base_url": "ws://x"}}]}, "providers.stt[0].options"),
        ({"stt": [{**HEARS, "options": {"model": ""}}]}, "providers.stt[0].options"),
        ({"stt": [{**HEARS, "api_key": "canary 1"}]}, "providers.stt[0].api_key"),
        ({"stt": [{"name": "deepgram"}]}, "providers.stt[0].api_key"),
        ({"tts": [{"name": "default", "api_key": "canary"}]}, "providers.tts[0].options"),
        ({"llm": [{**THINKS, "options": {}}]}, "providers.llm[0].options"),
        ({"llm": [{"name": "off"}]}, "providers.llm[0].name"),
        ({"s2s": [{"name": "default"}, {"name": "off"}]}, "providers.s2s[1].name"),
        ({"s2s": [{"name": "off", "api_key": "canary-5"}]}, "providers.s2s[0].options"),
        ({"s2s": [{"name": "off", "options": {"model": "m"}}]}, "providers.s2s[0].options"),
    ],
)
async def test_what_cannot_be_is_refused_with_its_place(
    desk: Desk, providers: Any, param: str
) -> None:
    """In ``POST`` and ``PUT``; nothing is stored, and no key is repeated."""
    agent_id = (await desk.post(MINIMAL)).body["id"]
    for got in (
        await desk.post(MINIMAL | {"providers": providers}),
        await desk.put(agent_id, {"providers": providers}),
    ):
        assert (got.status, got.body["param"]) == (422, param)
        assert b"canary-" not in got.raw
    assert "providers" not in (await desk.get(agent_id)).body


async def test_an_agent_has_one_answer_to_who_writes(desk: Desk) -> None:
    """Also where the other one was stored earlier."""
    agent_id = (await desk.post(MINIMAL | {"llm": [MODEL]})).body["id"]
    got = await desk.put(agent_id, {"providers": {"llm": [THINKS]}})
    assert (got.status, got.body["param"]) == (422, "providers.llm")
    change = {"llm": [], "providers": {"llm": [THINKS]}}
    assert (await desk.put(agent_id, change)).status == 200
    assert (await desk.put(agent_id, {"llm": [MODEL]})).status == 422


async def test_an_agent_says_that_no_model_is_to_answer_by_itself(desk: Desk) -> None:
    """With a language model of its own as well, for which that would be in the way; and takes it
    back.
    """
    off = {"s2s": [{"name": "off"}]}
    got = await desk.post(MINIMAL | {"llm": [MODEL], "providers": off})
    assert got.status == 201
    assert got.body["providers"] == {"s2s": [{"name": "off", "options": {}}]}
    agent_id = got.body["id"]
    found = await desk.agents.bind(desk.mine.account, agent_id)
    assert found is not None
    assert [one.name for one in found.providers["s2s"]] == ["off"]
    assert "providers" not in (await desk.put(agent_id, {"providers": {}})).body
