"""Tools that the server calls: what goes out, what comes back, and every way to fail."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_protocol import __version__
from antiphon_server.call.http_tools import (
    _CHARSETS,
    MOST_RESULT_BYTES,
    HttpTarget,
    HttpTools,
    ToolOutcome,
    _text,
    _with_query,
)
from antiphon_server.observe import notes
from antiphon_server.security.outbound import OutboundResponse
from openai_peer import responding
from outbound_peer import Names, guarded
from raw_http import Answer, Exchange, RawServer, raw_server

OK = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def meeting(answer: Answer) -> AsyncIterator[tuple[RawServer, HttpTools]]:
    """A server that answers so, and tools that may call it."""
    async with (
        raw_server(answer) as server,
        guarded(server.url.removeprefix("http://")) as guard,
    ):
        yield server, HttpTools(guard)


async def call(
    answer: Answer, arguments: dict[str, Any] | None = None, *, timeout_s: float = 5, **target: Any
) -> tuple[ToolOutcome, RawServer]:
    """The outcome of one call, and what the server saw."""
    async with meeting(answer) as (server, tools):
        to = HttpTarget(server.url + target.pop("path", "/tool"), **target)
        return await tools.run(to, arguments or {}, timeout_s), server


class Noted:
    """A session's trace, as far as requests go."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def note(self, name: str, _attributes: object) -> None:
        """None here."""
        raise AssertionError(name)

    def asks(self, call_id: str, method: str, url: str) -> None:
        """Keeps it."""
        self.told.append((call_id, method, url))

    def answered(self, call_id: str, status: int | None, failure: str | None) -> None:
        """Keeps it."""
        self.told.append((call_id, status, failure))

    def traceparent(self, call_id: str | None) -> str | None:
        """One that says whose it is."""
        return f"parent-of-{call_id}"


async def test_a_request_is_noted_in_the_trace_of_its_call_and_tells_of_it() -> None:
    """What was asked, the status or the kind of failure; the server gets the header."""
    noted = Noted()

    async def ask(tools: HttpTools, url: str) -> None:
        notes.calling("call_1")
        await tools.run(HttpTarget(url, "get"), {})

    async with meeting(responding(503, b"")) as (server, tools):
        for url in (f"{server.url}/tool", "http://127.0.0.1:1/"):
            context = notes.context_of(noted)
            await asyncio.get_running_loop().create_task(ask(tools, url), context=context)
    assert noted.told == [
        ("call_1", "GET", f"{server.url}/tool"),
        ("call_1", 503, None),
        ("call_1", "GET", "http://127.0.0.1:1/"),
        ("call_1", None, "UnsafeUrl"),
    ]
    assert server.requests[0].headers["traceparent"] == "parent-of-call_1"


# --- what goes out -----------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
async def test_arguments_are_the_json_body(method: str) -> None:
    """Whole, nulls and nested values too; the URL stays as it is."""
    arguments = {"city": "Zürich", "days": 2, "deep": {"a": [1, None]}, "none": None}
    outcome, server = await call(
        responding(200, b"sunny"), arguments, method=method, path="/w?key=k"
    )
    asked = server.requests[0]
    assert (asked.method, asked.path) == (method, "/w?key=k")
    assert asked.json == arguments
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["user-agent"] == f"Antiphon/{__version__}"
    assert outcome == ToolOutcome("sunny")


async def test_no_arguments_are_an_empty_object() -> None:
    """A server that expects JSON gets some; POST is what is meant where nothing is said."""
    _, server = await call(responding(200, b""))
    assert (server.requests[0].method, server.requests[0].body) == ("POST", b"{}")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_arguments_join_the_query(method: str) -> None:
    """After the URL's own, as strings, nulls dropped, nested values as JSON; there is no body."""
    arguments = {
        "city": "São Paulo & co",
        "days": 2,
        "share": 0.5,
        "metric": True,
        "none": None,
        "list": ["a", 1, None],
        "deep": {"b": "ü"},
    }
    _, server = await call(responding(200, b""), arguments, method=method, path="/w?key=k%20&x")
    asked = server.requests[0]
    assert (asked.method, asked.body) == (method, b"")
    assert asked.path.startswith("/w?key=k%20&x&city=")
    assert parse_qsl(urlsplit(asked.path).query)[1:] == [
        ("city", "São Paulo & co"),
        ("days", "2"),
        ("share", "0.5"),
        ("metric", "true"),
        ("list", '["a",1,null]'),
        ("deep", '{"b":"ü"}'),
    ]
    assert "content-type" not in asked.headers


@pytest.mark.parametrize(
    ("url", "arguments", "merged"),
    [
        ("https://a.example/p", {}, "https://a.example/p"),
        ("https://a.example/p", {"x": None}, "https://a.example/p"),
        ("https://a.example/p", {"x": 1}, "https://a.example/p?x=1"),
        ("https://a.example", {"x": ""}, "https://a.example?x="),
        ("https://a.example/p?", {"x": 1}, "https://a.example/p?x=1"),
        ("https://a.example/p?a=b&", {"x": 1}, "https://a.example/p?a=b&x=1"),
        ("https://a.example/p?x=0", {"x": 1}, "https://a.example/p?x=0&x=1"),
        (
            "https://a.example/p",
            {"a&b=c#": "d/?&#"},
            "https://a.example/p?a%26b%3Dc%23=d%2F%3F%26%23",
        ),
    ],
)
def test_a_query_is_added_to_and_never_rewritten(
    url: str, arguments: dict[str, Any], merged: str
) -> None:
    """What the agent's URL fixes stays, also when an argument has the same name."""
    assert _with_query(url, arguments) == merged


@given(st.dictionaries(st.text(max_size=9), st.text(max_size=20), max_size=4))
def test_any_text_goes_through_a_query(arguments: dict[str, str]) -> None:
    """What the model wrote is what the server reads."""
    query = urlsplit(_with_query("https://a.example/p", arguments)).query
    sent = dict(parse_qsl(query, keep_blank_values=True))
    encodable = {
        key.encode("utf-8", "replace").decode(): value.encode("utf-8", "replace").decode()
        for key, value in arguments.items()
    }
    assert sent == encodable


async def test_headers_of_the_agent_go_out() -> None:
    """Its secrets, and its wishes in place of ours."""
    headers = (("Authorization", "Bearer s3cr3t"), ("Content-Type", "application/vnd.api+json"))
    _, server = await call(responding(200, b""), headers=headers)
    asked = server.requests[0].headers
    assert asked["authorization"] == "Bearer s3cr3t"
    assert asked["content-type"] == "application/vnd.api+json"


# --- what comes back ---------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_a_success_gives_the_body_as_text(status: int) -> None:
    """JSON or not; a model reads both."""
    body = b"" if status == 204 else b'{"temperature": 21}'
    outcome, _ = await call(responding(status, body))
    assert outcome == ToolOutcome(body.decode())


async def test_eight_kilobytes_of_a_body_are_the_result() -> None:
    """Cut between characters; an endless body ends there too."""

    async def endless(exchange: Exchange) -> None:
        await exchange.send(OK + b"transfer-encoding: chunked\r\n\r\n")
        await exchange.chunks(b"x")
        while True:
            await exchange.chunks("ü".encode() * 10_000)

    outcome, _ = await call(endless)
    assert outcome == ToolOutcome("x" + "ü" * ((MOST_RESULT_BYTES - 1) // 2))


@pytest.mark.parametrize(
    ("content_type", "body", "text"),
    [
        ("application/json", "ü".encode(), "ü"),
        ("text/plain; charset=ISO-8859-1", b"\xfc", "ü"),
        ('text/plain; charset="Windows-1252"', b"\x80", "€"),
        ("text/plain; charset=shift_jis", "日本".encode("shift_jis"), "日本"),
        ("text/plain; charset=utf-8", b"a\xfcb", "a\ufffdb"),
        ("text/plain; charset=no-such-thing", "ü".encode(), "ü"),
        ("text/plain; charset=unicode_escape", rb"\u0041", r"\u0041"),
        ("text/plain; charset=zlib_codec", b"a", "a"),
        (";;;=", b"a", "a"),
    ],
)
def test_a_body_is_decoded_as_it_says_where_that_makes_sense(
    content_type: str, body: bytes, text: str
) -> None:
    """And as UTF-8 otherwise; what cannot be decoded is marked, and nothing fails."""
    assert _text(OutboundResponse(200, {"content-type": content_type}, body)) == text


@given(st.text(max_size=60), st.binary(max_size=60), st.booleans())
def test_no_content_type_and_no_body_is_an_error(kind: str, body: bytes, cut: bool) -> None:
    """Whatever a server says of its text."""
    _text(OutboundResponse(200, {"content-type": f"text/plain; charset={kind}"}, body, cut))


@pytest.mark.parametrize("charset", sorted(_CHARSETS))
def test_every_charset_that_is_known_can_be_decoded(charset: str) -> None:
    """The names are Python's too."""
    headers = {"content-type": f"text/plain; charset={charset}"}
    assert _text(OutboundResponse(200, headers, "abc".encode(charset))) == "abc"


# --- what goes wrong ---------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 418, 429, 500, 503])
async def test_any_other_status_is_a_failure(status: int) -> None:
    """Told as such, without the body, which was written for somebody else."""
    outcome, server = await call(responding(status, b"stack trace", "location: http://10.0.0.1/"))
    assert outcome == ToolOutcome(f"The tool failed with status {status}.", is_error=True)
    assert len(server.requests) == 1


async def test_a_compressed_answer_is_not_opened() -> None:
    """It was not asked for, and may be a bomb."""
    bomb = gzip.compress(bytes(100_000_000), 9)
    outcome, _ = await call(responding(200, bomb, "content-encoding: gzip"))
    assert outcome == ToolOutcome("The tool answered in a form that cannot be read.", is_error=True)


async def silent(exchange: Exchange) -> None:
    """Answers nothing."""
    await exchange.until_left()


async def dripping(exchange: Exchange) -> None:
    """Answers for ever."""
    await exchange.send(OK + b"transfer-encoding: chunked\r\n\r\n")
    while not exchange.reader.at_eof():
        await exchange.chunks(b"x")
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("answer", [silent, dripping])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_tool_that_is_too_slow_is_given_up(answer: Answer, method: str) -> None:
    """After the time it has for everything, and without asking again."""
    outcome, server = await call(answer, method=method, timeout_s=0.1)
    assert outcome == ToolOutcome("The tool did not answer in time.", is_error=True)
    assert len(server.requests) == 1


async def reset(exchange: Exchange) -> None:
    """Breaks off before the answer."""
    exchange.reset()


async def reset_later(exchange: Exchange) -> None:
    """Breaks off in the middle of it."""
    await exchange.send(OK + b"content-length: 9\r\n\r\nabc")
    exchange.reset()


async def garbage(exchange: Exchange) -> None:
    """Speaks no HTTP."""
    await exchange.send(b"\x00\x01\x02\r\n\r\n")
    exchange.reset()


@pytest.mark.parametrize("answer", [reset, reset_later, garbage])
@pytest.mark.parametrize(("method", "times"), [("GET", 2), ("POST", 1), ("PUT", 1), ("DELETE", 1)])
async def test_only_a_get_is_asked_a_second_time(answer: Answer, method: str, times: int) -> None:
    """Anything else may have been done already."""
    outcome, server = await call(answer, method=method)
    assert outcome == ToolOutcome("The tool could not be reached.", is_error=True)
    assert len(server.requests) == times


async def test_a_get_that_broke_off_once_succeeds() -> None:
    """The model hears nothing of it."""
    answers = iter([reset, responding(200, b"fine")])

    async def first_reset(exchange: Exchange) -> None:
        await next(answers)(exchange)

    outcome, _ = await call(first_reset, method="GET")
    assert outcome == ToolOutcome("fine")


async def test_a_head_without_bounds_is_a_failure() -> None:
    """A hundred thousand headers are not read."""

    async def many(exchange: Exchange) -> None:
        await exchange.send(OK + b"".join(b"x-%d: 1\r\n" % number for number in range(100_000)))
        await exchange.until_left()

    outcome, _ = await call(many)
    assert outcome == ToolOutcome("The tool could not be reached.", is_error=True)


async def test_a_tool_that_is_down_is_a_failure() -> None:
    """Nothing of the network is told."""
    async with meeting(responding(200, b"")) as (server, _):
        url = server.url
    async with guarded(url.removeprefix("http://")) as guard:
        outcome = await HttpTools(guard).run(HttpTarget(url), {}, 5)
    assert outcome == ToolOutcome("The tool could not be reached.", is_error=True)


async def test_an_address_that_may_not_be_asked_is_a_failure() -> None:
    """Whatever was stored, and whatever its name has become."""
    names = Names({"a.example": [["10.0.0.1"]]})
    async with guarded(resolve=names) as guard:
        tools = HttpTools(guard)
        for url in (
            "https://a.example/",
            "http://a.example/",
            "file:///etc/passwd",
            "",
            "https://",
        ):
            outcome = await tools.run(HttpTarget(url), {"a": 1}, 5)
            assert outcome == ToolOutcome("The tool's address cannot be used.", is_error=True)
        outcome = await tools.run(HttpTarget("https://none.example/"), {}, 5)
        assert outcome == ToolOutcome("The tool could not be reached.", is_error=True)


@pytest.mark.parametrize("value", [object(), 1j, "\ud800"])
async def test_arguments_that_are_no_json_are_not_sent(value: object) -> None:
    """The model is told so."""
    outcome, server = await call(responding(200, b""), {"a": value})
    assert outcome == ToolOutcome("The arguments cannot be sent.", is_error=True)
    assert server.connections == 0


async def test_a_call_that_is_given_up_hangs_up() -> None:
    """When the session ends, so does its tool."""
    asked, left = asyncio.Event(), asyncio.Event()

    async def waits(exchange: Exchange) -> None:
        asked.set()
        await exchange.until_left()
        left.set()

    async with meeting(waits) as (server, tools):
        task = asyncio.create_task(tools.run(HttpTarget(server.url), {}))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(left.wait(), 5)


def test_a_target_shows_no_secret() -> None:
    """Neither in logs nor in tracebacks, of any renderer."""
    target = HttpTarget("https://a.example/s3cr3t?s3cr3t", "GET", (("x", "s3cr3t"),))
    assert repr(target) == "HttpTarget(GET https://a.example)"
    assert "s3cr3t" not in str(target.__rich_repr__())
