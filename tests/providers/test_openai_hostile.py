"""The OpenAI adapter over real sockets, against peers that do what no polite server does."""

import gzip

import pytest

from antiphon_providers.errors import Malformed, ProviderError, Refused, Unavailable
from antiphon_providers.interfaces import Said, Spent, Used
from openai_peer import (
    HELLO,
    HELLO_SAID,
    Meeting,
    asking,
    event,
    meeting,
    responding,
    streaming,
    text,
)
from raw_http import STREAM_HEAD, Answer, Exchange, raw_server

STREAM_TYPE = "content-type: text/event-stream"


async def fails(answer: Answer) -> tuple[ProviderError, list[Said | Used | Spent]]:
    """The error that a reply ends with, and what was said before."""
    said: list[Said | Used | Spent] = []

    async def listen(met: Meeting) -> None:
        async for piece in met.model.reply(asking("hello")):
            said.append(piece)  # noqa: PERF401 - what came before the error must be kept

    async with meeting() as met:
        met.server.answer = answer
        with pytest.raises(ProviderError) as raised:
            await listen(met)
    assert raised.value.provider == "openai"
    return raised.value, said


# --- answers that are none ---------------------------------------------------------------


async def test_a_redirect_is_refused_and_not_followed() -> None:
    """The key and the conversation go nowhere else."""
    async with raw_server(streaming(HELLO)) as other:
        target = f"location: {other.url}/v1/chat/completions"
        error, _ = await fails(responding(307, b"", target))
        assert isinstance(error, Refused)
        assert other.url in error.message
        assert other.requests == []


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("location: http://[x",),
        ("location: /elsewhere",),
        ("location: url:http://x.example/",),
        ("location: http:x.example",),
        ("location: http:////x.example/",),
        ("location: http://x.example:99999999999/",),
        (f"location: http://{'a.' * 200}/",),
        (f"location: http://x.example/{'x' * 70_000}",),
    ],
)
async def test_a_redirect_to_nowhere_is_an_error_too(headers: tuple[str, ...]) -> None:
    """Without a location, with one that is no URL, or back to the same server."""
    await fails(responding(302, b"", *headers))


async def test_a_compressed_stream_is_malformed_and_not_unpacked() -> None:
    """Nobody asked for it, and it may be a bomb."""
    bomb = gzip.compress(bytes(10_000_000))
    error, _ = await fails(responding(200, bomb, STREAM_TYPE, "content-encoding: gzip"))
    assert isinstance(error, Malformed)
    assert "gzip" in error.message


async def test_a_compressed_error_is_not_unpacked() -> None:
    """The status is enough."""
    bomb = gzip.compress(bytes(10_000_000))
    error, _ = await fails(responding(500, bomb, "content-encoding: gzip"))
    assert isinstance(error, Unavailable)
    assert len(error.message) < 600


@pytest.mark.parametrize("kind", ["application/json", "text/html", ""])
async def test_an_answer_that_is_no_stream_is_malformed(kind: str) -> None:
    """A server that cannot stream, a proxy's page, or nothing named at all."""
    error, _ = await fails(responding(200, b"{}", f"content-type: {kind}"))
    assert isinstance(error, Malformed)
    assert "not with a stream" in error.message


async def test_an_error_under_a_good_status_is_an_error() -> None:
    """Gateways that answer 200 with an error object."""
    body = b'{"error": {"message": "no credit", "code": 402}}'
    error, _ = await fails(responding(200, body, "content-type: application/json"))
    assert isinstance(error, Refused)
    assert "no credit" in error.message


async def test_an_error_page_without_end_is_cut() -> None:
    """An error's body is bounded too."""

    async def endless(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            await exchange.chunks(b"words " * 1000)

    error, _ = await fails(endless)
    assert isinstance(error, Unavailable)
    assert "500: words" in error.message


async def test_what_is_not_http_is_unavailable() -> None:
    """Another service on the port."""

    async def babbles(exchange: Exchange) -> None:
        await exchange.send(b"220 mail.example.org ESMTP\r\n\r\n")
        exchange.writer.close()

    error, _ = await fails(babbles)
    assert isinstance(error, Unavailable)


# --- streams that misbehave --------------------------------------------------------------


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
async def test_a_stream_may_come_byte_by_byte(line_end: bytes) -> None:
    """Each byte in a chunk of its own, characters and line ends cut in two."""
    greeting = event('{"choices": [{"delta": {"content": "Grüße 👋 "}}]}'.encode())
    whole = (greeting + HELLO).replace(b"\n", line_end)
    async with meeting() as met:
        pieces = [whole[at : at + 1] for at in range(len(whole))]
        assert await met.reply(streaming(*pieces)) == [Said("Grüße 👋 "), *HELLO_SAID]


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        (b"data: {nonsense\n\n", "no chunk"),
        (b"data: \xff\xfe\n\n", "UTF-8"),
        (b"data: " + b"x" * 1_100_000, "a line"),
        (b'data: {"choices": [{"delta": {"content": 7}}]}\n\n', "no chunk"),
    ],
)
async def test_garbage_is_malformed_after_what_was_said(garbage: bytes, reason: str) -> None:
    """The words before it have been given, wherever the pieces were cut."""
    error, said = await fails(streaming(text("Hel"), garbage))
    assert isinstance(error, Malformed)
    assert reason in error.message
    assert said == [Said("Hel")]


@pytest.mark.parametrize(
    "end", [b"", b"data: \xc3", b'data: {"choices"', b"<html>welcome to the cafe</html>\n\n"]
)
async def test_a_stream_that_ends_early_is_unavailable(end: bytes) -> None:
    """In the middle of a character, of an event or between two: nothing is guessed."""
    error, said = await fails(streaming(text("Hel") + end))
    assert isinstance(error, Unavailable)
    assert "ended before" in error.message
    assert said == [Said("Hel")]


async def test_a_stream_with_nothing_in_it_is_unavailable() -> None:
    """It ended before it began."""
    error, _ = await fails(streaming())
    assert isinstance(error, Unavailable)


async def test_an_endless_reply_ends() -> None:
    """It is malformed as soon as it is too long."""

    async def endless(exchange: Exchange) -> None:
        await exchange.send(STREAM_HEAD)
        while True:
            await exchange.chunks(text("blah " * 50_000))

    error, said = await fails(endless)
    assert isinstance(error, Malformed)
    assert "the stream is longer" in error.message
    assert said


async def _resets(exchange: Exchange) -> None:
    await exchange.send(STREAM_HEAD)
    await exchange.chunks(text("Hel"))
    exchange.reset()


async def _closes_early(exchange: Exchange) -> None:
    await exchange.send(STREAM_HEAD, b"ffff\r\n" + text("Hel"))
    exchange.writer.close()


async def _hangs_up(exchange: Exchange) -> None:
    exchange.writer.close()


async def _breaks_its_chunks(exchange: Exchange) -> None:
    await exchange.send(STREAM_HEAD, b"not a length\r\n")
    exchange.writer.close()


@pytest.mark.parametrize("breaks", [_resets, _closes_early, _hangs_up, _breaks_its_chunks])
async def test_a_connection_that_breaks_is_unavailable(breaks: Answer) -> None:
    """Reset or closed in the middle of a reply, closed without an answer, broken framing."""
    error, _ = await fails(breaks)
    assert isinstance(error, Unavailable)


async def test_after_a_failure_the_next_reply_is_served() -> None:
    """A broken connection is not used again."""
    async with meeting() as met:
        with pytest.raises(Unavailable):
            await met.reply(_resets)
        assert await met.reply(streaming(HELLO)) == HELLO_SAID
