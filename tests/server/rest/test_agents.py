"""``/v1/agents``, on both databases: what clients write and read, and what they never read."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from antiphon_protocol.rest_agents import Agent, AgentList
from antiphon_protocol.session_config import VOICES
from antiphon_server.store.database import Database
from server.rest.agent_desk import MINIMAL, Desk, desk_on
from server.rest.rest_client import ask
from server.rest.two_accounts import assert_hidden

TOOL: dict[str, Any] = {
    "name": "order_status",
    "description": "Looks an order up.",
    "parameters": {"type": "object", "properties": {"number": {"type": "string"}}},
    "timeout_seconds": 30,
    "execution_mode": "hold",
    "response_instructions": {"success": "Be glad.", "error": "Be sorry."},
    "http": {
        "url": "https://tools.example/orders",
        "http_method": "GET",
        "headers": [{"name": "Authorization", "value": "Bearer canary-1"}],
    },
}
MODEL = {"base_url": "https://models.example/v1", "model": "large", "api_key": "canary-2"}
BEFORE = {
    "http": {
        "url": "https://tools.example/before",
        "headers": [{"name": "X-Key", "value": "canary-3"}],
    },
    "sends": ["caller_number"],
    "returns": [{"name": "tier", "path": "customer.tier"}],
    "timeout_ms": 250,
    "allow_overrides": ["greeting"],
}
FULL: dict[str, Any] = {
    **MINIMAL,
    "greeting": "Hello.",
    "input": {"keyterms": ["Antiphon"], "turn_detection": {"min_silence": 300}},
    "output": {"volume": 80, "format": {"encoding": "audio/pcmu"}},
    "tools": [TOOL],
    "pre_connect_requests": [BEFORE],
    "transfer_targets": [{"name": "desk", "kind": "human", "phone_number": "+4930123456"}],
    "outbound_trunk_id": "trunk-1",
    "caller_id": "+4930654321",
    "llm": [MODEL, {"base_url": "https://models.example/v2", "model": "small"}],
    "platform_tools_enabled": False,
}


@pytest_asyncio.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    """Two clients of an API of agents."""
    async with desk_on(database) as opened:
        yield opened


async def test_a_minimal_agent_has_every_field(desk: Desk) -> None:
    """Those of the live record in section 6.2, and the voice that really speaks."""
    got = await desk.post(MINIMAL)
    assert got.status == 201
    body = got.body
    assert re.fullmatch("agent_[0-9a-f]{32}", body.pop("id"))
    assert body.pop("created_at") == body.pop("updated_at")
    pcm = {"encoding": "audio/pcm", "sample_rate": 24_000}
    listens, sounds = body.pop("input"), body.pop("output")
    assert (
        listens.items()
        >= {"type": "audio", "format": pcm, "turn_detection": None, "keyterms": None}.items()
    )
    assert sounds == {"type": "audio", "voice": "alba", "format": pcm, "volume": None}
    assert body == {
        **MINIMAL,
        "greeting": None,
        "tools": [],
        "pre_connect_requests": [],
        "transfer_targets": [],
        "outbound_trunk_id": None,
        "caller_id": None,
        "llm": [],
        "platform_tools_enabled": True,
    }


async def test_what_was_written_is_read_but_for_secrets(desk: Desk) -> None:
    """In the shapes of the declared answer; from ``GET`` as from ``POST``."""
    created = await desk.post(FULL)
    body = created.body
    assert msgspec.convert(body, Agent).name == "Support"
    (tool,) = body["tools"]
    assert re.fullmatch("tool_[0-9a-f]{32}", tool["id"])
    (header,) = tool["http"]["headers"]
    assert header == {"name": "Authorization", "last_set_at": header["last_set_at"]}
    for name in ("name", "description", "parameters", "timeout_seconds", "execution_mode"):
        assert tool[name] == TOOL[name]
    assert tool["response_instructions"] == TOOL["response_instructions"]
    assert tool["http"]["url"] == TOOL["http"]["url"]
    assert [model.keys() for model in body["llm"]] == [
        {"base_url", "model", "reasoning_effort"}
    ] * 2
    assert body["output"]["format"] == {"encoding": "audio/pcmu", "sample_rate": 8_000}
    assert (await desk.get(body["id"])).body == body
    assert "canary" not in created.raw.decode()


async def test_a_session_gets_the_secrets(desk: Desk) -> None:
    """Of every kind, opened."""
    agent_id = (await desk.post(FULL)).body["id"]
    bound = await desk.agents.bind(desk.mine.account, agent_id)
    assert bound is not None
    assert bound.http["order_status"].headers == (("Authorization", "Bearer canary-1"),)
    assert [model.api_key for model in bound.models] == ["canary-2", ""]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_change_keeps_what_it_does_not_name(desk: Desk, method: str) -> None:
    """And replaces what it does: values of headers stay where they are named."""
    before = (await desk.post(FULL)).body
    named = {**TOOL, "http": {**TOOL["http"], "headers": [{"name": "Authorization"}]}}
    after = await desk.put(before["id"], {"greeting": None, "tools": [named]}, method)
    assert after.status == 200
    assert after.body == before | {"greeting": None, "updated_at": after.body["updated_at"]}
    assert (await desk.get(before["id"])).body == after.body
    bound = await desk.agents.bind(desk.mine.account, before["id"])
    assert bound is not None
    assert bound.http["order_status"].headers == (("Authorization", "Bearer canary-1"),)


async def test_what_was_read_can_be_written_back(desk: Desk) -> None:
    """Ids, times and the voice of the output are ignored, and no secret is lost."""
    before = (await desk.post(FULL)).body
    after = await desk.put(before["id"], before)
    assert after.body == before | {"updated_at": after.body["updated_at"]}
    bound = await desk.agents.bind(desk.mine.account, before["id"])
    assert bound is not None
    assert bound.models[0].api_key == "canary-2"


async def test_agents_are_listed_newest_first(desk: Desk) -> None:
    """Page by page, in short."""
    ids = [(await desk.post({**MINIMAL, "name": f"n{number}"})).body["id"] for number in range(3)]
    first = (await desk.mine.ask("GET /v1/agents?limit=2")).body
    assert msgspec.convert(first, AgentList).has_more
    assert first["agents"][0].keys() == {"id", "name", "created_at", "updated_at"}
    cursor = first["response_metadata"]["next_cursor"]
    rest = (await desk.mine.ask(f"GET /v1/agents?limit=2&cursor={cursor}")).body
    assert [one["id"] for one in first["agents"] + rest["agents"]] == ids[::-1]
    assert (rest["has_more"], rest["response_metadata"]["next_cursor"]) == (False, "")
    wrong = await desk.mine.ask("GET /v1/agents?cursor=x")
    assert (wrong.status, wrong.body["param"]) == (422, "cursor")


async def test_a_deleted_agent_is_gone(desk: Desk) -> None:
    """204 with nothing in it; then 404."""
    agent_id = (await desk.post(MINIMAL)).body["id"]
    got = await desk.mine.ask(f"DELETE /v1/agents/{agent_id}")
    assert (got.status, got.raw) == (204, b"")
    for method in ("GET", "PUT", "DELETE"):
        gone = await desk.mine.ask(f"{method} /v1/agents/{agent_id}", b"{}")
        assert (gone.status, gone.body["code"], gone.body["message"]) == (
            404, "agent_not_found", "Agent not found",
        )  # fmt: skip


async def test_another_accounts_agent_does_not_exist(desk: Desk) -> None:
    """Whatever is tried; and it is in no list of theirs."""
    agent_id = (await desk.post(FULL)).body["id"]
    for target in ("GET /v1/agents/{}", "PUT /v1/agents/{}", "DELETE /v1/agents/{}"):
        await assert_hidden(desk.theirs, target, agent_id, b'{"name":"theirs"}')
    assert (await desk.theirs.ask("GET /v1/agents")).body["agents"] == []
    assert (await desk.get(agent_id)).body["name"] == "Support"


@pytest.mark.parametrize(
    "target",
    [
        "POST /v1/agents",
        "GET /v1/agents",
        "GET /v1/agents/x",
        "PUT /v1/agents/x",
        "DELETE /v1/agents/x",
    ],
)
async def test_agents_need_a_key(desk: Desk, target: str) -> None:
    """Before anything else is looked at."""
    for key, code in ((None, "missing_authorization"), ("wrong", "unauthorized")):
        got = await ask(desk.mine.app, target, b"{", authorization=key)
        assert (got.status, got.body["code"]) == (401, code)


_SLOW_TOOL = {**TOOL, "timeout_seconds": 301}
_LATE_TOOL = {**TOOL, "execution_mode": "later"}
_LOUD_MODEL = MODEL | {"reasoning_effort": "HIGH"}


@pytest.mark.parametrize(
    ("fields", "kind", "param"),
    [
        ({"name": None}, "string_type", "name"),
        ({"name": ""}, "string_too_short", "name"),
        ({"name": "a\0"}, "string_pattern_mismatch", "name"),
        ({"voice": {}}, "missing", "voice.voice_id"),
        ({"system_prompt": "x" * 131_073}, "string_too_long", "system_prompt"),
        ({"caller_id": "030 123"}, "string_pattern_mismatch", "caller_id"),
        ({"llm": [MODEL] * 5}, "too_long", "llm"),
        ({"llm": [MODEL | {"api_key": "a b"}]}, "string_pattern_mismatch", "llm[0].api_key"),
        ({"llm": [_LOUD_MODEL]}, "string_pattern_mismatch", "llm[0].reasoning_effort"),
        ({"tools": [TOOL] * 65}, "too_long", "tools"),
        ({"tools": [_SLOW_TOOL]}, "less_than_equal", "tools[0].timeout_seconds"),
        ({"tools": [{"name": "f"}]}, "missing", "tools[0].description"),
        ({"tools": [{**TOOL, "parameters": []}]}, "dict_type", "tools[0].parameters"),
        ({"tools": [_LATE_TOOL]}, "literal_error", "tools[0].execution_mode"),
        ({"pre_connect_requests": [BEFORE] * 3}, "too_long", "pre_connect_requests"),
        ({"input": {"format": "pcm16"}}, "model_attributes_type", "input.format"),
        ({"output": {"volume": 101}}, "less_than_equal", "output.volume"),
        ({"input": {"keyterms": ["x"] * 101}}, "too_long", "input.keyterms"),
    ],
)
async def test_what_cannot_be_is_422_with_its_place(
    desk: Desk, fields: dict[str, Any], kind: str, param: str
) -> None:
    """In ``POST``, and in ``PUT`` where null is no mistake; nothing is stored."""
    got = await desk.post({**MINIMAL, **fields})
    assert (got.status, got.body["code"], got.body["param"]) == (422, "validation_error", param)
    assert got.body["detail"][0]["type"] == kind
    agent_id = (await desk.post(MINIMAL)).body["id"]
    assert (await desk.put(agent_id, fields)).status == (200 if fields == {"name": None} else 422)
    assert len((await desk.mine.ask("GET /v1/agents")).body["agents"]) == 1


async def test_everything_that_is_missing_is_told(desk: Desk) -> None:
    """At once."""
    got = await desk.post({})
    assert [item["param"] for item in got.body["errors"]] == ["name", "system_prompt", "voice"]


async def test_a_voice_that_does_not_exist_is_told_in_the_hosted_words(database: Database) -> None:
    """A client parses the list out of the message (section 3.4)."""
    known = ", ".join(sorted(VOICES))
    async with desk_on(database, former_voices=False) as desk:
        for voice in ("nobody", "ivy"):
            got = await desk.post(MINIMAL | {"voice": {"voice_id": voice}})
            assert (got.status, got.body["param"]) == (422, "voice")
            told = f"voice: Invalid voice '{voice}'. Must be one of: {known}"
            assert got.body["message"] == told
    async with desk_on(database) as desk:
        assert (await desk.post(MINIMAL | {"voice": {"voice_id": "ivy"}})).status == 201


async def test_addresses_are_looked_up_when_they_are_written(desk: Desk) -> None:
    """All of them, each told with its place; what is stored stays as it was."""
    nowhere = {"url": "https://nowhere.example/"}
    fields = {
        "tools": [TOOL, {**TOOL, "name": "g", "http": nowhere}],
        "pre_connect_requests": [{"http": nowhere}],
        "llm": [{"base_url": "https://inside.example/v1", "model": "m"}],
    }
    agent_id = (await desk.post(MINIMAL)).body["id"]
    for got in (await desk.post(MINIMAL | fields), await desk.put(agent_id, fields)):
        assert (got.status, got.body["code"]) == (422, "validation_error")
        told = {item["param"]: item["message"] for item in got.body["errors"]}
        assert told.keys() == {
            "tools[1].http.url",
            "pre_connect_requests[0].http.url",
            "llm[0].base_url",
        }
        assert told["tools[1].http.url"] == "URL host nowhere.example does not resolve"
        assert "10.0.0.7" not in got.raw.decode()
    assert (await desk.get(agent_id)).body["tools"] == []


async def test_an_operators_own_model_may_be_allowed(database: Database) -> None:
    """By host and port, also without TLS."""
    llm = [{"base_url": "http://inside.example:8000/v1", "model": "m"}]
    async with desk_on(database, allow=("inside.example:8000",)) as desk:
        assert (await desk.post(MINIMAL | {"llm": llm})).status == 201
    async with desk_on(database) as desk:
        assert (await desk.post(MINIMAL | {"llm": llm})).status == 422


async def test_a_secret_in_the_wrong_place_is_not_repeated(desk: Desk) -> None:
    """Neither as it was sent nor in the message."""
    headers = [{"name": "X-Key", "value": "canary\n"}, {"name": "canary key", "value": "v"}]
    wrong = {
        "tools": [{**TOOL, "http": {"url": "https://tools.example", "headers": headers}}],
        "llm": [MODEL | {"api_key": "canary canary"}],
    }
    got = await desk.post(MINIMAL | wrong)
    assert got.status == 422
    assert "canary" not in got.raw.decode()


async def test_a_large_agent_fits(desk: Desk) -> None:
    """A long prompt and many tools; not one that no session could echo, nor beyond a mebibyte."""
    tools = [
        {"name": f"f{number}", "description": "d", "parameters": {"x": "x" * 700}}
        for number in range(64)
    ]
    large = {**MINIMAL, "system_prompt": "x" * 131_072, "tools": tools}
    assert (await desk.post(large)).status == 201
    got = await desk.post(
        {**large, "tools": [{**tool, "description": "d" * 3_000} for tool in tools]}
    )
    assert (got.status, got.body["code"]) == (422, "validation_error")
    assert "bytes of JSON" in got.body["message"]
    got = await desk.post({**large, "more": "x" * 900_000})
    assert (got.status, got.body["code"]) == (413, "invalid_request")


async def test_an_agent_is_created_once_under_a_key(desk: Desk) -> None:
    """A client that lost the answer asks again (section 6.1)."""
    answers = [await desk.post(FULL, idempotency_key="k-1") for _ in range(3)]
    assert {answer.status for answer in answers} == {201}
    assert len({answer.raw for answer in answers}) == 1
    assert len((await desk.mine.ask("GET /v1/agents")).body["agents"]) == 1
    other = await desk.post(MINIMAL, idempotency_key="k-1")
    assert (other.status, other.body["code"]) == (422, "idempotency_key_reuse")


async def test_two_changes_at_once_are_both_made(desk: Desk) -> None:
    """Neither undoes the other."""
    agent_id = (await desk.post(FULL)).body["id"]
    changes = [{"name": "New"}, {"greeting": "New."}, {"llm": []}, {"caller_id": None}]
    answers = await asyncio.gather(*(desk.put(agent_id, change) for change in changes))
    assert {answer.status for answer in answers} == {200}
    body = (await desk.get(agent_id)).body
    assert (body["name"], body["greeting"], body["llm"], body["caller_id"]) == (
        "New",
        "New.",
        [],
        None,
    )
    assert json.dumps(body["tools"]) != "[]"
