"""The routes, spoken to in raw ASGI: no network, virtual time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from antiphon_protocol import voice_agent as wire
from antiphon_server.edge.app import VoiceAgentRoute, create_app
from antiphon_server.edge.node import Node
from antiphon_server.security.keys import Admission
from server.call.scripted_call import sample
from server.edge.asgi_client import UPDATE, connected, started
from virtual_time import in_virtual_time


async def _get(node: Node, path: str, method: str = "GET") -> tuple[int, dict[str, str], str]:
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
        "headers": [],
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
    node = await started()
    status, _, body = await _get(node, "/healthz")
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    status, _, body = await _get(node, "/readyz")
    assert (status, json.loads(body)) == (200, {"ready": True})
    await node.close()
    status, _, body = await _get(node, "/readyz")
    assert (status, json.loads(body)) == (503, {"ready": False})
    assert (await _get(node, "/healthz"))[0] == 200


async def test_metrics_are_prometheus_text() -> None:
    """With its content type, and every series of ours."""
    status, headers, body = await _get(await started(), "/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain")
    assert "# TYPE antiphon_sessions gauge" in body


async def test_the_root_says_what_this_is() -> None:
    """A person who opens the address in a browser is told where to go."""
    status, _, body = await _get(await started(), "/")
    assert status == 200
    assert "/v1/ws" in body


@pytest.mark.parametrize("path", ["/v1", "/v1/ws", "/nothing", "/metrics/", "/..", "/v1/nothing"])
async def test_what_is_not_there_is_404(path: str) -> None:
    """Also the WebSocket's path without an upgrade."""
    assert (await _get(await started(), path))[0] in {307, 404}


async def test_other_methods_are_405() -> None:
    """Nothing can be posted."""
    assert (await _get(await started(), "/metrics", "POST"))[0] == 405


@in_virtual_time
async def test_a_websocket_elsewhere_is_refused() -> None:
    """It is not accepted at all (section 1.3), nor at a former address that is switched off."""
    for path, former in (("/v1/nothing", "1"), ("/v1/realtime", "0"), ("/v1/voice", "0")):
        async with connected(await started(FORMER_DIALECTS=former), path=path) as client:
            await client.task
            assert [event["type"] for event in client.events] == ["websocket.close"]


@pytest.mark.parametrize("path", ["/v1/ws", "/v1/realtime", "/v1/voice"])
@in_virtual_time
async def test_a_call_runs_at_the_former_addresses_too(path: str) -> None:
    """With the same key, from hello to goodbye."""
    async with connected(await started(API_KEYS="k"), "token=k", path=path) as client:
        client.tell(UPDATE)
        await client.until(wire.ReplyDone)
        client.tell('{"type":"session.end"}')
        await client.task
        assert client.closed == 1000


@pytest.mark.parametrize(
    ("path", "repeats"), [("/v1/ws", False), ("/v1/realtime", True), ("/v1/voice", True)]
)
async def test_only_the_former_addresses_repeat_the_arguments(path: str, *, repeats: bool) -> None:
    """Which clients of earlier generations read (section 9, row 27)."""
    terms = VoiceAgentRoute(await started())._terms_of(Admission("a"), path)
    assert terms.repeats_arguments == repeats


@pytest.mark.parametrize(
    ("setting", "allowed", "seconds"), [("600", 60, 60), ("60", 600, 60), ("600", None, 600)]
)
async def test_a_session_is_as_long_as_setting_and_token_allow(
    setting: str, allowed: int | None, seconds: int
) -> None:
    """The shorter of the two counts."""
    route = VoiceAgentRoute(await started(MAX_SESSION_SECONDS=setting))
    assert route._terms_of(Admission("a", allowed), "/v1/ws").session_seconds == seconds


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
    async with connected(await started(API_KEYS="key-1,key-2"), query, authorization) as client:
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
    async with connected(await started(API_KEYS="key-1"), query, authorization) as client:
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
    """``at_capacity`` and 1008; once another has left there is room again."""
    node = await started(MAX_SESSIONS="1")
    async with connected(node) as first:
        first.tell(UPDATE)
        await first.until(wire.SessionReady)
        async with connected(node) as second:
            await second.task
            (error,) = second.messages
            assert isinstance(error, wire.SessionError)
            assert (error.code, second.closed) == ("at_capacity", 1008)
    async with connected(node) as third:
        third.tell(UPDATE)
        await third.until(wire.SessionReady)


@in_virtual_time
async def test_a_call_runs_from_hello_to_goodbye() -> None:
    """Greeting, end, close 1000; with ``timeline=1`` also the stages."""
    for query, timed in (("", False), ("timeline=1", True)):
        async with connected(await started(), query) as client:
            client.tell(UPDATE)
            await client.until(wire.ReplyDone)
            client.tell('{"type":"session.end"}')
            await client.task
            assert client.closed == 1000
            assert isinstance(client.messages[-1], wire.SessionEnded)
            assert any(isinstance(m, wire.TurnTimeline) for m in client.messages) == timed


@in_virtual_time
async def test_a_socket_that_says_nothing_is_closed() -> None:
    """After ``first_message_seconds``, with 1008; words that open nothing do not count."""
    async with connected(await started(FIRST_MESSAGE_SECONDS="5")) as client:
        client.tell("nonsense")
        await client.task
        assert client.closed == 1008
        assert asyncio.get_running_loop().time() == pytest.approx(5, abs=0.1)


@in_virtual_time
async def test_an_open_session_may_be_silent() -> None:
    """The deadline is the first message's alone."""
    async with connected(await started(FIRST_MESSAGE_SECONDS="5")) as client:
        client.tell(UPDATE)
        await asyncio.sleep(600)
        assert client.closed is None
        client.tell('{"type":"session.end"}')
        await client.task
        assert client.closed == 1000


@in_virtual_time
async def test_sessions_are_counted_up_and_down() -> None:
    """Whatever ends them: an end, a loss, a refusal, never having begun."""
    node = await started(API_KEYS="key-1")
    for query, frames in (
        ("token=key-1", [UPDATE, '{"type":"session.end"}']),
        ("token=key-1", [UPDATE]),
        ("token=key-1", ['{"type":"session.update","session":{"output":{"voice":"x"}}}', UPDATE]),
        ("token=key-1", ["nonsense"]),
        ("token=key-1", []),
        ("token=wrong", [UPDATE]),
    ):
        async with connected(node, query) as client:
            for frame in frames:
                client.tell(frame)
            await asyncio.sleep(0.5)
        assert sample("antiphon_sessions") == 0
        assert node._sessions == 0


@in_virtual_time
async def test_what_breaks_in_one_call_is_closed_with_1011() -> None:
    """And counted: the next client is served."""
    node = await started(MAX_SESSIONS="1")
    working = node._providers["vad"]

    class Broken:
        name, window_ms = "broken", 32

        def open(self, _sink: object) -> None:
            raise ZeroDivisionError

    node._providers["vad"] = Broken()
    async with connected(node) as client:
        client.tell(UPDATE)
        await client.task
        assert client.closed == 1011
    node._providers["vad"] = working
    async with connected(node) as client:
        client.tell(UPDATE)
        await client.until(wire.ReplyDone)
