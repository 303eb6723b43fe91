"""Tools that the server calls itself (§3.3, §4.7)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from conformance.dialogue import LOOK_UP, ask, own_model, stored
from conformance.model import Calls, Says, Script, steps
from conformance.peer import Box, Response
from conformance.target import Target
from conformance.wire import Call, opened, ready

pytestmark = pytest.mark.needs("callback-url")

PARAMETERS = {
    "type": "object",
    "properties": {"word": {"type": "string"}, "times": {"type": "integer"}, "note": {}},
}
ARGUMENTS = {"word": "seven", "times": 2, "note": None}
ANSWER = "It is a number."


class Scene:
    """A session with one HTTP tool, the box behind it and the script of its model."""

    def __init__(self, call: Call, box: Box, script: Script, config: dict[str, Any]) -> None:
        self.call, self.box, self.script, self.config = call, box, script, config

    async def turn(self) -> None:
        """The user asks, the tool is called, the agent answers."""
        await ask(self.call, "Please look up seven 2 times.")
        await self.call.next("tool.call")
        await self.call.next("transcript.agent", text=ANSWER)
        await self.call.next("reply.done")

    @property
    def told(self) -> str:
        """What the model was told as the tool's result."""
        return " ".join(self.script.asked[-1].said_by("tool"))


@asynccontextmanager
async def tooled(
    target: Target, *responses: Response, query: str = "", tool: Any = None, **http: Any
) -> AsyncIterator[Scene]:
    """A ready session of an agent with such a tool."""
    address, box = target.peer.box(*responses)
    script = target.scripts.add(steps(Calls((("look_up", ARGUMENTS),)), Says(ANSWER)))
    declared = {
        "name": "look_up",
        "description": LOOK_UP["description"],
        "parameters": PARAMETERS,
        "http": {"url": address + query, **http},
        **(tool or {}),
    }
    async with (
        target.rest() as rest,
        stored(rest, system_prompt=script.mark, tools=[declared], llm=own_model(target)) as agent,
        opened(target) as call,
    ):
        config = (await ready(call, agent_id=agent["id"]))["config"]
        yield Scene(call, box, script, config)


def answering(body: bytes, status: int = 200) -> Response:
    """An answer of the tool's server."""
    return Response(status, body)


async def test_the_turn_of_an_http_tool(target: Target) -> None:
    """§4.7, §11.2: ``tool.call`` is sent as information; A ends, B answers; nobody else acts."""
    async with tooled(target, answering(b'{"is":"a number"}')) as scene:
        await scene.turn()
        kinds = scene.call.kinds("reply.audio", "transcript.agent.delta")[2:]
        assert kinds == [
            "reply.started",
            "tool.call",
            "reply.done",
            "reply.started",
            "transcript.agent",
            "reply.done",
        ]
        assert scene.call.seen("tool.call")[0]["arguments"] == ARGUMENTS
        assert '{"is":"a number"}' in scene.told


@pytest.mark.parametrize("method", [None, "POST", "PUT", "PATCH"])
async def test_arguments_are_the_json_body(target: Target, method: str | None) -> None:
    """§3.3: POST (the default), PUT and PATCH send the arguments object."""
    http = {"http_method": method} if method else {}
    async with tooled(target, **http) as scene:
        await scene.turn()
        (request,) = scene.box.received
        assert request.method == (method or "POST")
        assert request.json == ARGUMENTS
        assert request.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_arguments_are_merged_into_the_query(target: Target, method: str) -> None:
    """§3.3: GET and DELETE: the URL's own query stays, all values as text, nulls dropped."""
    async with tooled(target, query="?key=own", http_method=method) as scene:
        await scene.turn()
        (request,) = scene.box.received
        assert request.method == method
        assert sorted(request.query) == [("key", "own"), ("times", "2"), ("word", "seven")]
        assert request.body == b""


async def test_headers_are_sent_and_never_told(target: Target) -> None:
    """§6.2, §2.3: the value reaches the tool's server only; the echo has empty envelopes."""
    headers = [{"name": "X-Secret", "value": "very-secret-value"}]
    async with tooled(target, headers=headers) as scene:
        (tool,) = scene.config["tools"]
        assert tool["http"]["url"].endswith(scene.box.name)
        assert tool["http"]["method"] == "POST"
        assert tool["http"].keys() >= {
            "headers_ciphertext",
            "headers_encrypted_data_key",
            "headers_kms_key_id",
        }
        await scene.turn()
        assert scene.box.received[0].headers["x-secret"] == "very-secret-value"
        assert "very-secret-value" not in str(scene.call.events)
        assert "very-secret-value" not in str(scene.script.asked[-1].body)


@pytest.mark.parametrize("status", [302, 400, 404, 500])
async def test_a_failure_is_the_models_to_excuse(target: Target, status: int) -> None:
    """§3.3: non-2xx is a failure (redirects are not followed); the client sees no error."""
    elsewhere, box = target.peer.box()
    response = Response(status, b"out of order", headers={"location": elsewhere})
    async with tooled(target, response) as scene:
        await scene.turn()
        assert scene.call.seen("session.error", "reply.error") == []
        assert scene.told
        assert box.received == []


async def test_a_slow_server_is_a_failure(target: Target) -> None:
    """§3.3: beyond ``timeout_seconds`` the tool has failed and the agent says something."""

    async def never() -> AsyncIterator[bytes]:
        await asyncio.sleep(30)
        yield b"{}"

    async with tooled(target, Response(body=never()), tool={"timeout_seconds": 1}) as scene:
        await scene.turn()
        assert scene.call.seen("session.error", "reply.error") == []


async def test_a_long_answer_is_cut(target: Target) -> None:
    """§3.3, §B: the cap is 8 KiB; what reaches the model is no longer, or a failure."""
    async with tooled(target, answering(b"a" * 100_000)) as scene:
        await scene.turn()
        assert len(scene.told) <= 8192 + 1000


@pytest.mark.parametrize("body", [b"plain words", b"[1,2]", b'"text"', b""])
async def test_any_body_is_a_result(target: Target, body: bytes) -> None:
    """§3.3: JSON or text becomes the result as it is."""
    async with tooled(target, answering(body)) as scene:
        await scene.turn()
        assert body.decode() in scene.told


async def test_an_answer_of_the_client_is_ignored(target: Target) -> None:
    """§4.7: clients must not answer; if they do, nothing happens and no error comes."""
    async with tooled(target, answering(b'{"is":"a number"}')) as scene:
        await ask(scene.call, "Please look up seven 2 times.")
        event = await scene.call.next("tool.call")
        await scene.call.send("tool.result", call_id=event["call_id"], result="from the client")
        await scene.call.next("transcript.agent", text=ANSWER)
        await scene.call.next("reply.done")
        assert await scene.call.quiet() == []
        assert scene.call.seen("session.error") == []
        assert "from the client" not in scene.told
        assert len(scene.box.received) == 1


async def test_no_arguments_are_an_empty_object(target: Target) -> None:
    """§3.3: ``{}`` when there are none."""
    address, box = target.peer.box()
    script = target.scripts.add(steps(Calls((("hang_up", {}),)), Says(ANSWER)))
    tool = {"name": "hang_up", "description": "Ends it.", "http": {"url": address}}
    async with (
        target.rest() as rest,
        stored(rest, system_prompt=script.mark, tools=[tool], llm=own_model(target)) as agent,
        opened(target) as call,
    ):
        await ready(call, agent_id=agent["id"])
        await ask(call, "Please hang up.")
        await call.next("transcript.agent", text=ANSWER)
        assert json.loads(box.received[0].body) == {}
