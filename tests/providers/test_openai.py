"""The OpenAI adapter over real sockets: what it asks, how it starts and how it stops."""

import asyncio
from typing import Any

import httpx
import pytest

from antiphon_providers import registry
from antiphon_providers.errors import Refused, Unavailable
from antiphon_providers.interfaces import Prompt, Said, Spent, ToolSpec, ToolUse, Used
from antiphon_providers.openai import OpenAI, OpenAIOptions
from openai_peer import (
    HELLO,
    HELLO_SAID,
    KEY,
    Meeting,
    asking,
    event,
    meeting,
    responding,
    streaming,
    text,
)
from raw_http import STREAM_HEAD, Exchange, RawServer, raw_server

# --- asking ------------------------------------------------------------------------------


async def test_a_reply_is_asked_for_as_a_stream_with_usage() -> None:
    """Model, messages, tools and settings go out, with the key as a bearer token only."""
    async with meeting(temperature=0.5, max_tokens=99) as met:
        prompt = Prompt(asking("hello").messages, (ToolSpec("find", "Finds.", {"type": "object"}),))
        assert [piece async for piece in met.model.reply(prompt)] == HELLO_SAID
        asked = met.server.requests[-1]
    assert (asked.method, asked.path) == ("POST", "/v1/chat/completions")
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["accept-encoding"] == "identity"
    assert (asked.json["model"], asked.json["temperature"], asked.json["max_tokens"]) == (
        "m",
        0.5,
        99,
    )
    assert (asked.json["stream"], asked.json["stream_options"]) == (True, {"include_usage": True})
    assert asked.json["messages"] == [{"role": "user", "content": "hello"}]
    assert asked.json["tools"][0]["function"]["name"] == "find"
    assert asked.json["tool_choice"] == "auto"
    assert KEY not in asked.body.decode()


async def test_extra_fields_are_merged_and_nulls_take_fields_out() -> None:
    """So that a server with its own fields, or without some, can be served; it still streams."""
    extra = '{"top_k": 3, "stream_options": null, "stream": false}'
    async with meeting(extra_body=extra) as met:
        assert await met.reply() == HELLO_SAID
        body = met.server.requests[-1].json
    assert (body["top_k"], body["stream"]) == (3, True)
    assert not {"stream_options", "tools", "tool_choice", "temperature", "max_tokens"} & set(body)


async def test_the_query_of_the_base_is_kept_and_no_key_means_no_header() -> None:
    """Some endpoints want an API version in each URL, local ones no key."""
    async with raw_server(streaming(HELLO)) as server:
        model = OpenAI(OpenAIOptions(model="m", base_url=f"{server.url}/x/?api-version=2"))
        await model.start()
        assert [piece async for piece in model.reply(asking("hello"))] == HELLO_SAID
        await model.close()
    assert [request.path for request in server.requests] == [
        "/x/models?api-version=2",
        "/x/chat/completions?api-version=2",
    ]
    assert "authorization" not in server.requests[0].headers


async def test_tool_calls_and_cost_come_at_the_end() -> None:
    """Text, then the call whole, then what was spent."""
    call = [{"index": 0, "id": "c1", "function": {"name": "find", "arguments": '{"x": 1}'}}]
    pieces = [
        text("One moment."),
        event({"choices": [{"delta": {"tool_calls": call}, "finish_reason": "tool_calls"}]}),
        event({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 7}}),
        event(b"[DONE]"),
    ]
    async with meeting() as met:
        assert await met.reply(streaming(*pieces)) == [
            Said("One moment."),
            Used(ToolUse("c1", "find", {"x": 1})),
            Spent(5, 7),
        ]


async def test_one_connection_serves_reply_after_reply() -> None:
    """The connection that ``start`` made is the one that replies use."""
    async with meeting() as met:
        for _ in range(3):
            assert await met.reply() == HELLO_SAID
        assert met.server.connections == 1


async def test_replies_run_side_by_side() -> None:
    """Two replies of one provider are independent streams."""
    both = asyncio.Barrier(2)

    async def together(exchange: Exchange) -> None:
        await both.wait()
        await exchange.stream(text(exchange.request.json["messages"][0]["content"], "stop"))

    async with meeting() as met:
        met.server.answer = together

        async def ask(words: str) -> list[Any]:
            return [piece async for piece in met.model.reply(asking(words))]

        async with asyncio.TaskGroup() as group:
            first, second = group.create_task(ask("a")), group.create_task(ask("b"))
    assert (first.result(), second.result()) == ([Said("a")], [Said("b")])


async def test_cookies_are_not_kept() -> None:
    """What one call got does not go out with another."""
    gives = responding(200, HELLO, "content-type: text/event-stream", "set-cookie: who=ann")
    async with meeting() as met:
        assert await met.reply(gives) == await met.reply() == HELLO_SAID
        assert all("cookie" not in request.headers for request in met.server.requests)


# --- starting ----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_not_accepted_is_refused_at_start(status: int) -> None:
    """In the server's words, with the key taken out of all of them."""
    said = f'{{"error": {{"message": "bad key {KEY}", "code": "bad {KEY}", "param": "{KEY}"}}}}'
    async with meeting(responding(status, said.encode()), started=False) as met:
        with pytest.raises(Refused, match=r"bad key \[api key\]") as refused:
            await met.model.start()
    error = refused.value
    assert (error.provider, error.status_code) == ("openai", status)
    assert (error.provider_code, error.provider_param) == ("bad [api key]", "[api key]")
    assert KEY not in repr(error)


@pytest.mark.parametrize("status", [307, 404, 405, 429])
async def test_an_endpoint_without_a_list_of_models_can_be_used(status: int) -> None:
    """Only the connection matters, and the key."""
    async with meeting(responding(status, b"")) as met:
        assert await met.reply(streaming(HELLO)) == HELLO_SAID


async def test_an_endpoint_that_is_down_is_unavailable_and_may_come_back() -> None:
    """``start`` says so, and the provider serves as soon as somebody answers."""
    async with raw_server(streaming(HELLO)) as down:
        url = down.url
    model = OpenAI(OpenAIOptions(model="m", base_url=url))
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1 failed"):
        await model.start()
    server = RawServer(streaming(HELLO))
    port = int(url.rpartition(":")[2])
    async with await asyncio.start_server(server.serve, "127.0.0.1", port):
        assert [piece async for piece in model.reply(asking("hello"))] == HELLO_SAID
        await model.close()


async def test_a_server_error_at_start_is_unavailable() -> None:
    """A model that is still loading says so with 503."""
    async with meeting(responding(503, b'{"error": "loading"}'), started=False) as met:
        with pytest.raises(Unavailable, match="loading"):
            await met.model.start()


async def test_an_endless_list_of_models_does_not_hold_up_the_start() -> None:
    """Only a bounded part of it is read."""

    async def endless(exchange: Exchange) -> None:
        await exchange.send(STREAM_HEAD)
        while True:
            await exchange.chunks(b"x" * 65536)

    async with meeting(endless) as met:
        assert await met.reply(streaming(HELLO)) == HELLO_SAID


async def test_a_reply_before_the_start_is_unavailable() -> None:
    """There is nothing to ask yet."""
    async with meeting(started=False) as met:
        with pytest.raises(Unavailable, match="not started"):
            await met.reply()


async def test_an_adapter_that_is_prepared_connects_with_its_first_reply() -> None:
    """Nothing is asked before, so nothing is waited for; a connection of another kind serves."""
    transport = httpx.AsyncHTTPTransport()
    async with raw_server(streaming(HELLO)) as server:
        model = OpenAI(OpenAIOptions(model="m", base_url=server.url), transport=transport)
        model.prepare()
        assert server.connections == 0
        assert [piece async for piece in model.reply(asking("hello"))] == HELLO_SAID
        assert [request.path for request in server.requests] == ["/chat/completions"]
        await model.close()


# --- stopping ----------------------------------------------------------------------------


class Pausing:
    """An answer that says one word or none and then waits for the client to leave."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.asked = asyncio.Event()
        self.left = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        """Answers."""
        if self.words:
            await exchange.send(STREAM_HEAD)
            await exchange.chunks(*[text(word) for word in self.words])
        self.asked.set()
        await exchange.until_left()
        self.left.set()


@pytest.mark.parametrize("words", [[], ["Hel"]])
async def test_a_cancelled_reply_closes_its_connection(words: list[str]) -> None:
    """The server sees the client leave, before the first word and in the middle."""
    pausing = Pausing(*words)
    async with meeting() as met:
        consumer = asyncio.create_task(met.reply(pausing))
        await pausing.asked.wait()
        consumer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await consumer
        await asyncio.wait_for(pausing.left.wait(), 5)


async def test_a_reply_that_is_put_down_closes_its_connection() -> None:
    """Closing the iteration between two words is an interruption too."""
    pausing = Pausing("Hel")
    async with meeting() as met:
        met.server.answer = pausing
        reply = met.model.reply(asking("hello"))
        assert await anext(reply) == Said("Hel")
        await reply.aclose()
        await asyncio.wait_for(pausing.left.wait(), 5)


async def test_closing_the_provider_ends_running_replies() -> None:
    """A reply that waits for its next word ends, without an error."""
    first = asyncio.Event()

    async def consume(met: Meeting) -> list[Any]:
        said = []
        async for piece in met.model.reply(asking("hello")):
            said.append(piece)
            first.set()
        return said

    async with meeting() as met:
        met.server.answer = Pausing("Hel")
        consumer = asyncio.create_task(consume(met))
        await first.wait()
        await met.model.close()
        assert await asyncio.wait_for(consumer, 5) == [Said("Hel")]


async def test_a_body_that_does_not_end_does_not_hold_up_the_reply() -> None:
    """After [DONE] the reply is over, though its connection cannot be used again."""

    async def lingers(exchange: Exchange) -> None:
        await exchange.send(STREAM_HEAD)
        await exchange.chunks(HELLO)
        await exchange.until_left()

    async with meeting() as met:
        assert await met.reply(lingers) == HELLO_SAID


# --- options -----------------------------------------------------------------------------


def test_options_come_from_text() -> None:
    """As settings give them."""
    settings = {"model": "m", "temperature": "0.3", "max_tokens": "50", "first_token_ms": "700"}
    options = registry.create("language_model", "openai", settings).options
    assert (options.temperature, options.max_tokens, options.first_token_ms) == (0.3, 50, 700)


def test_the_key_is_in_no_representation() -> None:
    """Neither plain nor rich printing shows it."""
    options = OpenAIOptions(model="m", api_key=KEY)
    shown = f"{options!r} {options} {options.__rich_repr__()} {OpenAI(options)!r}"
    assert "model='m'" in shown
    assert KEY not in shown


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"model": ""},
        {"model": "m", "base_url": "ftp://x/v1"},
        {"model": "m", "base_url": "nonsense"},
        {"model": "m", "base_url": "http://user:secret@x/v1"},
        {"model": "m", "base_url": "http://x:port/v1"},
        {"model": "m", "extra_body": "[]"},
        {"model": "m", "extra_body": "{"},
        {"model": "m", "temperature": "3"},
        {"model": "m", "first_token_ms": "0"},
        {"model": "m", "api_key": "sk very secret"},
        {"model": "m", "api_key": "sk-very-secret\r\nX-Other: 1"},
        {"model": "m", "unknown": "1"},
    ],
)
def test_settings_that_cannot_be_are_refused_without_the_key(settings: dict[str, str]) -> None:
    """When the provider is made, not when a caller waits."""
    with pytest.raises(Refused) as refused:
        registry.create("language_model", "openai", settings)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("status", [429, 503])
async def test_when_to_ask_again_is_told(status: int) -> None:
    """By the seconds of ``Retry-After``, for whoever chooses another model meanwhile."""
    async with meeting() as met:
        with pytest.raises(Unavailable) as failed:
            await met.reply(responding(status, b"{}", "retry-after: 7"))
    assert failed.value.retry_after_s == 7
