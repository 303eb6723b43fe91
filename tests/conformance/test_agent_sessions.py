"""Sessions that are bound to a stored agent, and its own model (§3.1, §3.5)."""

from __future__ import annotations

import pytest

from conformance.dialogue import LOOK_UP, SPOKEN, own_model, stored
from conformance.model import Says, Script, saying
from conformance.target import Target
from conformance.wire import opened, ready

TOOL = {key: value for key, value in LOOK_UP.items() if key != "type"}


async def test_a_session_takes_everything_from_its_agent(target: Target) -> None:
    """§3.1, §4.2, §6.2: prompt, greeting, tools, formats; the voice is ``voice.voice_id``."""
    async with (
        target.rest() as rest,
        stored(
            rest,
            system_prompt="You sell ships.",
            greeting="Hello.",
            voice={"voice_id": "vera"},
            output={"format": {"encoding": "audio/pcmu"}, "volume": 60},
            input={"keyterms": ["Antiphon"]},
            tools=[TOOL],
        ) as agent,
        opened(target) as call,
    ):
        config = (await ready(call, agent_id=agent["id"]))["config"]
        assert call.kinds()[:2] == ["session.updated", "session.ready"]
        assert config["system_prompt"] == "You sell ships."
        assert config["greeting"] == "Hello."
        assert config["output"]["voice"] == "vera"
        assert config["output"]["format"] == {"encoding": "audio/pcmu", "sample_rate": 8000}
        assert config["output"]["volume"] == 60
        assert config["input"]["keyterms"] == ["Antiphon"]
        assert [tool["name"] for tool in config["tools"]] == ["look_up"]
        assert (await call.next("transcript.agent"))["text"] == "Hello."


async def test_prompt_and_tools_may_be_changed_after_binding(target: Target) -> None:
    """§3.1: later updates work; what is immutable stays so, and ``agent_id`` came first."""
    async with target.rest() as rest, stored(rest) as agent, opened(target) as call:
        await ready(call, agent_id=agent["id"])
        await call.update(system_prompt="Another.", tools=[LOOK_UP])
        config = (await call.next("session.updated"))["config"]
        assert (config["system_prompt"], len(config["tools"])) == ("Another.", 1)
        await call.update(output={"voice": "paul"})
        assert (await call.error("immutable_field"))["param"] == "output.voice"
        await call.update(agent_id=agent["id"])
        await call.error("agent_id_not_first")


async def test_a_changed_agent_holds_for_the_next_session(target: Target) -> None:
    """§6.2: a session has what the agent was when it began."""
    async with (
        target.rest() as rest,
        stored(rest, greeting="") as agent,
        opened(target) as before,
        opened(target) as after,
    ):
        await ready(before, agent_id=agent["id"])
        await rest.put(f"/v1/agents/{agent['id']}", json={"system_prompt": "New."})
        assert (await ready(after, agent_id=agent["id"]))["config"]["system_prompt"] == "New."
        await before.update(output={"volume": 10})
        config = (await before.next("session.updated"))["config"]
        assert config["system_prompt"] == "Be brief."


async def test_a_deleted_agent_cannot_be_bound(target: Target) -> None:
    """§3.1: ``agent_not_found``, close 1008."""
    async with target.rest() as rest, stored(rest) as agent, opened(target) as call:
        await rest.delete(f"/v1/agents/{agent['id']}")
        await call.update(agent_id=agent["id"])
        assert (await call.error("agent_not_found"))["param"] == "agent_id"
        assert await call.closed() == 1008


@pytest.mark.needs("other-key")
async def test_an_agent_of_another_account_cannot_be_bound(target: Target) -> None:
    """§3.1: ``agent_not_found``, as if it did not exist."""
    async with (
        target.rest() as rest,
        stored(rest) as agent,
        opened(target, header=target.other_key) as call,
    ):
        await call.update(agent_id=agent["id"])
        assert (await call.error("agent_not_found"))["param"] == "agent_id"
        assert await call.closed() == 1008


async def test_an_agent_with_a_keypad_tool_fails_at_the_start(target: Target) -> None:
    """§3.3, §4.2: storable, but not for a WebSocket: ``invalid_value``, 1008."""
    profile = {
        "parameter_name": "word",
        "min_digits": 4,
        "max_digits": 4,
        "prompt": "Type it.",
        "sensitive": False,
    }
    tools = [{**TOOL, "dtmf_collected_arguments": [profile]}]
    async with target.rest() as rest, stored(rest, tools=tools) as agent, opened(target) as call:
        await call.update(agent_id=agent["id"])
        error = await call.error("invalid_value")
        assert error["message"].startswith("tool 'look_up' collects 'word' from the phone keypad")
        assert await call.closed() == 1008


@pytest.mark.needs("callback-url")
async def test_an_agents_own_model_answers(target: Target) -> None:
    """§3.5: ``POST {base_url}/chat/completions`` with the key as bearer; streamed."""
    script = target.scripts.add(saying(SPOKEN))
    async with (
        target.rest() as rest,
        stored(rest, system_prompt=f"Sell ships. {script.mark}", llm=own_model(target)) as agent,
        opened(target) as call,
    ):
        config = (await ready(call, agent_id=agent["id"]))["config"]
        await call.send("reply.create")
        assert (await call.next("transcript.agent"))["text"] == SPOKEN
        asked = script.asked[0]
        assert asked.headers["authorization"] == "Bearer sk-of-ours"
        assert asked.body["model"] == own_model(target)[0]["model"]
        assert asked.body["stream"] is True
        assert asked.body["stream_options"]["include_usage"] is True
        (echoed,) = config["llm"]
        assert {"base_url", "model", "api_key_ciphertext"} <= set(echoed)
        assert "sk-of-ours" not in str(call.events)


@pytest.mark.needs("callback-url")
async def test_an_effort_of_reasoning_is_passed_on(target: Target) -> None:
    """§3.5, §B: ``reasoning_effort`` reaches the endpoint."""
    script = target.scripts.add(Script(lambda _: Says("Yes.")))
    llm = [{**own_model(target)[0], "reasoning_effort": "low"}]
    async with (
        target.rest() as rest,
        stored(rest, system_prompt=script.mark, llm=llm) as agent,
        opened(target) as call,
    ):
        await ready(call, agent_id=agent["id"])
        await call.send("reply.create")
        await call.next("reply.done")
        assert script.asked[0].body["reasoning_effort"] == "low"
