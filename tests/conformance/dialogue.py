"""Sessions whose agent says and calls what a test scripted."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from conformance.model import MODEL, Script
from conformance.target import Target
from conformance.wire import Call, opened, ready

SPOKEN = "Thank you for calling the office."
"""A sentence of two seconds, for greetings and answers."""

LONG = (
    "Our first ship left the old harbour in spring, and its crew of seven people saw nothing but "
    "water for the next forty days, until one morning a small green island came in sight, where "
    "they went ashore and stayed for the rest of the year with everything they needed."
)
"""Long enough that any test can interrupt it."""

LOOK_UP: dict[str, Any] = {
    "type": "function",
    "name": "look_up",
    "description": "Looks up a word.",
    "parameters": {
        "type": "object",
        "properties": {"word": {"type": "string"}},
        "required": ["word"],
    },
}


def agent_body(**fields: Any) -> dict[str, Any]:
    """A body for ``POST /v1/agents``, with what is required."""
    name = f"conformance {uuid.uuid4().hex[:8]}"
    return {
        "name": name,
        "system_prompt": "Be brief.",
        "voice": {"voice_id": "alba"},
        **fields,
    }


def own_model(target: Target) -> list[dict[str, Any]]:
    """The ``llm`` of a stored agent that points at the suite's model (§3.5)."""
    return [{"base_url": f"{target.peer.base}/model/v1", "model": MODEL, "api_key": "sk-of-ours"}]


@asynccontextmanager
async def stored(rest: httpx.AsyncClient, **fields: Any) -> AsyncIterator[dict[str, Any]]:
    """An agent that exists for as long as the block runs, as the server answered."""
    answer = await rest.post("/v1/agents", json=agent_body(**fields))
    assert answer.status_code == 201, answer.text
    agent: dict[str, Any] = answer.json()
    try:
        yield agent
    finally:
        await rest.delete(f"/v1/agents/{agent['id']}")


@asynccontextmanager
async def scripted(target: Target, script: Script, **session: Any) -> AsyncIterator[Call]:
    """A session that is ready and whose model follows the script.

    ``session`` is what an inline update would say; for a stored agent it is translated (§6.2).
    """
    target.scripts.add(script)
    prompt = f"{session.pop('system_prompt', 'Be brief.')} {script.mark}"
    if target.model == "inline":
        async with opened(target) as call:
            await ready(call, system_prompt=prompt, **session)
            yield call
        return
    async with (
        target.rest() as rest,
        stored(rest, **as_agent(session), system_prompt=prompt, llm=own_model(target)) as agent,
        opened(target) as call,
    ):
        await ready(call, agent_id=agent["id"])
        yield call


def as_agent(session: dict[str, Any]) -> dict[str, Any]:
    """An inline configuration in the words of a stored agent: tools have no type there."""
    fields = dict(session)
    if "tools" in fields:
        fields["tools"] = [
            {key: value for key, value in tool.items() if key != "type"} for tool in fields["tools"]
        ]
    if voice := fields.get("output", {}).get("voice"):
        fields["voice"] = {"voice_id": voice}
        fields["output"] = {key: value for key, value in fields["output"].items() if key != "voice"}
    return fields


async def ask(call: Call, words: str) -> None:
    """Has the user say something, in writing, and the agent answer.

    The argument values of tool calls come from these words: a server may refuse a call whose
    values nobody said (§3.3, argument grounding).
    """
    await call.send("conversation.message", role="user", content=words)
    await call.send("reply.create")
