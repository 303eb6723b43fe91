"""A session's first update, as far as the server around it is asked: agents and webhooks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from antiphon_protocol import voice_agent as wire
from antiphon_protocol.rest_agents import AgentBody, AgentTool, Header, HttpCall, VoiceChoice
from antiphon_protocol.session_config import OutputConfig
from antiphon_server.call import records as r
from antiphon_server.store.agents import Agents
from antiphon_server.store.bound_agents import AgentSecrets, BoundAgent
from antiphon_server.store.webhook_outbox import inline_context
from server.call.scripted_call import sample
from server.call.twins import HttpToolsTwin
from server.edge.asgi_client import Client, VirtualNode, connected, started
from server.store.agent_bodies import KEYPAD_TOOL
from virtual_time import in_virtual_time

CALL = HttpCall(
    "https://tools.example/look-up", headers=(Header("authorization", datetime.now(UTC)),)
)
BODY = AgentBody(
    name="Ada",
    system_prompt="You are Ada.",
    voice=VoiceChoice("vera"),
    output=OutputConfig(voice="vera"),
    greeting="Hello, this is Ada.",
    tools=(
        AgentTool(id="tool_1", name="look_up", http=CALL),
        AgentTool(id="tool_2", name="ask"),
    ),
)
SECRETS = AgentSecrets(tools={"look_up": {"authorization": "Bearer canary"}})
HOOK = {
    "url": "https://127.0.0.1:9/hook",
    "events": ["session.completed"],
    "secret": "s" * 32,
}
ALLOW = "127.0.0.1:9"


async def _stored(node: VirtualNode, key: str = "mine", **changes: Any) -> str:
    """The id of an agent of a key's account."""
    account = (await node.keys.owner(key)).account
    agent = await node.backstage.agents.add(account, replace(BODY, **changes), SECRETS)
    return agent.id


class SlowAgents(Agents):
    """Agents that are looked up when the test says so."""

    def __init__(self, node: VirtualNode) -> None:
        self._agents = node.backstage.agents
        self.may = asyncio.Event()
        self.asked = 0
        node.backstage.agents = self

    async def bind(self, account: str, agent_id: str) -> BoundAgent | None:
        """Late."""
        self.asked += 1
        await self.may.wait()
        return await self._agents.bind(account, agent_id)


@in_virtual_time
async def test_a_stored_agent_is_what_the_session_is() -> None:
    """Its prompt, greeting, voice and tools, under the session's own id; no secret is echoed."""
    async with started(API_KEYS="mine") as node, connected(node, "token=mine") as client:
        agent_id = await _stored(node)
        client.update(agent_id=agent_id)
        ready = await client.until(wire.SessionReady)
        config = ready.config
        assert config.id == ready.session_id
        assert (config.system_prompt, config.greeting) == (BODY.system_prompt, BODY.greeting)
        assert config.output.voice == "vera"
        assert [(tool.name, tool.http is None) for tool in config.tools] == [
            ("look_up", False),
            ("ask", True),
        ]
        said = await client.until(wire.AgentTranscript)
        assert said.text == BODY.greeting
        assert "canary" not in str(client.events)
        (record,) = node.recorder.of(r.Started)
        assert record.agent_id == agent_id
        assert "canary" not in str(record.config)


@in_virtual_time
async def test_its_tools_are_run_with_its_secrets() -> None:
    """Which nobody else sees."""
    async with started(LLM_TOOL="look_up") as node:
        tools = HttpToolsTwin()
        node.backstage.http_tools = tools
        async with connected(node) as client:
            client.update(agent_id=await _stored(node, "", greeting=None))
            await client.until(wire.SessionReady)
            client.tell('{"type":"conversation.message","role":"user","content":"Look it up."}')
            client.tell('{"type":"reply.create"}')
            await client.until(wire.ToolCall)
            said = await client.until(wire.AgentTranscript)
            assert said.text == "The tool says: done"
            assert "canary" not in str(client.events)
        ((target, arguments, _),) = tools.asked
        assert (target.url, arguments) == (CALL.url, {})
        assert dict(target.headers) == {"authorization": "Bearer canary"}


@pytest.mark.parametrize("kind", ["unknown", "foreign", "deleted", "no id at all"])
@in_virtual_time
async def test_an_agent_that_is_not_there_is_not_found(kind: str) -> None:
    """``agent_not_found`` and 1008; what belongs to others does not exist (T16)."""
    async with started(API_KEYS="mine,theirs") as node:
        agent_id = {"unknown": f"agent_{0:032x}", "no id at all": "Ada"}.get(kind)
        if agent_id is None:
            agent_id = await _stored(node, "theirs" if kind == "foreign" else "mine")
        if kind == "deleted":
            await node.backstage.agents.remove((await node.keys.owner("mine")).account, agent_id)
        async with connected(node, "token=mine") as client:
            client.update(agent_id=agent_id)
            await client.task
            assert client.refusal == ("agent_not_found", 1008)
        await asyncio.sleep(0.1)
        assert node._sessions == 0
        assert node.recorder.taken == []


@pytest.mark.parametrize("other", [{"system_prompt": "p"}, {"greeting": "Hi."}, {"tools": []}])
@in_virtual_time
async def test_an_agent_stands_alone(other: dict[str, Any]) -> None:
    """Beside other fields it is ``invalid_value``, fatal on the first update (section 3.1)."""
    async with started() as node, connected(node) as client:
        client.update(agent_id=await _stored(node, ""), **other)
        await client.task
        assert client.refusal == ("invalid_value", 1008)
        assert client.heard(wire.SessionError)[0].param == "agent_id"


@in_virtual_time
async def test_an_agent_that_cannot_run_here_says_why() -> None:
    """A tool that needs a keypad."""
    async with started() as node, connected(node) as client:
        client.update(agent_id=await _stored(node, "", tools=(KEYPAD_TOOL,)))
        await client.task
        assert client.refusal == ("invalid_value", 1008)
        assert "pay" in client.heard(wire.SessionError)[0].message


@in_virtual_time
async def test_the_next_update_changes_the_session_and_not_the_agent() -> None:
    """As with any session; another agent is refused."""
    async with started() as node:
        agent_id = await _stored(node, "")
        async with connected(node) as client:
            client.update(agent_id=agent_id)
            await client.until(wire.SessionReady)
            client.update(system_prompt="You are Bob.")
            updated = await client.until(wire.SessionUpdated, 2)
            assert updated.config.system_prompt == "You are Bob."
            assert len(updated.config.tools) == 2
            client.update(agent_id=agent_id)
            error = await client.until(wire.SessionError)
            assert (error.code, client.closed) == ("agent_id_not_first", None)
        async with connected(node) as client:
            client.update(agent_id=agent_id)
            ready = await client.until(wire.SessionReady)
            assert ready.config.system_prompt == BODY.system_prompt


# --- an agent that is looked up slowly -----------------------------------------------------


@in_virtual_time
async def test_what_is_sent_meanwhile_comes_after_the_agent() -> None:
    """In its order: the update counts, then the reply is asked for; nothing is refused."""
    async with started() as node:
        agents = SlowAgents(node)
        agent_id = await agents._agents.add("", replace(BODY, greeting=None), SECRETS)
        async with connected(node) as client:
            client.update(agent_id=agent_id.id)
            client.update(system_prompt="You are Bob.")
            client.tell('{"type":"conversation.message","role":"user","content":"Hi."}')
            client.tell('{"type":"reply.create"}')
            await asyncio.sleep(5)
            assert client.messages == []
            agents.may.set()
            await client.until(wire.ReplyDone)
            assert client.kinds[:5] == [
                "session.updated",
                "session.ready",
                "session.updated",
                "reply.started",
                "transcript.agent",
            ]
            assert client.heard(wire.AgentTranscript)[0].text == "You said: Hi."
            assert agents.asked == 1


@pytest.mark.parametrize("after", ["leaves", "stops"])
@in_virtual_time
async def test_a_session_that_never_came_to_open_leaves_nothing(after: str) -> None:
    """The client leaves, or the server stops, while its agent is looked up."""
    before = sample("antiphon_sessions")
    async with started() as node:
        agents = SlowAgents(node)
        agent = await agents._agents.add("", BODY, SECRETS)
        async with connected(node) as client:
            client.update(agent_id=agent.id)
            await asyncio.sleep(1)
            assert agents.asked == 1
            if after == "stops":
                await node.calls.close()
                agents.may.set()
                await asyncio.sleep(1)
        agents.may.set()
        await asyncio.sleep(1)
        assert node._sessions == 0
        assert node.calls._live == {}
        if after == "stops":
            assert node.recorder.taken == []
        assert len(node.recorder.of(r.Started)) == len(node.recorder.of(r.Ended))
    assert sample("antiphon_sessions") == before


@in_virtual_time
async def test_a_look_up_that_takes_too_long_is_given_up() -> None:
    """The deadline of the first message covers it."""
    async with started(FIRST_MESSAGE_SECONDS="5") as node:
        agents = SlowAgents(node)
        async with connected(node) as client:
            client.update(agent_id="agent_1")
            await client.task
            assert client.closed == 1008
            assert asyncio.get_running_loop().time() == pytest.approx(5, abs=0.1)
        assert agents.asked == 1


# --- webhooks ------------------------------------------------------------------------------


async def _hooked(client: Client, hook: Any) -> None:
    client.update(system_prompt="p", webhook=hook)
    await asyncio.sleep(0.1)


@in_virtual_time
async def test_a_webhook_is_sealed_into_the_record() -> None:
    """For this session alone; neither its secret nor the hook is echoed."""
    async with (
        started(API_KEYS="mine", OUTBOUND_ALLOW=ALLOW) as node,
        connected(node, "token=mine") as client,
    ):
        await _hooked(client, HOOK)
        ready = await client.until(wire.SessionReady)
        (record,) = node.recorder.of(r.Started)
        assert record.webhook is not None
        assert b"s" * 32 not in record.webhook
        assert "s" * 32 not in str(client.events)
        sealed = node.backstage.vault.open(record.webhook, inline_context(ready.session_id))
        hook = msgspec.json.decode(sealed)
        assert (hook["url"], hook["secret"]) == (HOOK["url"], HOOK["secret"])
        client.update(webhook=HOOK)
        error = await client.until(wire.SessionError)
        assert (error.code, error.param, client.closed) == ("immutable_field", "webhook", None)


@pytest.mark.parametrize(
    "hook",
    [
        {**HOOK, "url": "http://169.254.169.254/latest"},
        {**HOOK, "url": "https://10.0.0.7/hook"},
        {**HOOK, "url": "nonsense"},
        {**HOOK, "secret": "short"},
        {**HOOK, "events": ["sneezed"]},
        {**HOOK, "events": []},
        {**HOOK, "more": 1},
        {},
        7,
    ],
)
@in_virtual_time
async def test_a_bad_webhook_opens_no_session(hook: Any) -> None:
    """``invalid_webhook`` with its param, and 1008; nothing is reached, nothing recorded."""
    async with started(OUTBOUND_ALLOW=ALLOW) as node, connected(node) as client:
        await _hooked(client, hook)
        await client.task
        assert client.refusal == ("invalid_webhook", 1008)
        assert (client.heard(wire.SessionError)[0].param or "").startswith("webhook")
        await asyncio.sleep(0.1)
        assert node._sessions == 0
        assert node.recorder.taken == []


@in_virtual_time
async def test_no_webhook_is_none() -> None:
    """Null as well."""
    async with started() as node, connected(node) as client:
        await _hooked(client, None)
        await client.until(wire.SessionReady)
        assert node.recorder.of(r.Started)[0].webhook is None
