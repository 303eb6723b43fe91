"""A call whose socket is lost comes back: nothing is lost, nothing is told twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from msgspec import UNSET

import antiphon
from antiphon_protocol import codec
from antiphon_protocol.voice_agent import (
    AgentTranscript,
    CreateReply,
    EndSession,
    GiveToolResult,
    ReplyDone,
    ReplyStarted,
    ResumeSession,
    SendAudio,
    SessionError,
    SpeechStarted,
    ToolCall,
    UserTranscript,
)
from clients.fake_server import Peer, in_turn, serving
from clients.losing import accept_then, come_back, finish, impatient, kinds_until, reset

__all__ = ["impatient"]

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.mark.parametrize("lose", [reset, finish])
async def test_a_call_comes_back_after_its_socket_was_lost(lose: Callable[[Peer], None]) -> None:
    """With the resume token as its credential, and the session it was in; with a reset or FIN."""
    async with (
        serving(in_turn(accept_then(lose), come_back)) as server,
        antiphon.connect(f"{server.url}?token=first", "secret") as call,
    ):
        events = await kinds_until(call, SpeechStarted)
        assert [type(event) for event in events] == [
            antiphon.Dropped, antiphon.Resumed, SpeechStarted,
        ]  # fmt: skip
        second = server.peers[1]
        assert second.headers["Authorization"] == "Bearer rt_1"
        assert "token" not in second.path
        assert second.received == [ResumeSession("sess_1")]
        assert call.resumes == 1
        assert (call.resume_token, call.expires_at) == ("rt_2", 2)
        assert call.config.system_prompt == "As before."
        assert isinstance(events[1], antiphon.Resumed)
        assert 0 < events[1].away_s < 10
    assert call.ended is not None


@pytest.mark.parametrize("code", [1008, 1011, 1012, 3005])
async def test_a_close_that_nobody_meant_is_come_back_from(code: int) -> None:
    """A server that restarts closes with 1012, one that fails with 1011."""

    async def close(peer: Peer) -> None:
        await peer.accept()
        await peer.socket.close(code)

    async with serving(in_turn(close, come_back)) as server, antiphon.connect(server.url) as call:
        dropped, _, _ = await kinds_until(call, SpeechStarted)
        assert dropped == antiphon.Dropped(code)


async def test_a_line_that_went_dead_without_a_word_is_come_back_from() -> None:
    """Pings that nobody answers give it away."""
    back = asyncio.Event()

    async def vanish(peer: Peer) -> None:
        await peer.accept()
        peer.vanish()
        await back.wait()
        peer.reset()

    async with serving(in_turn(vanish, come_back)) as server, antiphon.connect(server.url) as call:
        await kinds_until(call, SpeechStarted)
        back.set()
        assert call.resumes == 1


async def test_a_reply_in_flight_is_over_and_its_sound_forgotten() -> None:
    """A player falls silent at the drop; the server's own end of that reply is not told again,
    its transcript is.
    """
    sound = antiphon.Playback()

    async def talk(peer: Peer) -> None:
        await peer.accept()
        await peer.send(ReplyStarted(reply_id="r1", item_id="m1"))
        await peer.socket.send(codec.encode_reply_audio("r1", b"\x01\x00" * 4000))
        await (await peer.socket.ping())
        peer.reset()

    async def go_on(peer: Peer) -> None:
        await peer.take_back()
        await peer.send(
            AgentTranscript(reply_id="r1", item_id="m1", text="Hel", interrupted=True),
            ReplyDone(reply_id="r1", status="interrupted"),
        )
        await peer.socket.send(codec.encode_reply_audio("r1", b"\x02\x00"))
        await peer.send(SpeechStarted())
        await peer.end()

    async with serving(in_turn(talk, go_on)) as server, antiphon.connect(server.url) as call:
        events: list[antiphon.Event] = []
        async for event in call:
            events.append(event)
            sound.hear(event)
            if isinstance(event, antiphon.ReplyAudio) and call.resumes == 0:
                assert sound.buffered_ms > 0
            if isinstance(event, SpeechStarted):
                break
    assert [type(event) for event in events] == [
        ReplyStarted, antiphon.ReplyAudio, antiphon.Dropped, ReplyDone, antiphon.Resumed,
        AgentTranscript, antiphon.ReplyAudio, SpeechStarted,
    ]  # fmt: skip
    assert events[3] == ReplyDone(reply_id="r1", status="interrupted")
    assert sound.buffered_ms == 0


async def test_what_is_sent_again_is_told_once() -> None:
    """By the ids of transcripts, replies and tool calls, whether the server numbers or not."""
    ran: list[int] = []

    async def count(n: int) -> int:
        """Counts."""
        ran.append(n)
        return n

    lasting = (
        UserTranscript(item_id="u1", text="Hi."),
        ReplyStarted(reply_id="r1", item_id="m1"),
        ToolCall(call_id="c1", name="count", arguments={"n": 1}),
        ReplyDone(reply_id="r1", status="completed"),
    )

    async def again(peer: Peer) -> None:
        await peer.take_back()
        await peer.send(*lasting, UserTranscript(item_id="u2", text="There."))
        await peer.end()

    async with (
        serving(in_turn(accept_then(reset, *lasting), again)) as server,
        antiphon.connect(server.url, tools=[count]) as call,
    ):
        events: list[antiphon.Event] = []
        async for event in call:
            events.append(event)
            if isinstance(event, UserTranscript) and event.item_id == "u2":
                break
    assert [type(event) for event in events] == [
        *map(type, lasting), antiphon.Dropped, antiphon.Resumed, UserTranscript,
    ]  # fmt: skip
    assert ran == [1]


async def test_a_server_that_numbers_is_told_what_came() -> None:
    """The highest number; what has a lower one is not told again."""
    first = UserTranscript(item_id="u1", text="Hi.", seq=7)

    async def again(peer: Peer) -> None:
        asked = await peer.take_back()
        assert asked.last_seq == 7
        await peer.send(first, SpeechStarted(seq=6), SpeechStarted(seq=8))
        await peer.end()

    async with (
        serving(in_turn(accept_then(reset, first), again)) as server,
        antiphon.connect(server.url) as call,
    ):
        events = await kinds_until(call, SpeechStarted)
        assert events[-1] == SpeechStarted(seq=8)


async def test_a_tool_that_works_through_the_drop_answers_after_it() -> None:
    """Its result waits for the new socket, and goes ahead of everything else."""
    gone, may_end = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        """Works."""
        gone.set()
        await may_end.wait()
        return "done"

    async def again(peer: Peer) -> None:
        may_end.set()
        await peer.take_back()
        result = await peer.receive(GiveToolResult)
        assert result == GiveToolResult("c1", "done", False)
        await peer.send(SpeechStarted())
        await peer.end()

    async def lose(peer: Peer) -> None:
        await peer.accept()
        await peer.send(ToolCall(call_id="c1", name="slow", arguments={}))
        await gone.wait()
        peer.reset()

    async with (
        serving(in_turn(lose, again)) as server,
        antiphon.connect(server.url, tools=[slow]) as call,
    ):
        await kinds_until(call, SpeechStarted)
        assert [type(one) for one in server.peers[1].received] == [ResumeSession, GiveToolResult]


async def test_a_result_that_may_have_been_lost_with_the_socket_is_sent_again() -> None:
    """A server takes a result once; one that it never got would be waited for."""

    async def lose(peer: Peer) -> None:
        await peer.accept()
        await peer.receive(GiveToolResult)
        peer.reset()

    async def again(peer: Peer) -> None:
        await peer.take_back()
        assert (await peer.receive(GiveToolResult)).call_id == "c1"
        await peer.send(SpeechStarted())
        await peer.end()

    async with serving(in_turn(lose, again)) as server, antiphon.connect(server.url) as call:
        await call.give_tool_result("c1", "done")
        await kinds_until(call, SpeechStarted)


async def test_sound_is_dropped_while_the_line_is_down_and_the_rest_waits() -> None:
    """Nobody wants to hear seconds later what was said into a dead line."""
    down, may_resume = asyncio.Event(), asyncio.Event()

    async def again(peer: Peer) -> None:
        await may_resume.wait()
        await peer.take_back()
        await peer.receive(CreateReply)
        await peer.send(SpeechStarted())
        await peer.end()

    async with (
        serving(in_turn(accept_then(reset), again)) as server,
        antiphon.connect(server.url) as call,
    ):
        async for event in call:
            if isinstance(event, antiphon.Dropped):
                down.set()
                break
        await call.send_audio(b"\x01\x00" * 480)
        waiting = asyncio.create_task(call.create_reply("Go on."))
        await call.send_audio(b"\x02\x00" * 480)
        assert not waiting.done()
        may_resume.set()
        await waiting
        await kinds_until(call, SpeechStarted)
        await call.send_audio(b"\x03\x00")
    second = server.peers[1].received
    assert [type(one) for one in second] == [ResumeSession, CreateReply, SendAudio, EndSession]
    assert second[2] == SendAudio("AwA=")


async def test_a_server_that_is_away_for_a_moment_is_found_again() -> None:
    """Refused connections, HTTP errors, early closes and full servers are tried again."""

    async def hang_up(peer: Peer) -> None:
        await peer.socket.close(1012)

    async def full(peer: Peer) -> None:
        await peer.receive(ResumeSession)
        await peer.send(SessionError(code="at_capacity", message="Full."))
        await peer.socket.close(1008)

    async with (
        serving(in_turn(accept_then(reset), hang_up, full, hang_up, come_back)) as server,
        antiphon.connect(server.url) as call,
    ):
        await kinds_until(call, SpeechStarted)
        assert len(server.peers) == 5
        assert call.resumes == 1


async def test_a_client_that_numbers_nothing_says_nothing_of_numbers() -> None:
    """Servers of the hosted service know no last_seq."""
    async with (
        serving(in_turn(accept_then(reset), come_back)) as server,
        antiphon.connect(server.url) as call,
    ):
        await kinds_until(call, SpeechStarted)
    asked = server.peers[1].received[0]
    assert isinstance(asked, ResumeSession)
    assert asked.last_seq is UNSET
