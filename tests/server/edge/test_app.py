"""The routes, spoken to in raw ASGI: no network, virtual time."""

from __future__ import annotations

import asyncio
import errno
import json
from contextlib import AsyncExitStack
from typing import Any

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_server.edge.app import create_app
from antiphon_server.edge.node import SPARE_SOCKETS, Node
from server.call.scripted_call import sample
from server.edge.asgi_client import END, UPDATE, connected, started, visited
from virtual_time import in_virtual_time


async def _get(
    node: Node, path: str, method: str = "GET", **given: str
) -> tuple[int, dict[str, str], str]:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (name.replace("_", "-").encode(), text.encode()) for name, text in given.items()
        ],
    }
    answer: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        answer.append(message)

    await create_app(node)(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in answer[0]["headers"]}
    body = b"".join(part.get("body", b"") for part in answer[1:])
    return answer[0]["status"], headers, body.decode()


async def test_health_is_for_supervisors() -> None:
    """Alive whatever happens; ready only between start and close."""
    async with started() as node:
        status, _, body = await _get(node, "/healthz")
        assert (status, json.loads(body)) == (200, {"status": "ok"})
        status, _, body = await _get(node, "/readyz")
        assert (status, json.loads(body)) == (200, {"ready": True})
    status, _, body = await _get(node, "/readyz")
    stopping = {"ready": False, "reasons": ["the server is stopping"]}
    assert (status, json.loads(body)) == (503, stopping)
    assert (await _get(node, "/healthz"))[0] == 200


@in_virtual_time
async def test_a_server_that_can_keep_nothing_says_so_and_takes_no_new_call() -> None:
    """``at_capacity`` and 1008; a call that runs goes on, and once there is room all is well."""
    async with started() as node, connected(node) as running:
        running.tell(UPDATE)
        await running.until(wire.SessionReady)
        disk = node.backstage.ledger.disk
        disk.failed(OSError(errno.ENOSPC, "No space left on device"))
        status, _, body = await _get(node, "/readyz")
        told = "records of calls cannot be written: No space left on device"
        assert (status, json.loads(body)) == (503, {"ready": False, "reasons": [told]})
        assert (await _get(node, "/healthz"))[0] == 200
        async with connected(node) as refused:
            refused.tell(UPDATE)
            await refused.task
            assert refused.refusal == ("at_capacity", 1008)
        await running.until(wire.ReplyDone)
        disk.ask()
        assert (await _get(node, "/readyz"))[0] == 200
        async with connected(node) as another:
            another.tell(UPDATE)
            await another.until(wire.SessionReady)


async def test_metrics_are_prometheus_text() -> None:
    """With its content type, and every series of ours."""
    async with started() as node:
        status, headers, body = await _get(node, "/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain")
    assert "# TYPE antiphon_sessions gauge" in body


async def test_the_root_says_what_this_is() -> None:
    """A person who opens the address in a browser is told where to go."""
    async with started() as node:
        status, _, body = await _get(node, "/")
    assert status == 200
    assert "/v1/ws" in body


async def test_browsers_get_pages_unless_they_are_switched_off() -> None:
    """Then the addresses are as if they had never been, the sign-in too."""
    async with started() as node:
        for path in ("/", "/console", "/console/sessions/s_1"):
            _, headers, _ = await _get(node, path, accept="text/html")
            assert headers["content-type"] == "text/html; charset=utf-8"
            assert headers["content-security-policy"].startswith("default-src 'none'")
        assert (await _get(node, "/console/session", "DELETE"))[0] == 403
        assert (await _get(node, "/console/session", "PUT"))[0] == 405
    async with started(PAGES="false") as node:
        status, headers, _ = await _get(node, "/", accept="text/html")
        assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
        for path in ("/console", "/console/session", "/assets/antiphon.js", "/favicon.ico"):
            assert (await _get(node, path, accept="text/html"))[0] == 404


async def test_a_server_without_keys_answers_to_its_own_names_only() -> None:
    """Pages and REST; a name that leads here by somebody's trick gets nothing."""
    async with started() as node:
        for path in ("/", "/console", "/v1/sessions", "/v1/console/me"):
            assert (await _get(node, path, host="evil.example:8400"))[0] == 421
        assert (await _get(node, "/", host="localhost:8400"))[0] == 200
        assert (await _get(node, "/healthz", host="evil.example"))[0] == 200
    async with started(API_KEYS="k") as node:
        assert (await _get(node, "/", host="voice.example.com"))[0] == 200


@pytest.mark.parametrize("path", ["/v1", "/v1/ws", "/nothing", "/metrics/", "/..", "/v1/nothing"])
async def test_what_is_not_there_is_404(path: str) -> None:
    """Also the WebSocket's path without an upgrade."""
    async with started() as node:
        assert (await _get(node, path))[0] in {307, 404}


async def test_other_methods_are_405() -> None:
    """Nothing can be posted."""
    async with started() as node:
        assert (await _get(node, "/metrics", "POST"))[0] == 405


@in_virtual_time
async def test_a_websocket_elsewhere_is_refused() -> None:
    """With 404, as HTTP is (section 1.3); so is a former address that is switched off."""
    for path, former in (("/v1/nothing", "1"), ("/v1/realtime", "0"), ("/v1/voice", "0")):
        async with visited(path=path, FORMER_DIALECTS=former) as client:
            await client.task
            start, _ = client.events
            assert (start["type"], start["status"]) == ("websocket.http.response.start", 404)


@pytest.mark.parametrize("path", ["/v1/ws", "/v1/realtime", "/v1/voice"])
@in_virtual_time
async def test_a_call_runs_at_the_former_addresses_too(path: str) -> None:
    """With the same key, from hello to goodbye."""
    async with visited("token=k", path=path, API_KEYS="k") as client:
        client.tell(UPDATE)
        await client.until(wire.ReplyDone)
        client.tell(END)
        await client.task
        assert client.closed == 1000


@pytest.mark.parametrize(
    ("path", "repeats"), [("/v1/ws", False), ("/v1/realtime", True), ("/v1/voice", True)]
)
@in_virtual_time
async def test_only_the_former_addresses_repeat_the_arguments(path: str, *, repeats: bool) -> None:
    """Which clients of earlier generations read (section 9, row 27)."""
    async with visited(path=path, LLM_TOOL="look_up") as client:
        client.update(tools=[{"type": "function", "name": "look_up", "parameters": {}}])
        await client.until(wire.SessionReady)
        client.tell('{"type":"conversation.message","role":"user","content":"Look it up."}')
        client.tell('{"type":"reply.create"}')
        call = await client.until(wire.ToolCall)
        assert (call.args == call.arguments) == repeats


@pytest.mark.parametrize(
    ("query", "authorization"),
    [
        ("", "key-1"),
        ("", "Bearer key-1"),
        ("token=key-1", None),
        ("token=key-2&timeline=1", None),
        ("token=wrong", "Bearer key-2"),
    ],
)
@in_virtual_time
async def test_a_key_is_taken_from_header_or_query(query: str, authorization: str | None) -> None:
    """With and without ``Bearer``; the header counts first (section 1.2)."""
    async with visited(query, authorization, API_KEYS="key-1,key-2") as client:
        client.tell(UPDATE)
        await client.until(wire.SessionReady)
        assert client.events[0]["type"] == "websocket.accept"


@pytest.mark.parametrize(
    ("query", "authorization"), [("", None), ("token=", ""), ("token=wrong", None), ("", "key-")]
)
@in_virtual_time
async def test_without_a_valid_key_the_refusal_comes_inside(
    query: str, authorization: str | None
) -> None:
    """The upgrade succeeds, then one ``unauthorized`` without param and id, and 1008, before
    the client has said anything (section 1.3).
    """
    async with visited(query, authorization, API_KEYS="key-1") as client:
        await client.task
        assert [event["type"] for event in client.events] == [
            "websocket.accept",
            "websocket.send",
            "websocket.close",
        ]
        told = json.loads(client.events[1]["text"])
        stamp = told.pop("timestamp")
        assert isinstance(stamp, float)
        assert told == {
            "type": "session.error",
            "code": "unauthorized",
            "message": "Authentication failed",
            "param": None,
            "session_id": None,
        }
        assert client.closed == 1008


@in_virtual_time
async def test_one_session_too_many_is_refused() -> None:
    """``at_capacity`` and 1008, at its first update; once another has left there is room again."""
    async with started(MAX_SESSIONS="1") as node:
        async with connected(node) as first:
            first.tell(UPDATE)
            await first.until(wire.SessionReady)
            async with connected(node) as second:
                await asyncio.sleep(10)
                assert second.messages == []
                second.tell(UPDATE)
                await second.task
                assert second.refusal == ("at_capacity", 1008)
        await asyncio.sleep(0.1)
        async with connected(node) as third:
            third.tell(UPDATE)
            await third.until(wire.SessionReady)


@in_virtual_time
async def test_sockets_that_say_nothing_are_limited_too() -> None:
    """Two for each session and some to spare; the next is refused before it says anything."""
    async with started(MAX_SESSIONS="1", FIRST_MESSAGE_SECONDS="600") as node:
        async with AsyncExitStack() as stack:
            for _ in range(2 + SPARE_SOCKETS):
                await stack.enter_async_context(connected(node))
            await asyncio.sleep(1)
            async with connected(node) as client:
                await client.task
                assert client.refusal == ("at_capacity", 1008)
        async with connected(node) as client:
            client.tell(UPDATE)
            await client.until(wire.SessionReady)


@in_virtual_time
async def test_a_call_runs_from_hello_to_goodbye() -> None:
    """Greeting, end, close 1000; with ``timeline=1`` also the stages."""
    for query, timed in (("", False), ("timeline=1", True)):
        async with visited(query) as client:
            client.tell(UPDATE)
            await client.until(wire.ReplyDone)
            client.tell(END)
            await client.task
            assert client.closed == 1000
            assert isinstance(client.messages[-1], wire.SessionEnded)
            assert any(isinstance(m, wire.TurnTimeline) for m in client.messages) == timed


@in_virtual_time
async def test_a_socket_that_says_nothing_is_closed() -> None:
    """After ``first_message_seconds``, with 1008; words that open nothing do not count."""
    async with visited(FIRST_MESSAGE_SECONDS="5") as client:
        client.tell("nonsense")
        await client.task
        assert client.closed == 1008
        assert asyncio.get_running_loop().time() == pytest.approx(5, abs=0.1)


@in_virtual_time
async def test_an_open_session_may_be_silent() -> None:
    """The deadline is the first message's alone."""
    async with visited(FIRST_MESSAGE_SECONDS="5") as client:
        client.tell(UPDATE)
        await asyncio.sleep(600)
        assert client.closed is None
        client.tell(END)
        await client.task
        assert client.closed == 1000


@in_virtual_time
async def test_sessions_are_counted_up_and_down() -> None:
    """Whatever ends them: an end, a loss, a refusal, never having begun."""
    async with started(API_KEYS="key-1") as node:
        for query, frames in (
            ("token=key-1", [UPDATE, END]),
            ("token=key-1", [UPDATE]),
            (
                "token=key-1",
                ['{"type":"session.update","session":{"output":{"voice":"x"}}}', UPDATE],
            ),
            ("token=key-1", ["nonsense"]),
            ("token=key-1", []),
            ("token=wrong", [UPDATE]),
        ):
            async with connected(node, query) as client:
                for frame in frames:
                    client.tell(frame)
                await asyncio.sleep(0.5)
            await asyncio.sleep(0.1)
            assert sample("antiphon_sessions") == 0
            assert node._sessions == 0
            assert node._sockets == 0


@in_virtual_time
async def test_what_breaks_in_one_call_is_closed_with_1011() -> None:
    """And counted: the next client is served."""
    async with started(MAX_SESSIONS="1") as node:
        working = node.pipeline.providers["vad"]

        class Broken:
            name, window_ms = "broken", 32

            def open(self, _sink: object) -> None:
                raise ZeroDivisionError

        node.pipeline.providers["vad"] = Broken()
        async with connected(node) as client:
            client.tell(UPDATE)
            await client.task
            assert client.closed == 1011
        node.pipeline.providers["vad"] = working
        async with connected(node) as client:
            client.tell(UPDATE)
            await client.until(wire.ReplyDone)
