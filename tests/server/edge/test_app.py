"""The routes, spoken to in raw ASGI: no network, virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_providers.scripted import ScriptedLanguageModel
from antiphon_server.call.session import Services
from antiphon_server.edge.app import AsgiSocket, create_app
from antiphon_server.edge.node import Node
from antiphon_server.settings import STAGE_OPTIONS, read
from server.call.scripted_call import sample
from virtual_time import in_virtual_time

UPDATE = '{"type":"session.update","session":{"greeting":"Hello there."}}'
SCRIPTED = {f"ANTIPHON_{stage.upper()}": "scripted" for stage in STAGE_OPTIONS}


class VirtualNode(Node):
    """A node whose calls live on the loop's clock."""

    @property
    def services(self) -> Services:
        """As ever, but for the clock."""
        return replace(super().services, clock=asyncio.get_running_loop().time)


async def _node(**variables: str) -> Node:
    settings = {f"ANTIPHON_{name}": text for name, text in variables.items()}
    node = VirtualNode(read({**SCRIPTED, **settings}))
    node.create()
    await node.start()
    return node


class Client:
    """The other end of one ASGI WebSocket."""

    def __init__(self) -> None:
        self.to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.events: list[dict[str, Any]] = []
        self.news = asyncio.Event()
        self.task: asyncio.Task[None]
        self.to_app.put_nowait({"type": "websocket.connect"})

    async def send(self, message: Any) -> None:
        """Takes what the application sends."""
        self.events.append(message)
        self.news.set()

    def tell(self, frame: str) -> None:
        """Sends a text frame."""
        self.to_app.put_nowait({"type": "websocket.receive", "text": frame})

    def leave(self) -> None:
        """Is gone."""
        self.to_app.put_nowait({"type": "websocket.disconnect", "code": 1006})

    @property
    def messages(self) -> list[wire.FromServer]:
        """What was said so far."""
        texts = [event["text"] for event in self.events if event["type"] == "websocket.send"]
        found = [codec.decode_server(text) for text in texts]
        return [message for message in found if message is not None]

    @property
    def closed(self) -> int | None:
        """The close code."""
        codes = [event["code"] for event in self.events if event["type"] == "websocket.close"]
        return codes[0] if codes else None

    async def until(self, kind: type[wire.ServerMessage]) -> None:
        """Returns once a message of that kind has come."""
        while not any(isinstance(message, kind) for message in self.messages):
            self.news.clear()
            await self.news.wait()


@asynccontextmanager
async def connected(
    node: Node, query: str = "", authorization: str | None = None, path: str = "/v1/ws"
) -> AsyncIterator[Client]:
    """A client of the application; it leaves at the end."""
    client = Client()
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": headers,
        "subprotocols": [],
        "extensions": {},
    }
    app = create_app(node)
    client.task = asyncio.create_task(app(scope, client.to_app.get, client.send))  # type: ignore[arg-type]
    yield client
    client.leave()
    await client.task


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


# --- http ----------------------------------------------------------------------------------


async def test_health_is_for_supervisors() -> None:
    """Alive whatever happens; ready only between start and close."""
    node = await _node()
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
    status, headers, body = await _get(await _node(), "/metrics")
    assert status == 200
    assert headers["content-type"].startswith("text/plain")
    assert "# TYPE antiphon_sessions gauge" in body


async def test_the_root_says_what_this_is() -> None:
    """A person who opens the address in a browser is told where to go."""
    status, _, body = await _get(await _node(), "/")
    assert status == 200
    assert "/v1/ws" in body


@pytest.mark.parametrize("path", ["/v1", "/v1/ws", "/nothing", "/metrics/", "/..", "/v1/token"])
async def test_what_is_not_there_is_404(path: str) -> None:
    """Also the WebSocket's path without an upgrade."""
    assert (await _get(await _node(), path))[0] in {307, 404}


async def test_other_methods_are_405() -> None:
    """Nothing can be posted."""
    assert (await _get(await _node(), "/metrics", "POST"))[0] == 405


@in_virtual_time
async def test_a_websocket_elsewhere_is_refused() -> None:
    """It is not accepted at all (section 1.3)."""
    async with connected(await _node(), path="/v1/nothing") as client:
        await client.task
        assert [event["type"] for event in client.events] == ["websocket.close"]


# --- the credential ------------------------------------------------------------------------


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
    async with connected(await _node(API_KEYS="key-1,key-2"), query, authorization) as client:
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
    async with connected(await _node(API_KEYS="key-1"), query, authorization) as client:
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
    node = await _node(MAX_SESSIONS="1")
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


# --- the call ------------------------------------------------------------------------------


@in_virtual_time
async def test_a_call_runs_from_hello_to_goodbye() -> None:
    """Greeting, end, close 1000; with ``timeline=1`` also the stages."""
    for query, timed in (("", False), ("timeline=1", True)):
        async with connected(await _node(), query) as client:
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
    async with connected(await _node(FIRST_MESSAGE_SECONDS="5")) as client:
        client.tell("nonsense")
        await client.task
        assert client.closed == 1008
        assert asyncio.get_running_loop().time() == pytest.approx(5, abs=0.1)


@in_virtual_time
async def test_an_open_session_may_be_silent() -> None:
    """The deadline is the first message's alone."""
    async with connected(await _node(FIRST_MESSAGE_SECONDS="5")) as client:
        client.tell(UPDATE)
        await asyncio.sleep(600)
        assert client.closed is None
        client.tell('{"type":"session.end"}')
        await client.task
        assert client.closed == 1000


@in_virtual_time
async def test_sessions_are_counted_up_and_down() -> None:
    """Whatever ends them: an end, a loss, a refusal, never having begun."""
    node = await _node(API_KEYS="key-1")
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
    node = await _node(MAX_SESSIONS="1")
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


async def test_the_node_is_closed_with_the_application() -> None:
    """The lifespan's end releases the providers."""
    node = await _node()
    app = create_app(node)
    coming: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    coming.put_nowait({"type": "lifespan.startup"})
    coming.put_nowait({"type": "lifespan.shutdown"})
    sent: list[str] = []

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await app({"type": "lifespan", "asgi": {"version": "3.0"}}, coming.get, send)  # type: ignore[arg-type]
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert not node.ready
    model = node._providers["llm"]
    assert isinstance(model, ScriptedLanguageModel)


# --- the socket ----------------------------------------------------------------------------


async def test_a_socket_that_is_gone_raises_one_kind_of_error() -> None:
    """Whatever the transport raises; afterwards nothing is sent any more, closing is harmless."""
    for failure in (OSError("gone"), RuntimeError("Unexpected ASGI message")):
        tried: list[str] = []

        async def send(
            message: Any, failure: Exception = failure, tried: list[str] = tried
        ) -> None:
            tried.append(message["type"])
            raise failure

        socket = AsgiSocket({}, Client().to_app.get, send)  # type: ignore[arg-type]
        for _ in range(2):
            with pytest.raises(ConnectionError):
                await socket.send("x")
        await socket.close(1000)
        assert tried == ["websocket.send"]


async def test_frames_are_text_or_bytes_or_the_end() -> None:
    """An empty text is a frame too."""
    client = Client()
    client.tell("")
    client.to_app.put_nowait({"type": "websocket.receive", "bytes": b"x"})
    client.to_app.put_nowait({"type": "websocket.receive", "bytes": b"", "text": None})
    client.leave()
    socket = AsgiSocket({}, client.to_app.get, client.send)  # type: ignore[arg-type]
    await socket.accept()
    assert [await socket.receive() for _ in range(4)] == ["", b"x", b"", None]
    with pytest.raises(ConnectionError):
        await socket.send("x")


@in_virtual_time
async def test_a_close_that_nobody_takes_is_not_waited_for() -> None:
    """After a second it is given up."""

    async def send(_message: Any) -> None:
        await asyncio.Event().wait()

    socket = AsgiSocket({}, Client().to_app.get, send)  # type: ignore[arg-type]
    await socket.close(1000)
    assert asyncio.get_running_loop().time() == pytest.approx(1)
