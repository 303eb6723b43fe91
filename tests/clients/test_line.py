"""What is sent while the line may be down."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import ClientConnection

from antiphon import line as lines
from antiphon import resume
from antiphon.errors import ConnectionLost
from antiphon.handshake import dial, introduce
from antiphon.line import Line
from antiphon.resume import Resumption
from clients.fake_server import Address, Peer, in_turn, serving

HELLO = '{"type":"session.update"}'


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries follow each other at once."""
    monkeypatch.setattr(resume, "FIRST_DELAY_S", 0.001)


async def open_line(server: Address, *, resumes: bool = True) -> Line:
    """A line to the fake server."""

    async def dial_again(token: str, timeout_s: float) -> ClientConnection:
        return await dial(server.url, token, timeout_s)

    introduced = await introduce(await dial(server.url, None, 1), HELLO, 1)
    return Line(introduced, Resumption(dial_again) if resumes else None)


async def cut(peer: Peer) -> None:
    """A script: ready, and gone."""
    await peer.accept()
    peer.reset()


async def frames_of(line: Line) -> list[str | bytes]:
    """All that comes over the socket there is."""
    return [frame async for frame in line.frames()]


async def test_what_must_arrive_goes_first_and_also_what_is_added_meanwhile() -> None:
    """In its order; then what merely waited."""
    received: list[str | bytes] = []

    async def again(peer: Peer) -> None:
        await peer.take_back()
        received.extend([await peer.socket.recv() for _ in range(3)])

    async with serving(in_turn(cut, again)) as server:
        line = await open_line(server)
        await frames_of(line)
        waits = asyncio.create_task(line.send("waits"))
        first = asyncio.create_task(line.send_surely("first"))
        second = asyncio.create_task(line.send_surely("second"))
        await line.send_now("dropped")
        await asyncio.sleep(0)
        assert line.may_resume
        back = await line.resume(0)
        await asyncio.gather(waits, first, second)
        await frames_of(line)
        assert back.ready.resume_token == "rt_2"  # noqa: S105
        assert line.is_up
        await line.close()
    assert received == ["first", "second", "waits"]


async def test_what_is_too_old_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It arrived long ago, or nobody waits for it any more."""
    monkeypatch.setattr(lines, "KEPT_S", -1.0)
    received: list[str | bytes] = []

    async def again(peer: Peer) -> None:
        await peer.take_back()
        received.append(await peer.socket.recv())

    async def take_and_cut(peer: Peer) -> None:
        await peer.accept()
        await peer.socket.recv()
        peer.reset()

    async with serving(in_turn(take_and_cut, again)) as server:
        line = await open_line(server)
        await line.send_surely("old")
        await frames_of(line)
        await line.resume(0)
        await line.send("new")
        await frames_of(line)
        await line.close()
    assert received == ["new"]


async def test_a_line_that_is_over_sends_nothing_any_more() -> None:
    """Who waited is told, and whoever comes later."""
    async with serving(in_turn(cut)) as server:
        line = await open_line(server)
        await frames_of(line)
        waits = [asyncio.create_task(line.send("a")), asyncio.create_task(line.send_surely("b"))]
        await asyncio.sleep(0)
        line.end()
        results = await asyncio.gather(*waits, return_exceptions=True)
        assert [type(one) for one in results] == [ConnectionLost, ConnectionLost]
        with pytest.raises(ConnectionLost):
            await line.send_now("c")
        await line.close()


async def test_a_line_without_a_way_back_is_lost_with_its_socket() -> None:
    """Also where its session is being ended."""
    async with serving(in_turn(cut)) as server:
        for resumes in (False, True):
            line = await open_line(server, resumes=resumes)
            line.stay_away()
            await frames_of(line)
            assert not line.may_resume
            with pytest.raises(ConnectionLost):
                await line.send("a")
            with pytest.raises(ConnectionLost):
                await line.resume(0)
            await line.close()
