"""What connections to voices have in common: samples, deadlines, what goes out and when."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosedError

from antiphon_providers.observer import SILENT
from antiphon_providers.vendor_socket import Address, VendorSocket, connect
from antiphon_providers.voice_session import Deadline, Outbox, Samples, both, has_words
from virtual_time import in_virtual_time


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[VendorSocket, asyncio.Queue[str | bytes]]]:
    """A connection to a peer, and what the peer hears."""
    heard: asyncio.Queue[str | bytes] = asyncio.Queue()

    async def hear(connection: ServerConnection) -> None:
        with suppress(ConnectionClosedError):
            async for message in connection:
                heard.put_nowait(message)

    async with serve(hear, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(Address("vendor", f"ws://127.0.0.1:{port}"), SILENT) as socket:
            yield socket, heard


def nothing() -> None:
    """To say, where it is quiet for long."""


def test_a_sentence_without_words_says_nothing() -> None:
    """Marks and white space are no words; digits are."""
    assert [has_words(text) for text in ("", " …", "9", "Ja")] == [False, False, True, True]


def test_samples_are_whole_wherever_the_pieces_are_cut() -> None:
    """Half of one waits for the other; half of one at the end is nothing."""
    samples = Samples()
    assert [samples.take(piece) for piece in (b"\1", b"\2\3", b"", b"\4\5")] == [
        b"",
        b"\1\2",
        b"",
        b"\3\4",
    ]
    assert samples.received == 5


@in_virtual_time
async def test_a_deadline_is_that_of_the_last_time_it_was_set() -> None:
    """It is told once, with its length; none is left where nothing is due."""
    late: list[int] = []
    deadline = Deadline(late.append)
    deadline.set(100)
    deadline.set(300)
    await asyncio.sleep(0.2)
    assert (deadline.is_set, late) == (True, [])
    await asyncio.sleep(0.2)
    assert late == [300]
    deadline.set(100)
    deadline.set(None)
    assert not deadline.is_set
    await asyncio.sleep(1)
    assert late == [300]


async def test_what_is_put_goes_out_in_order() -> None:
    """Also what was put before anybody delivered."""
    async with listening() as (socket, heard):
        outbox = Outbox()
        outbox.put("one")
        delivering = asyncio.create_task(outbox.deliver(socket, 60, nothing))
        assert await heard.get() == "one"
        outbox.put("two")
        outbox.put("three")
        assert [await heard.get(), await heard.get()] == ["two", "three"]
        outbox.close()
        await delivering


async def test_what_was_forgotten_or_comes_after_the_end_is_not_sent() -> None:
    """A finished one sends what waits, a closed one nothing."""
    async with listening() as (socket, heard):
        outbox = Outbox()
        outbox.put("forgotten")
        outbox.clear()
        outbox.put("last")
        outbox.finish()
        await outbox.deliver(socket, 60, nothing)
        closed = Outbox()
        closed.put("never")
        closed.close()
        await closed.deliver(socket, 60, nothing)
        await socket.send("end")
        assert [await heard.get(), await heard.get()] == ["last", "end"]


async def test_what_is_said_in_silence_is_said_again_and_again() -> None:
    """Until there is nothing to say then."""
    said = iter(["alive", "alive", None, "alive"])
    async with listening() as (socket, heard):
        outbox = Outbox()
        delivering = asyncio.create_task(outbox.deliver(socket, 0.001, lambda: next(said, None)))
        assert [await heard.get() for _ in range(3)] == ["alive"] * 3
        outbox.close()
        await delivering


async def test_a_lost_connection_ends_the_delivery() -> None:
    """Whoever listens tells of the failure."""
    async with listening() as (socket, _):
        socket.abort()
        await Outbox().deliver(socket, 0.001, lambda: "alive")


async def test_one_half_ends_with_the_other() -> None:
    """Whichever ends first; and both with whoever waits for them."""
    ended: list[str] = []

    async def lasting() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("lasting")

    async def short() -> None:
        await asyncio.sleep(0)
        ended.append("short")

    await both(lasting(), short())
    assert ended == ["short", "lasting"]
    waiting = asyncio.create_task(both(lasting(), lasting()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert ended[2:] == ["lasting", "lasting"]
