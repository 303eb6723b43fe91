"""Providers of agents' own: whole calls against the vendors' fakes, and who shares what."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import structlog

from antiphon_protocol import voice_agent as wire
from antiphon_protocol.errors import InvalidConfig
from antiphon_server.edge import own_providers
from antiphon_server.edge.node import Node
from antiphon_server.edge.own_providers import OwnProviders
from antiphon_server.stages.offered import ProviderTarget
from fakes import anthropic, cartesia, deepgram, openai_realtime, voice_contexts
from server.edge.asgi_client import END, Client, VirtualNode, connected, started
from server.rest.rest_client import ask

CREATE = '{"type":"reply.create"}'
WRONG = "canary-wrong-key"


class Vendors:
    """A node whose operator has three vendors behind providers of its own."""

    def __init__(self) -> None:
        self.hears = deepgram.FakeDeepgram()
        self.thinks = anthropic.FakeAnthropic()
        self.speaks = cartesia.FakeCartesia()
        self.node: VirtualNode

    async def agent(self, providers: dict[str, Any], **fields: Any) -> str:
        """A stored agent's id."""
        body = {"name": "A", "system_prompt": "P", "voice": {"voice_id": "anna"}}
        sent = json.dumps({**body, "providers": providers, **fields}).encode()
        got = await ask(self.node.app, "POST /v1/agents", sent, authorization=None)
        assert got.status == 201, got.raw
        agent_id: str = got.body["id"]
        return agent_id

    @asynccontextmanager
    async def call(self, providers: dict[str, Any], **fields: Any) -> AsyncIterator[Client]:
        """A call of such an agent."""
        agent_id = await self.agent(providers, **fields)
        async with connected(self.node, "timeline=1") as client:
            client.update(agent_id=agent_id)
            yield client


@asynccontextmanager
async def _vendors() -> AsyncIterator[Vendors]:
    vendors = Vendors()
    async with AsyncExitStack() as stack:
        for fake in (vendors.hears, vendors.thinks, vendors.speaks):
            await stack.enter_async_context(fake)
        vendors.node = await stack.enter_async_context(
            started(
                STT="scripted,deepgram",
                STT_2_BASE_URL=vendors.hears.url,
                STT_2_API_KEY=deepgram.KEY,
                LLM="scripted,anthropic",
                LLM_2_BASE_URL=vendors.thinks.url,
                LLM_2_API_KEY=anthropic.KEY,
                LLM_2_MODEL="claude-of-the-node",
                TTS="scripted,cartesia",
                TTS_2_BASE_URL=vendors.speaks.url,
                TTS_2_API_KEY=voice_contexts.KEY,
            )
        )
        yield vendors


HEARS = {"name": "deepgram", "api_key": deepgram.KEY}
THINKS = {
    "name": "anthropic",
    "options": {"model": "claude-of-the-agent"},
    "api_key": anthropic.KEY,
}
SPEAKS = {"name": "cartesia", "options": {"voice": "v-agent"}, "api_key": voice_contexts.KEY}


async def test_a_call_is_served_by_what_its_agent_chose() -> None:
    """Each stage, with the agent's options; the turn's timeline names them."""
    async with _vendors() as vendors:
        chosen = {"stt": [HEARS], "llm": [THINKS], "tts": [SPEAKS]}
        async with vendors.call(chosen, greeting="Hi.") as client:
            await client.until(wire.ReplyDone)
            client.tell(CREATE)
            await client.until(wire.ReplyDone, 2)
            client.tell(END)
            await client.task
        turn = client.heard(wire.TurnTimeline)[-1]
        assert turn.providers["speech_to_text"] == "deepgram"
        assert turn.providers["language_model"] == "anthropic"
        assert turn.providers["text_to_speech"] == "cartesia"
        bodies = [json.loads(each.body) for each in vendors.thinks.requests if each.body]
        assert [body["model"] for body in bodies] == ["claude-of-the-agent"]
        spoken = [frame for session in vendors.speaks.sessions for frame in session.frames]
        assert {frame["voice"]["id"] for frame in spoken if "voice" in frame} == {"v-agent"}
        assert len(vendors.hears.sessions) > 1


async def test_an_agent_may_choose_a_model_that_hears_and_speaks() -> None:
    """Another one than the server has; a wrong key is found there, too."""
    async with (
        openai_realtime.FakeOpenAIRealtime() as whole,
        started(
            S2S="scripted,openai-realtime",
            S2S_2_BASE_URL=whole.url,
            S2S_2_API_KEY=openai_realtime.KEY,
        ) as node,
    ):
        vendors = Vendors()
        vendors.node = node
        chosen = {"s2s": [{"name": "openai-realtime", "api_key": openai_realtime.KEY}]}
        async with vendors.call(chosen) as client:
            await client.until(wire.SessionReady)
            client.tell(CREATE)
            await client.until(wire.ReplyDone)
            client.tell(END)
            await client.task
        turn = client.heard(wire.TurnTimeline)[-1]
        assert turn.providers["speech_to_speech"] == "openai-realtime"
        wrong = {"s2s": [{"name": "openai-realtime", "api_key": WRONG}]}
        async with vendors.call(wrong) as client:
            await client.task
            assert client.refusal == ("invalid_config", 1008)


@pytest.mark.parametrize(
    ("providers", "words"),
    [
        ({"stt": [{**HEARS, "api_key": WRONG}]}, "Invalid credentials."),
        ({"stt": [{**HEARS, "options": {"model": "nobody"}}]}, "No such model: nobody"),
        ({"llm": [{**THINKS, "api_key": WRONG}]}, "invalid x-api-key"),
        ({"tts": [{**SPEAKS, "api_key": WRONG}]}, "Invalid API key"),
        ({"tts": [{"name": "default"}, {**SPEAKS, "api_key": WRONG}]}, "Invalid API key"),
    ],
)
async def test_a_wrong_key_or_model_ends_the_session_at_its_start(
    providers: dict[str, Any], words: str
) -> None:
    """In the vendor's words, with the stage; neither the client nor the log learns the key."""
    said = io.StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(said))
    try:
        async with _vendors() as vendors, vendors.call(providers) as client:
            error = await client.until(wire.SessionError)
            await client.task
            assert client.refusal == ("invalid_config", 1008)
            assert error.param == f"providers.{next(iter(providers))}"
            assert words in error.message
            assert "session.ready" not in client.kinds
            assert WRONG not in json.dumps(client.events) + said.getvalue()
    finally:
        structlog.reset_defaults()


async def test_a_vendor_that_is_away_refuses_nobody() -> None:
    """Nor does the server's own voice speak for it unless it is listed."""
    async with _vendors() as vendors:
        vendors.speaks.fault.status = 503
        both = {"tts": [SPEAKS, {"name": "default"}]}
        async with vendors.call(both, greeting="Hi.") as client:
            done = await client.until(wire.ReplyDone)
            assert (done.status, client.heard(wire.ReplyError)) == ("completed", [])
        async with vendors.call({"tts": [SPEAKS]}, greeting="Hi.") as client:
            await client.until(wire.ReplyDone)
            assert client.heard(wire.ReplyError)


async def test_a_session_that_hears_nothing_of_the_check_begins_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A vendor that hangs costs a session a bounded time."""
    monkeypatch.setattr(own_providers, "CHECK_SECONDS", 0.05)
    async with _vendors() as vendors:
        vendors.hears.fault.hang = True
        async with vendors.call({"stt": [HEARS]}) as client:
            await client.until(wire.SessionReady)


def _targets(key: str) -> dict[str, tuple[ProviderTarget, ...]]:
    return {"stt": (ProviderTarget("deepgram", "{}", key),)}


@asynccontextmanager
async def _pool(node: Node) -> AsyncIterator[OwnProviders]:
    pool = OwnProviders(node.pipeline)
    try:
        yield pool
    finally:
        await pool.close()


async def test_tenants_share_neither_keys_nor_connections() -> None:
    """The calls of one account share what is configured alike, and nothing else is shared."""
    async with _vendors() as vendors, _pool(vendors.node) as pool:
        node = vendors.node.services
        mine = await pool.lease("mine", _targets(deepgram.KEY))
        again = await pool.lease("mine", _targets(deepgram.KEY))
        theirs = await pool.lease("theirs", _targets(deepgram.KEY))
        one, two, three = [
            lease.services(node).hearing.speech_to_text for lease in (mine, again, theirs)
        ]
        assert one is two
        assert one is not three
        vendors.hears.key = "other"
        other = await pool.lease("theirs", _targets("other"))
        sent = vendors.hears.sessions[-1].connection.request
        assert sent is not None
        assert sent.headers["Authorization"] == "Token other"
        assert other.services(node).hearing.speech_to_text not in (one, three)
        with pytest.raises(InvalidConfig):
            await pool.lease("third", _targets(deepgram.KEY))
        # A refusal is not remembered.
        vendors.hears.key = deepgram.KEY
        await pool.lease("third", _targets(deepgram.KEY))


async def test_what_no_call_uses_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while, or at once where there are many; what is used stays."""
    monkeypatch.setattr(own_providers, "MOST_IDLE", 1)
    async with _vendors() as vendors, _pool(vendors.node) as pool:
        node = vendors.node.services
        one = await pool.lease("one", _targets(deepgram.KEY))
        two = await pool.lease("two", _targets(deepgram.KEY))
        first, second = [each.services(node).hearing.speech_to_text for each in (one, two)]
        one.release()
        one.release()
        again = await pool.lease("one", _targets(deepgram.KEY))
        assert again.services(node).hearing.speech_to_text is first
        again.release()
        two.release()
        back = await pool.lease("two", _targets(deepgram.KEY))
        anew = await pool.lease("one", _targets(deepgram.KEY))
        assert back.services(node).hearing.speech_to_text is second
        assert anew.services(node).hearing.speech_to_text is not first
        monkeypatch.setattr(own_providers, "IDLE_SECONDS", 0.0)
        back.release()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        last = await pool.lease("two", _targets(deepgram.KEY))
        assert last.services(node).hearing.speech_to_text is not second


async def test_the_servers_own_alone_is_nobody_elses() -> None:
    """An agent that lists nobody else is served as without; speech in one needs a model."""
    async with _vendors() as vendors, _pool(vendors.node) as pool:
        node = vendors.node.services
        own = (ProviderTarget("default"),)
        lease = await pool.lease("mine", {"stt": own, "llm": own})
        assert lease.services(node) == node
        with pytest.raises(InvalidConfig, match="no provider of its own"):
            await pool.lease("mine", {"s2s": own})
        off = await pool.lease("mine", {"s2s": (ProviderTarget("off"),)})
        assert off.services(node) == node
    async with started(S2S="scripted") as serving, _pool(serving) as pool:
        lease = await pool.lease("mine", {"s2s": own})
        assert lease.services(serving.services).speech_to_speech is not None


@pytest.mark.parametrize(
    ("providers", "converses"),
    [
        ({}, True),
        ({"s2s": [{"name": "default"}]}, True),
        ({"s2s": [{"name": "off"}]}, False),
        ({"llm": [{"name": "default"}]}, False),
        ({"stt": [{"name": "default"}], "s2s": [{"name": "default"}]}, True),
    ],
)
async def test_an_agent_chooses_between_one_model_and_three(
    providers: dict[str, Any], *, converses: bool
) -> None:
    """Where the server has both: who says so has the three, and who names a stage of them and no
    model for all.
    """
    async with started(S2S="scripted") as node:
        vendors = Vendors()
        vendors.node = node
        async with vendors.call(providers) as client:
            await client.until(wire.SessionReady)
            client.tell(CREATE)
            await client.until(wire.ReplyDone)
            client.tell(END)
            await client.task
        turn = client.heard(wire.TurnTimeline)[-1]
        assert ("speech_to_speech" in turn.providers) is converses
