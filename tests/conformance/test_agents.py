"""Stored agents over REST (§6.2, Appendix B)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from conformance import spec
from conformance.dialogue import LOOK_UP, agent_body, own_model, stored
from conformance.shapes import misfits, nullable, text
from conformance.spec import nested
from conformance.target import Target
from conformance.test_rest import envelope

TOOL = {key: value for key, value in LOOK_UP.items() if key != "type"}
HOST = "https://example.com"


@pytest.mark.parametrize("path", spec.AGENT)
async def test_a_minimal_agent_is_answered_whole(target: Target, path: str) -> None:
    """§6.2: 201 with every key: what was not set has its default."""
    async with target.rest() as rest, stored(rest) as agent:
        assert misfits(agent, {path: spec.AGENT[path]}) == []
        read = await rest.get(f"/v1/agents/{agent['id']}")
        assert (read.status_code, read.json()) == (200, agent)


@pytest.mark.recommended
@pytest.mark.parametrize("enabled", [True, False])
async def test_platform_tools_can_be_switched_off(target: Target, enabled: bool) -> None:
    """§3.3, §6.2: ``platform_tools_enabled``, by default true."""
    fields = {} if enabled else {"platform_tools_enabled": False}
    async with target.rest() as rest, stored(rest, **fields) as agent:
        assert agent["platform_tools_enabled"] is enabled


@pytest.mark.parametrize("field", ["name", "system_prompt", "voice"])
async def test_what_is_required_must_be_there(target: Target, field: str) -> None:
    """§6.1, §6.2: 422 ``validation_error`` with ``param``, ``errors`` and the old ``detail``."""
    body = agent_body()
    del body[field]
    async with target.rest() as rest:
        error = envelope(await rest.post("/v1/agents", json=body), 422, "validation_error")
    assert error["param"] == field
    assert field in {one["param"] for one in error["errors"]}
    assert isinstance(error["detail"], list)


async def test_an_unknown_voice_is_answered_with_the_list(target: Target) -> None:
    """§6.1: 422, message ``voice: Invalid voice '…'. Must be one of: …``, param ``voice``."""
    async with target.rest() as rest:
        answer = await rest.post("/v1/agents", json=agent_body(voice={"voice_id": "nobody"}))
    error = envelope(answer, 422, "validation_error")
    assert error["message"].startswith("voice: Invalid voice 'nobody'. Must be one of: alba, ")
    assert error["param"] == "voice"


WHOLE: dict[str, Any] = {
    "system_prompt": "You sell ships.",
    "greeting": "Hello.",
    "voice": {"voice_id": "vera"},
    "input": {"keyterms": ["Antiphon"], "transcription_mode": "min_latency"},
    "output": {"volume": 70, "format": {"encoding": "audio/pcmu"}},
    "tools": [
        {
            **TOOL,
            "timeout_seconds": 30,
            "execution_mode": "hold",
            "response_instructions": {"success": "Be glad.", "error": "Be sorry."},
        }
    ],
    "caller_id": "+15550100200",
}


@pytest.mark.parametrize("field", WHOLE)
async def test_every_field_is_stored_as_it_was_sent(target: Target, field: str) -> None:
    """§6.2: and read as it was stored."""
    async with target.rest() as rest, stored(rest, **WHOLE) as agent:
        _holds(WHOLE[field], agent[field])


def _holds(sent: Any, read: Any) -> None:
    """What is read has at least what was sent."""
    if isinstance(sent, dict):
        for key, value in sent.items():
            _holds(value, read[key])
    elif isinstance(sent, list) and sent and isinstance(sent[0], dict):
        assert len(sent) == len(read)
        for one, other in zip(sent, read, strict=True):
            _holds(one, other)
    else:
        assert read == sent


REFUSED: list[tuple[str, Any]] = [
    ("tools", [{**TOOL, "timeout_seconds": 0}]),
    ("tools", [{**TOOL, "timeout_seconds": 301}]),
    ("tools", [{**TOOL, "execution_mode": "later"}]),
    ("tools", [{**TOOL, **nested("response_instructions.success", "s" * 501)}]),
    ("tools", [{**TOOL, **nested("response_instructions.error", "e" * 501)}]),
    ("tools", [{"name": "f", "parameters": {}}]),
    ("tools", [{"description": "Nameless."}]),
    ("input", {"keyterms": ["a"] * 101}),
    ("input", {"transcription_prompt": "p" * 1751}),
    ("input", {"turn_detection": {"min_silence": 49}}),
    ("output", {"volume": 101}),
    ("caller_id", "5550100"),
    ("llm", [{"base_url": HOST, "model": "m", "api_key": "k", "reasoning_effort": "Very High"}]),
    ("llm", [{"base_url": HOST}]),
    ("pre_connect_requests", [{"http": {"url": HOST}}] * 3),
    ("pre_connect_requests", [{"http": {"url": HOST}, "timeout_ms": 0}]),
    ("pre_connect_requests", [{"http": {"url": HOST}, "timeout_ms": 801}]),
    ("pre_connect_requests", [{"http": {"url": HOST}, "allow_overrides": ["voice"]}]),
    ("name", 5),
    ("system_prompt", None),
    ("voice", "alba"),
]


@pytest.mark.parametrize(("field", "value"), REFUSED, ids=lambda value: str(value)[:40])
async def test_what_cannot_be_is_refused_with_its_field(
    target: Target, field: str, value: Any
) -> None:
    """§6.1, §6.2, §B: 422 ``validation_error`` and a ``param`` that begins with the field."""
    async with target.rest() as rest:
        answer = await rest.post("/v1/agents", json=agent_body(**{field: value}))
    error = envelope(answer, 422, "validation_error")
    assert str(error["param"]).startswith(field)


DTMF = {"parameter_name": "word", "min_digits": 1, "max_digits": 64, "prompt": "Type it."}


@pytest.mark.parametrize(
    "wrong", [{"min_digits": 0}, {"max_digits": 65}, {"timeout_seconds": 301}, {"sensitive": None}]
)
async def test_digits_of_the_keypad_have_ranges(target: Target, wrong: dict[str, Any]) -> None:
    """§6.2, §B: 1 to 64 digits, 1 to 300 seconds; ``sensitive`` must be stated."""
    profile = {**DTMF, "sensitive": False, **wrong}
    profile = {key: value for key, value in profile.items() if value is not None}
    tools = [{**TOOL, "dtmf_collected_arguments": [profile]}]
    async with target.rest() as rest:
        answer = await rest.post("/v1/agents", json=agent_body(tools=tools))
    envelope(answer, 422, "validation_error")


async def test_a_tool_gets_an_id_that_stays_while_its_name_does(target: Target) -> None:
    """§6.2: ``tool_…`` assigned by the server."""
    async with target.rest() as rest, stored(rest, tools=[TOOL]) as agent:
        first = agent["tools"][0]["id"]
        assert spec.TOOL_ID.holds(first)
        changed = {**TOOL, "description": "Another."}
        tools = (await _put(rest, agent, tools=[changed, {**TOOL, "name": "other"}]))["tools"]
        assert tools[0]["id"] == first
        assert tools[1]["id"] != first


async def _put(rest: httpx.AsyncClient, agent: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = await rest.put(f"/v1/agents/{agent['id']}", json=fields)
    assert answer.status_code == 200, answer.text
    changed: dict[str, Any] = answer.json()
    return changed


async def test_put_keeps_what_it_does_not_name_and_replaces_lists(target: Target) -> None:
    """§6.2: a merge of the top level; ``tools`` replaces the whole list; ``updated_at`` moves."""
    async with target.rest() as rest, stored(rest, **WHOLE) as agent:
        changed = await _put(rest, agent, greeting="Welcome.")
        kept = set(agent) - {"greeting", "updated_at"}
        assert {key: changed[key] for key in kept} == {key: agent[key] for key in kept}
        assert changed["greeting"] == "Welcome."
        assert changed["updated_at"] > agent["updated_at"]
        changed = await _put(rest, agent, tools=[])
        assert (changed["tools"], changed["greeting"]) == ([], "Welcome.")


async def test_put_with_the_whole_declaration_works(target: Target) -> None:
    """§6.2: the SDK always sends everything."""
    async with target.rest() as rest, stored(rest, **WHOLE) as agent:
        changed = await _put(rest, agent, **agent_body(**WHOLE))
        assert changed["tools"] == agent["tools"]


async def test_put_refuses_like_post_and_changes_nothing(target: Target) -> None:
    """§6.1, §6.2: 422, and the agent is as it was."""
    async with target.rest() as rest, stored(rest) as agent:
        body = {"greeting": "New.", "tools": [{**TOOL, "timeout_seconds": 0}]}
        answer = await rest.put(f"/v1/agents/{agent['id']}", json=body)
        envelope(answer, 422, "validation_error")
        assert (await rest.get(f"/v1/agents/{agent['id']}")).json() == agent


async def test_a_deleted_agent_is_gone(target: Target) -> None:
    """§6.2: 204 without a body; then 404, again too."""
    async with target.rest() as rest, stored(rest) as agent:
        path = f"/v1/agents/{agent['id']}"
        answer = await rest.delete(path)
        assert (answer.status_code, answer.content) == (204, b"")
        envelope(await rest.get(path), 404, "agent_not_found")
        envelope(await rest.delete(path), 404, "agent_not_found")


async def test_the_list_is_newest_first_and_pages_through_all(target: Target) -> None:
    """§6, §6.2: ``id``, ``name`` and times; following ``next_cursor`` finds each once."""
    async with target.rest() as rest, stored(rest) as a, stored(rest) as b, stored(rest) as c:
        found: list[dict[str, Any]] = []
        cursor, more = "", True
        while more:
            after = {"cursor": cursor} if cursor else {}
            page = (await rest.get("/v1/agents", params={"limit": "2", **after})).json()
            assert len(page["agents"]) <= 2
            found += page["agents"]
            cursor, more = page["response_metadata"]["next_cursor"], page["has_more"]
        assert cursor == ""
        ids = [one["id"] for one in found]
        assert len(ids) == len(set(ids))
        assert [one for one in ids if one in {a["id"], b["id"], c["id"]}] == [
            c["id"],
            b["id"],
            a["id"],
        ]
        keys = {"id": spec.AGENT_ID, "name": text, "created_at": text, "updated_at": text}
        assert [wrong for one in found for wrong in misfits(one, keys)] == []


@pytest.mark.needs("other-key")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_an_agent_of_another_account_does_not_exist(target: Target, method: str) -> None:
    """§6.2: to another account it is 404, and it is not in their list."""
    async with (
        target.rest() as rest,
        target.rest(target.other_key) as other,
        stored(rest) as agent,
    ):
        answer = await other.request(
            method, f"/v1/agents/{agent['id']}", json={} if method == "PUT" else None
        )
        envelope(answer, 404, "agent_not_found")
        listed = (await other.get("/v1/agents", params={"limit": 200})).text
        assert agent["id"] not in listed


@pytest.mark.needs("callback-url")
async def test_the_key_of_a_model_is_never_told(target: Target) -> None:
    """§3.5, §6.2: ``api_key`` is write-only; base URL and model are read."""
    async with target.rest() as rest, stored(rest, llm=own_model(target)) as agent:
        (model,) = agent["llm"]
        assert model["base_url"] == own_model(target)[0]["base_url"]
        assert model["model"] == own_model(target)[0]["model"]
        for answer in (await rest.get(f"/v1/agents/{agent['id']}"), await rest.get("/v1/agents")):
            assert "sk-of-ours" not in answer.text
        assert (await _put(rest, agent, llm=[]))["llm"] == []


@pytest.mark.needs("callback-url")
async def test_a_header_is_set_kept_and_removed_but_never_told(target: Target) -> None:
    """§6.2: written ``{name, value}``, read ``{name, last_set_at}``; name only keeps it."""
    address, _ = target.peer.box()

    def tools(*headers: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**TOOL, "http": {"url": address, "headers": list(headers)}}]

    secret = {"name": "X-Secret", "value": "very-secret-value"}
    async with target.rest() as rest, stored(rest, tools=tools(secret)) as agent:
        (header,) = agent["tools"][0]["http"]["headers"]
        assert misfits(header, {"name": text, "last_set_at": nullable(text)}) == []
        assert "value" not in header
        kept = await _put(rest, agent, tools=tools({"name": "X-Secret"}))
        assert kept["tools"][0]["http"]["headers"] == [header]
        gone = await _put(rest, agent, tools=tools({"name": "X-Secret", "remove": True}))
        assert gone["tools"][0]["http"]["headers"] == []
        assert "very-secret-value" not in str([agent, kept, gone])


BAD_URLS = [
    "not a url",
    "ftp://example.com/a",
    "http://example.com/a",
    "https://does-not-exist.invalid/a",
    "https://127.0.0.1/a",
    "https://[::1]/a",
    "https://169.254.169.254/latest",
    "https://10.0.0.1/a",
    "https://localhost/a",
    "https://x--svc-0123456789abcdef0123456789abcdef.modal.run/a",
    f"https://example.com/{'a' * 2048}",
]


@pytest.mark.parametrize("url", BAD_URLS, ids=lambda url: url[:50])
async def test_an_address_that_a_tool_may_not_have_is_refused(target: Target, url: str) -> None:
    """§3.3, §6.2, §B: https, public, resolving when it is written, at most 2048 characters."""
    async with target.rest() as rest:
        answer = await rest.post(
            "/v1/agents", json=agent_body(tools=[{**TOOL, "http": {"url": url}}])
        )
    envelope(answer, 422, "validation_error")


async def test_a_host_that_does_not_resolve_is_named(target: Target) -> None:
    """§6.2: message with ``URL host … does not resolve``."""
    tools = [{**TOOL, "http": {"url": "https://does-not-exist.invalid/a"}}]
    async with target.rest() as rest:
        answer = await rest.post("/v1/agents", json=agent_body(tools=tools))
    message = envelope(answer, 422, "validation_error")["message"]
    assert "URL host" in message
    assert "does-not-exist.invalid" in message
    assert "does not resolve" in message
