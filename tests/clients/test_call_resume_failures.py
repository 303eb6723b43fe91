"""A call that cannot come back says why, and nothing waits for it any more."""

from __future__ import annotations

import asyncio

import pytest

import antiphon
from antiphon import resume
from antiphon_protocol.voice_agent import (
    EndSession,
    SessionEnded,
    SessionError,
    SpeechStarted,
)
from clients.fake_server import Peer, in_turn, serving
from clients.losing import accept_then, come_back, impatient, kinds_until, reset

__all__ = ["impatient"]

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("session_not_found", antiphon.SessionNotFound),
        ("session_expired", antiphon.SessionExpired),
        ("session_forbidden", antiphon.SessionForbidden),
        ("unauthorized", antiphon.Unauthorized),
    ],
)
async def test_a_refusal_for_good_is_raised_at_once(
    code: str, kind: type[antiphon.SessionError]
) -> None:
    """Whatever waits is told too; there is no second try."""

    async def refuse(peer: Peer) -> None:
        await peer.send(SessionError(code=code, message="No."))
        await peer.socket.close(1008)

    async with (
        serving(in_turn(accept_then(reset), refuse)) as server,
        antiphon.connect(server.url) as call,
    ):
        events = aiter(call)
        assert isinstance(await anext(events), antiphon.Dropped)
        with pytest.raises(kind):
            await anext(events)
        assert len(server.peers) == 2
        for said in (call.send_audio(b"\0\0"), call.create_reply(), call.give_tool_result("c", "")):
            with pytest.raises(antiphon.ConnectionLost):
                await said
        with pytest.raises(antiphon.ConnectionLost):
            await call.end()


async def test_a_call_that_nobody_takes_back_is_lost() -> None:
    """After five tries the iteration raises how the socket was lost, and why it stayed so."""

    async def full(peer: Peer) -> None:
        await peer.send(SessionError(code="at_capacity", message="Full."))
        await peer.socket.close(1008)

    async def close(peer: Peer) -> None:
        await peer.accept()
        await peer.socket.close(1012, "restart")

    async with serving(in_turn(close, full)) as server, antiphon.connect(server.url) as call:
        with pytest.raises(antiphon.ConnectionLost, match="1012") as raised:
            await kinds_until(call, SessionEnded)
        assert isinstance(raised.value.__cause__, antiphon.AtCapacity)
        assert len(server.peers) == 1 + resume.TRIES


async def test_a_server_that_failed_may_have_another_that_has_not() -> None:
    """internal_error is come back from if that can be, and raised if not."""

    async def fail(peer: Peer) -> None:
        await peer.accept()
        await peer.send(SessionError(code="internal_error", message="Oh."))
        await peer.socket.wait_closed()

    async def refuse(peer: Peer) -> None:
        await peer.send(SessionError(code="session_not_found", message="No."))
        await peer.socket.close(1008)

    async with serving(in_turn(fail, come_back)) as server, antiphon.connect(server.url) as call:
        await kinds_until(call, SpeechStarted)
        assert call.resumes == 1
    async with serving(in_turn(fail, refuse)) as server, antiphon.connect(server.url) as call:
        with pytest.raises(antiphon.InternalError, match="Oh"):
            await kinds_until(call, SessionEnded)


async def test_a_line_that_is_lost_again_and_again_is_given_up() -> None:
    """Each time right after it was back."""

    async def back_and_gone(peer: Peer) -> None:
        await peer.take_back()
        peer.reset()

    async with (
        serving(in_turn(accept_then(reset), back_and_gone)) as server,
        antiphon.connect(server.url) as call,
    ):
        with pytest.raises(antiphon.ConnectionLost):
            await kinds_until(call, SessionEnded)
        assert len(server.peers) <= 2 * resume.TRIES + 1


async def test_a_call_may_be_told_not_to_come_back() -> None:
    """Then the loss of its socket is its end, as it is where there is no resume token."""

    async def no_token(peer: Peer) -> None:
        await peer.take_back("")
        peer.reset()

    async with (
        serving(accept_then(reset)) as server,
        antiphon.connect(server.url, resume=False) as call,
    ):
        with pytest.raises(antiphon.ConnectionLost):
            await anext(aiter(call))
        assert len(server.peers) == 1
    async with (
        serving(in_turn(accept_then(reset), no_token)) as server,
        antiphon.connect(server.url) as call,
    ):
        with pytest.raises(antiphon.ConnectionLost):
            await kinds_until(call, SessionEnded)
        assert len(server.peers) == 2


async def test_a_goodbye_that_is_cut_off_is_not_come_back_from() -> None:
    """The session was to end, and it will."""

    async def rude(peer: Peer) -> None:
        await peer.accept()
        await peer.receive(EndSession)
        peer.reset()

    async with serving(rude) as server, antiphon.connect(server.url) as call:
        with pytest.raises(antiphon.ConnectionLost):
            await call.end()
        assert len(server.peers) == 1


async def test_leaving_while_the_line_is_down_does_not_wait_for_it() -> None:
    """The server ends the session by itself when nobody comes back."""
    trying = asyncio.Event()

    async def never(peer: Peer) -> None:
        trying.set()
        await peer.socket.wait_closed()

    async with serving(in_turn(accept_then(reset), never)) as server:
        async with antiphon.connect(server.url):
            await trying.wait()
        assert all(not isinstance(one, EndSession) for one in server.peers[1].received)
