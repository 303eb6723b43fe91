"""How a lost session is come back to: a few times, further and further apart."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from websockets.asyncio.client import ClientConnection

from antiphon.errors import CannotConnect, SessionForbidden, TimedOut
from antiphon.handshake import dial
from antiphon.resume import (
    FIRST_DELAY_S,
    LONGEST_DELAY_S,
    TERMINAL_CODES,
    TRIES,
    TRY_S,
    WINDOW_S,
    Resumption,
)
from antiphon_protocol.voice_agent import ResumeSession, SessionError
from clients.fake_server import Peer, serving
from virtual_time import in_virtual_time


class Nobody:
    """Where a server should be; ``tries`` are when it was looked for, and for how long."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.tries: list[tuple[float, float]] = []
        self.tokens: list[str] = []
        self._takes_s = takes_s

    async def dial(self, resume_token: str, timeout_s: float) -> ClientConnection:
        """Nothing answers, after a while."""
        self.tokens.append(resume_token)
        self.tries.append((asyncio.get_running_loop().time(), timeout_s))
        await asyncio.sleep(min(self._takes_s, timeout_s))
        raise CannotConnect("nobody is there")


@in_virtual_time
async def test_it_is_tried_five_times_further_and_further_apart() -> None:
    """0.25 s, 0.5 s, 1 s, 2 s, 4 s at most, each at a random moment of that time."""
    for _ in range(50):
        nobody, begun = Nobody(), asyncio.get_running_loop().time()
        with pytest.raises(CannotConnect):
            await Resumption(nobody.dial).resume("s", "rt", 0)
        assert nobody.tokens == ["rt"] * TRIES
        moments = [begun, *(when for when, _ in nobody.tries)]
        for number, (before, after) in enumerate(pairwise(moments)):
            assert after - before <= min(LONGEST_DELAY_S, FIRST_DELAY_S * 2**number) + 1e-9


@in_virtual_time
async def test_all_tries_together_end_within_the_window() -> None:
    """The server does not keep the session for longer: the last try is cut short."""
    nobody, begun = Nobody(takes_s=60), asyncio.get_running_loop().time()
    with pytest.raises(TimedOut, match="6 s"):
        await Resumption(nobody.dial).resume("s", "rt", 0)
    assert asyncio.get_running_loop().time() - begun <= WINDOW_S + 1e-9
    assert all(timeout_s <= TRY_S for _, timeout_s in nobody.tries)


async def test_it_introduces_itself_with_its_session_and_its_token() -> None:
    """And with the number of what came last, where there was one."""

    async def script(peer: Peer) -> None:
        await peer.take_back("rt_9")

    async with serving(script) as server:
        back = await Resumption(lambda token, s: dial(server.url, token, s)).resume("s", "rt", 12)
        await back.socket.close()
    assert back.ready.resume_token == "rt_9"  # noqa: S105
    assert server.peers[0].received == [ResumeSession("s", 12)]
    assert server.peers[0].headers["Authorization"] == "Bearer rt"


async def test_a_terminal_answer_ends_it() -> None:
    """The server has said that there is nothing to come back to."""

    async def refuse(peer: Peer) -> None:
        await peer.send(SessionError(code="session_forbidden", message="No."))
        await peer.socket.close(1008)

    async with serving(refuse) as server:
        with pytest.raises(SessionForbidden):
            await Resumption(lambda token, s: dial(server.url, token, s)).resume("s", "rt", 0)
        assert len(server.peers) == 1
    assert len(TERMINAL_CODES) == 4


async def test_a_server_that_does_not_answer_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each try has its own limit."""
    monkeypatch.setattr("antiphon.resume.TRY_S", 0.05)
    monkeypatch.setattr("antiphon.resume.FIRST_DELAY_S", 0.001)

    async def dawdle(peer: Peer) -> None:
        await peer.socket.wait_closed()

    async with serving(dawdle) as server:
        with pytest.raises(TimedOut):
            await Resumption(lambda token, s: dial(server.url, token, s)).resume("s", "rt", 0)
        assert len(server.peers) == TRIES
