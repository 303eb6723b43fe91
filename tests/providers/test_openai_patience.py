"""How long the OpenAI adapter waits, in virtual time: the peer is a transport, not a socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import httpx
import pytest

from antiphon_providers.errors import TooSlow, Unavailable
from antiphon_providers.interfaces import Said
from antiphon_providers.openai import OpenAI, OpenAIOptions
from openai_peer import HELLO, HELLO_SAID, asking, event, text
from virtual_time import in_virtual_time

Timed = tuple[float, bytes]
"""Seconds to wait, and what is sent then."""


class Stream(httpx.AsyncByteStream):
    """A body whose pieces take their time."""

    def __init__(self, pieces: tuple[Timed, ...]) -> None:
        self.pieces = pieces
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for seconds, piece in self.pieces:
            await asyncio.sleep(seconds)
            yield piece

    async def aclose(self) -> None:
        """Remembers that nobody reads on."""
        self.closed = True


class Peer(httpx.AsyncBaseTransport):
    """Answers after some seconds; raises instead where told to."""

    def __init__(
        self, *pieces: Timed, head_s: float = 0, raises: type[httpx.TransportError] | None = None
    ) -> None:
        self.stream = Stream(pieces)
        self.head_s = head_s
        self.raises = raises

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer; the list of models is empty and comes at once."""
        if request.method == "GET":
            return httpx.Response(200, stream=Stream(()))
        await asyncio.sleep(self.head_s)
        if self.raises is not None:
            raise self.raises("")
        kind = {"content-type": "text/event-stream"}
        return httpx.Response(200, headers=kind, stream=self.stream)


async def reply_of(peer: Peer) -> tuple[list[object], float]:
    """The reply, and the seconds it took."""
    options = OpenAIOptions(model="m", first_token_ms=1000, progress_ms=500, connect_ms=300)
    model = OpenAI(options, transport=peer)
    await model.start()
    began = asyncio.get_running_loop().time()
    said: list[object] = [piece async for piece in model.reply(asking("hello"))]
    await model.close()
    return said, round(asyncio.get_running_loop().time() - began, 3)


@pytest.mark.parametrize(
    "peer",
    [
        Peer(head_s=5),
        Peer((5, HELLO)),
        Peer((0.5, b": keep-alive\n\n"), (0.4, b": keep-alive\n\n"), (0.4, HELLO)),
        Peer(*[(0.3, event({"choices": [{"delta": {"reasoning_content": "hm"}}]}))] * 9),
        Peer((0.6, event({"choices": [{"delta": {"role": "assistant"}}]})), (0.6, HELLO)),
    ],
)
@in_virtual_time
async def test_no_words_within_the_first_patience_is_too_slow(peer: Peer) -> None:
    """No head, no body, keep-alives, thoughts, a mere role: all are silence to the caller."""
    began = asyncio.get_running_loop().time()
    with pytest.raises(TooSlow, match="no words within 1000 ms"):
        await reply_of(peer)
    assert asyncio.get_running_loop().time() - began == pytest.approx(1)


@in_virtual_time
async def test_words_just_in_time_are_words() -> None:
    """The patience begins anew with each step."""
    peer = Peer((0.99, text("a")), (0.49, text("b")), (0.49, text("c", "stop")))
    assert await reply_of(peer) == ([Said("a"), Said("b"), Said("c")], 1.97)


@in_virtual_time
async def test_a_reply_that_stops_is_too_slow_and_its_stream_is_closed() -> None:
    """After the first words the second patience holds, and keep-alives do not renew it."""
    peer = Peer((0.1, text("a")), (0.3, b": keep-alive\n\n"), (0.3, text("b", "stop")))
    with pytest.raises(TooSlow, match="stopped for 500 ms"):
        await reply_of(peer)
    assert peer.stream.closed


@in_virtual_time
async def test_pieces_of_a_tool_call_are_steps() -> None:
    """A long call is not slow as long as it is being written."""
    fragments = [
        event({"choices": [{"delta": {"tool_calls": [{"index": 0, "function": function}]}}]})
        for function in ({"name": "t"}, *[{"arguments": piece} for piece in ("{", " ", " ", "}")])
    ]
    said, took = await reply_of(
        Peer(*[(0.4, fragment) for fragment in fragments], (0.4, event(b"[DONE]")))
    )
    assert (len(said), took) == (1, 2.4)


@in_virtual_time
async def test_the_consumers_time_is_not_the_models() -> None:
    """A consumer that is busy for longer than the patience gets the rest of the reply."""
    peer = Peer((0, text("a")), (0.4, text("b", "stop")))
    model = OpenAI(OpenAIOptions(model="m", progress_ms=500), transport=peer)
    await model.start()
    async with aclosing(model.reply(asking("hello"))) as reply:
        assert await anext(reply) == Said("a")
        await asyncio.sleep(60)
        assert await anext(reply) == Said("b")
    await model.close()


@in_virtual_time
async def test_a_connection_that_is_not_made_in_time_is_too_slow() -> None:
    """With a reason of its own, for it is the network and not the model."""
    with pytest.raises(TooSlow, match=r"no connection to .* within 300 ms"):
        await reply_of(Peer(raises=httpx.ConnectTimeout))


@in_virtual_time
async def test_too_many_replies_at_one_time_are_unavailable() -> None:
    """Waiting for another reply's connection would be a queue nobody sees."""
    with pytest.raises(Unavailable, match="PoolTimeout"):
        await reply_of(Peer(raises=httpx.PoolTimeout))


@in_virtual_time
async def test_the_end_of_the_body_is_waited_for_only_briefly() -> None:
    """The reply is over with [DONE]; what the connection does then is worth a quarter second."""
    said, took = await reply_of(Peer((0, HELLO), (60, b"\n")))
    assert (said, took) == (HELLO_SAID, 0.25)
