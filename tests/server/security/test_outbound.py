"""The guard: what may be stored, and what a request gives, whatever the server does."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from antiphon_server.security.outbound import (
    RESERVED_HEADERS,
    USER_AGENT,
    OutboundGuard,
    OutboundRequest,
    OutboundResponse,
)
from antiphon_server.security.outbound_errors import (
    OutboundFailed,
    OutboundTooLarge,
    OutboundTooSlow,
    Unresolved,
    UnsafeUrl,
)
from openai_peer import responding
from outbound_peer import Names, guarded
from raw_http import Answer, Exchange, RawServer, raw_server
from virtual_time import in_virtual_time

OK = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def meeting(answer: Answer) -> AsyncIterator[tuple[RawServer, OutboundGuard]]:
    """A server that answers so, and a guard that may ask it."""
    async with (
        raw_server(answer) as server,
        guarded(server.url.removeprefix("http://")) as guard,
    ):
        yield server, guard


async def ask(answer: Answer, **more: Any) -> OutboundResponse:
    """What a request gives of a server that answers so."""
    async with meeting(answer) as (server, guard):
        return await guard.fetch(OutboundRequest(**{"method": "GET", "url": server.url, **more}))


# --- storing a URL -----------------------------------------------------------------------


async def test_a_url_of_a_public_server_may_be_stored() -> None:
    """Its name is looked up, and nothing is asked of it."""
    names = Names({"a.example": [["93.184.215.14"]]})
    async with guarded(resolve=names) as guard:
        await guard.check_url("https://a.example/tool?x=1")
    assert names.asked == ["a.example"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://a.example/" + "x" * 2031, "longer than 2048 characters"),
        ("http://a.example/", "must begin with https"),
        ("https://a.example:81/", "port 81 is not allowed"),
        ("https://none.example/", r"^URL host none\.example does not resolve$"),
        ("https://in.example/", r"^URL host in\.example does not resolve to a public address$"),
    ],
)
async def test_any_other_url_is_refused_with_a_reason(url: str, reason: str) -> None:
    """For whoever wrote it, who learns no address (protocol, section 6.2)."""
    names = Names({"a.example": [["93.184.215.14"]], "in.example": [["10.1.2.3"]]})
    async with guarded(resolve=names) as guard:
        with pytest.raises(UnsafeUrl, match=reason):
            await guard.check_url(url)


@in_virtual_time
async def test_a_name_that_is_slow_does_not_resolve() -> None:
    """A URL is not stored in the hope that it will."""

    async def silent(host: str, port: int) -> list[str]:
        del host, port
        await asyncio.Event().wait()
        return []

    async with guarded(resolve=silent) as guard:
        with pytest.raises(UnsafeUrl, match=r"^URL host a\.example does not resolve$"):
            await guard.check_url("https://a.example/")


def test_an_exception_that_cannot_be_is_told_at_the_start() -> None:
    """An operator's mistake, not a client's."""
    with pytest.raises(ValueError, match="'llm' is not a host and a port"):
        OutboundGuard(("llm",))


async def test_a_guard_resolves_by_the_system_unless_told() -> None:
    """An address needs no name server, so this asks none."""
    guard = OutboundGuard(("127.0.0.1:1",))
    await guard.check_url("http://127.0.0.1:1/")
    await guard.close()


# --- asking ------------------------------------------------------------------------------


async def test_a_request_goes_out_as_it_is_and_the_answer_comes_back() -> None:
    """With our name and no wish for compression; names of headers are in lower case."""
    async with meeting(responding(201, b"made", "X-Kind: a", "x-kind: b")) as (server, guard):
        request = OutboundRequest(
            method="POST",
            url=f"{server.url}/a/b?c=d",
            headers=(("X-Key", "k"), ("Accept-Encoding", "gzip"), ("Accept", "text/plain")),
            body=b'{"a":1}',
        )
        response = await guard.fetch(request)
    asked = server.requests[0]
    assert (asked.method, asked.path, asked.body) == ("POST", "/a/b?c=d", b'{"a":1}')
    assert asked.headers["user-agent"] == USER_AGENT
    assert asked.headers["accept-encoding"] == "identity"
    assert (asked.headers["x-key"], asked.headers["accept"]) == ("k", "text/plain")
    assert (response.status, response.body, response.cut) == (201, b"made", False)
    assert response.headers["x-kind"] == "a, b"


async def test_the_caller_may_name_itself() -> None:
    """A header of the caller's takes the place of ours, and is there once."""
    async with meeting(responding(200, b"")) as (server, guard):
        headers = (("User-Agent", "Mine/1"),)
        await guard.fetch(OutboundRequest(method="GET", url=server.url, headers=headers))
    assert server.requests[0].headers["user-agent"] == "Mine/1"


@pytest.mark.parametrize("header", sorted(RESERVED_HEADERS))
async def test_a_header_of_the_connection_cannot_be_set(header: str) -> None:
    """It could smuggle a second request behind the first."""
    async with meeting(responding(200, b"")) as (server, guard):
        headers = ((header.title(), "x"),)
        with pytest.raises(OutboundFailed, match=f"header {header} cannot be set"):
            await guard.fetch(OutboundRequest(method="GET", url=server.url, headers=headers))
        assert server.connections == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("X\r\nY", "1"), ("X Y", "1"), ("X:", "1"), ("", "1"), ("Ключ", "1"), ("X", "1\r\nY: 2")],
)
async def test_a_header_that_is_none_is_not_sent(name: str, value: str) -> None:
    """Nor anything else."""
    async with meeting(responding(200, b"")) as (server, guard):
        request = OutboundRequest(method="GET", url=server.url, headers=((name, value),))
        with pytest.raises(OutboundFailed):
            await guard.fetch(request)
        assert server.requests == []


async def test_text_beyond_ascii_in_a_header_is_utf_8() -> None:
    """As most servers read it."""
    async with meeting(responding(200, b"")) as (server, guard):
        request = OutboundRequest(method="GET", url=server.url, headers=(("x-name", "Zoë"),))
        await guard.fetch(request)
    assert server.requests[0].headers["x-name"].encode("latin-1").decode() == "Zoë"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer(status: int) -> None:
    """It is not followed; who asked sees where it would have led."""
    async with raw_server(responding(200, b"inside")) as other:
        response = await ask(responding(status, b"", f"location: {other.url}/"))
        assert other.connections == 0
    assert (response.status, response.headers["location"]) == (status, f"{other.url}/")


async def test_what_is_not_allowed_is_not_asked() -> None:
    """The same checks as for storing, again, because names change."""
    names = Names({"a.example": [["93.184.215.14"], ["127.0.0.1"]]})
    async with guarded(resolve=names) as guard:
        await guard.check_url("https://a.example/")
        with pytest.raises(UnsafeUrl, match="public address"):
            await guard.fetch(OutboundRequest(method="GET", url="https://a.example/"))
        with pytest.raises(Unresolved, match=r"none\.example does not resolve"):
            await guard.fetch(OutboundRequest(method="GET", url="https://none.example/"))
        for url in ("http://a.example/", "https://u:p@a.example/", "a.example", "https://"):
            with pytest.raises(UnsafeUrl):
                await guard.fetch(OutboundRequest(method="GET", url=url))
    assert names.asked == ["a.example", "a.example", "none.example"]


# --- answers that are none ---------------------------------------------------------------


async def test_a_body_is_read_up_to_its_bound() -> None:
    """Of an endless one the beginning, marked as cut; one that just fits is whole."""

    async def endless(exchange: Exchange) -> None:
        await exchange.send(OK + b"transfer-encoding: chunked\r\n\r\n")
        while True:
            await exchange.chunks(b"x" * 65_536)

    response = await ask(endless, max_bytes=100_000)
    assert (len(response.body), response.cut) == (100_000, True)
    response = await ask(responding(200, b"12345"), max_bytes=5)
    assert (response.body, response.cut) == (b"12345", False)


async def test_a_compressed_body_stays_compressed() -> None:
    """Nobody asked for it, and there may be gigabytes in it."""
    bomb = gzip.compress(bytes(10_000_000))
    response = await ask(responding(200, bomb, "content-encoding: gzip"))
    assert response.body == bomb
    assert response.headers["content-encoding"] == "gzip"


async def silent(exchange: Exchange) -> None:
    """Answers nothing."""
    await exchange.until_left()


async def slow_head(exchange: Exchange) -> None:
    """Begins a head and never ends it."""
    await exchange.send(OK + b"x-a: 1\r\n")
    await exchange.until_left()


async def slow_body(exchange: Exchange) -> None:
    """Sends a byte of its body at a time, for ever."""
    await exchange.send(OK + b"transfer-encoding: chunked\r\n\r\n")
    while not exchange.reader.at_eof():
        await exchange.chunks(b"x")
        await asyncio.sleep(0.005)


async def hinting(exchange: Exchange) -> None:
    """Sends interim answers for ever."""
    while not exchange.reader.at_eof():
        await exchange.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("answer", [silent, slow_head, slow_body, hinting])
async def test_an_answer_has_one_deadline_for_all_of_it(answer: Answer) -> None:
    """However busy the server keeps the connection."""
    with pytest.raises(OutboundTooSlow, match="no whole answer within"):
        await ask(answer, timeout_s=0.1)


async def endless_header(exchange: Exchange) -> None:
    """Never ends a header."""
    await exchange.send(OK + b"x-a: ")
    while True:
        await exchange.send(b"x" * 65_536)


async def many_headers(exchange: Exchange) -> None:
    """Has a hundred thousand headers."""
    await exchange.send(OK + b"".join(b"x-%d: 1\r\n" % number for number in range(100_000)))
    await exchange.until_left()


@pytest.mark.parametrize("answer", [endless_header, many_headers])
async def test_a_head_that_is_too_large_is_not_read(answer: Answer) -> None:
    """A hundred kilobytes are the most."""
    with pytest.raises(OutboundTooLarge):
        await ask(answer)


async def reset_at_once(exchange: Exchange) -> None:
    """Breaks the connection off."""
    exchange.reset()


async def reset_in_the_body(exchange: Exchange) -> None:
    """Breaks it off later."""
    await exchange.send(OK + b"content-length: 9\r\n\r\nabc")
    exchange.reset()


async def garbage(exchange: Exchange) -> None:
    """Speaks no HTTP."""
    await exchange.send(b"220 mail.example ESMTP\r\n\r\n\x00\xff")
    exchange.writer.close()


async def bad_chunks(exchange: Exchange) -> None:
    """Counts wrong."""
    await exchange.send(OK + b"transfer-encoding: chunked\r\n\r\nzz\r\nabc")
    exchange.writer.close()


async def two_lengths(exchange: Exchange) -> None:
    """Has two minds about its length."""
    await exchange.send(OK + b"content-length: 1\r\ncontent-length: 2\r\n\r\nab")


@pytest.mark.parametrize(
    "answer", [reset_at_once, reset_in_the_body, garbage, bad_chunks, two_lengths]
)
async def test_what_is_no_answer_is_a_failure_without_detail(answer: Answer) -> None:
    """The text tells the kind only; the guard can be used again."""
    async with meeting(answer) as (server, guard):
        with pytest.raises(OutboundFailed, match=r"^the request failed: \w+$"):
            await guard.fetch(OutboundRequest(method="GET", url=server.url))
        server.answer = responding(200, b"well")
        assert (await guard.fetch(OutboundRequest(method="GET", url=server.url))).body == b"well"


async def test_a_server_that_is_down_is_a_failure_without_its_address() -> None:
    """Who asks learns that it failed, not what listens where."""
    async with meeting(responding(200, b"")) as (server, _):
        url = server.url
    async with guarded(url.removeprefix("http://")) as guard:
        with pytest.raises(OutboundFailed, match=r"^the request failed: ConnectError$"):
            await guard.fetch(OutboundRequest(method="GET", url=url))


async def test_a_request_that_is_given_up_leaves_no_connection() -> None:
    """A caller may hang up at any time."""
    asked, left = asyncio.Event(), asyncio.Event()

    async def waits(exchange: Exchange) -> None:
        asked.set()
        await exchange.until_left()
        left.set()

    async with meeting(waits) as (server, guard):
        task = asyncio.create_task(guard.fetch(OutboundRequest(method="GET", url=server.url)))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(left.wait(), 5)


def test_what_is_printed_has_no_secret() -> None:
    """Of a request only where it goes, of an answer only how large it is."""
    request = OutboundRequest(
        method="POST",
        url="https://a.example/s3cr3t?key=s3cr3t",
        headers=(("authorization", "s3cr3t"),),
        body=b"s3cr3t",
    )
    assert repr(request) == "OutboundRequest(POST https://a.example)"
    assert repr(OutboundResponse(200, {"set-cookie": "s3cr3t"}, b"s3cr3t")) == (
        "OutboundResponse(200, 6 bytes)"
    )
