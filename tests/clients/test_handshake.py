"""What a new call and a resumed one do first."""

from __future__ import annotations

import asyncio

import pytest

from antiphon import handshake
from antiphon.errors import AtCapacity, CannotConnect, ConnectionLost, TimedOut
from antiphon.handshake import dial, introduce
from antiphon.inbox import PATIENCE_S
from antiphon_protocol.voice_agent import SessionError, SpeechStarted
from clients.fake_server import Peer, serving

HELLO = '{"type":"session.resume","session_id":"s"}'


async def test_what_comes_before_the_session_is_ready_is_kept() -> None:
    """A server that resumes may tell something first."""

    async def script(peer: Peer) -> None:
        await peer.send(SpeechStarted(seq=4))
        await peer.take_back()

    async with serving(script) as server:
        introduced = await introduce(await dial(server.url, None, 1), HELLO, 1)
        await introduced.socket.close()
    assert introduced.before == (SpeechStarted(seq=4),)
    assert introduced.ready.session_id == "sess_1"


async def test_a_socket_that_leads_nowhere_is_closed() -> None:
    """Refused, silent, gone or talking nonsense: the socket does not outlive the attempt."""

    async def refuse(peer: Peer) -> None:
        await peer.send(SessionError(code="at_capacity", message="Full."))
        await peer.socket.wait_closed()

    async def dawdle(peer: Peer) -> None:
        await peer.socket.wait_closed()

    async def hang_up(peer: Peer) -> None:
        await peer.socket.close(1012)

    async def babble(peer: Peer) -> None:
        await peer.socket.send("hello!")
        await peer.socket.wait_closed()

    for script, error in (
        (refuse, AtCapacity),
        (dawdle, TimedOut),
        (hang_up, ConnectionLost),
        (babble, CannotConnect),
    ):
        async with serving(script) as server:
            socket = await dial(server.url, None, 1)
            with pytest.raises(error):
                await introduce(socket, HELLO, 0.1)
            assert socket.close_code is not None


async def test_an_attempt_that_is_cancelled_closes_its_socket() -> None:
    """Nothing is left of a call that nobody wants any more."""
    asked = asyncio.Event()

    async def dawdle(peer: Peer) -> None:
        await peer.socket.recv()
        asked.set()
        await peer.socket.wait_closed()

    async with serving(dawdle) as server:
        socket = await dial(server.url, None, 1)
        attempt = asyncio.create_task(introduce(socket, HELLO, 10))
        await asked.wait()
        attempt.cancel()
        await asyncio.gather(attempt, return_exceptions=True)
        assert attempt.cancelled()
        assert socket.close_code is not None


def test_a_full_inbox_does_not_look_like_a_dead_line() -> None:
    """While it holds up the socket, pongs are not read either."""
    assert 2 * handshake.KEEPALIVE_S > PATIENCE_S
