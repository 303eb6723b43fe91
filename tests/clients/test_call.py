"""A call: what is said arrives, what happens is told, and the end always comes."""

import asyncio
import logging

import pytest

import antiphon
from antiphon.call import PIECE_MS
from antiphon_protocol import codec
from antiphon_protocol.audio import PCM
from antiphon_protocol.session_config import SessionConfig
from antiphon_protocol.voice_agent import (
    AddMessage,
    CancelReply,
    CreateReply,
    EndSession,
    GiveToolResult,
    ReplyStarted,
    SendAudio,
    SessionEnded,
    SessionError,
    SessionUpdated,
    SpeechStarted,
    ToolCall,
    UpdateSession,
)
from clients.fake_server import Peer, quiet, serving


async def test_what_is_said_reaches_the_server_in_order() -> None:
    """Each method is one message of the protocol."""
    async with serving(quiet) as server:
        async with antiphon.connect(server.url) as call:
            await call.send_audio(b"\x01\x00")
            await call.create_reply("Be kind.")
            await call.say("Hello.")
            await call.add_message("system", "It rains.")
            await call.update(volume=50)
            await call.cancel_reply("resp_1")
            await call.give_tool_result("call_1", "{}")
        (peer,) = server.peers
    kinds = [type(message) for message in peer.received[1:]]
    assert kinds == [
        SendAudio, CreateReply, CreateReply, AddMessage, UpdateSession, CancelReply,
        GiveToolResult, EndSession,
    ]  # fmt: skip
    assert peer.received[1] == SendAudio("AQA=")
    assert peer.received[2] == CreateReply("Be kind.")
    said = peer.received[3]
    assert isinstance(said, CreateReply)
    assert said.instructions is not None
    assert "Hello." in said.instructions


async def test_a_long_recording_is_sent_in_pieces() -> None:
    """No message is longer than a second of sound, and nothing is lost between them."""
    sound = bytes(range(256)) * 500
    async with serving(quiet) as server:
        async with antiphon.connect(server.url) as call:
            await call.send_audio(sound)
            await call.send_audio(b"")
        (peer,) = server.peers
    pieces = [codec.decode_base64(one.audio) for one in peer.received if isinstance(one, SendAudio)]
    assert b"".join(pieces) == sound
    assert max(len(piece) for piece in pieces) == PCM.size(PIECE_MS)


async def test_events_come_in_order_and_stop_with_the_session() -> None:
    """Sound is bytes, unknown messages are kept, session.ended is the last."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.send(ReplyStarted(reply_id="r", item_id="m"))
        await peer.socket.send(codec.encode_reply_audio("r", b"\x05\x00"))
        await peer.socket.send('{"type":"reply.sung"}')
        await peer.send(SessionEnded(session_duration_seconds=2, audio_duration_seconds=None))

    async with serving(script) as server, antiphon.connect(server.url) as call:
        events = [event async for event in call]
    assert [type(event) for event in events] == [
        antiphon.ReplyStarted,
        antiphon.ReplyAudio,
        antiphon.UnknownEvent,
        antiphon.SessionEnded,
    ]
    assert isinstance(events[1], antiphon.ReplyAudio)
    assert events[1].samples == b"\x05\x00"
    assert call.ended is events[-1]


async def test_a_refused_update_is_an_event_and_the_call_goes_on() -> None:
    """session.error with a code that is not fatal does not raise."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.send(SessionError(code="immutable_field", message="No."), SpeechStarted())
        await peer.end()

    async with serving(script) as server, antiphon.connect(server.url) as call:
        events = aiter(call)
        error = await anext(events)
        assert isinstance(error, antiphon.SessionErrorEvent)
        assert isinstance(await anext(events), antiphon.SpeechStarted)


async def test_a_fatal_error_is_raised_after_what_came_before_it() -> None:
    """The iteration delivers, then raises the error of that code."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.send(SpeechStarted(), SessionError(code="session_expired", message="Over."))
        await peer.socket.close(1008)

    async with serving(script) as server, antiphon.connect(server.url) as call:
        events = aiter(call)
        assert isinstance(await anext(events), antiphon.SpeechStarted)
        with pytest.raises(antiphon.SessionExpired, match="Over"):
            await anext(events)


@pytest.mark.parametrize("code", [1000, 1001])
async def test_a_socket_that_closes_without_goodbye_is_a_lost_connection(code: int) -> None:
    """Also with a normal close code, after which nobody is to come back."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.socket.close(code, "enough")

    async with serving(script) as server, antiphon.connect(server.url) as call:
        with pytest.raises(antiphon.ConnectionLost, match=f"{code}.*: enough"):
            await anext(aiter(call))
        with pytest.raises(antiphon.ConnectionLost):
            await call.send_audio(b"\x00\x00")
        with pytest.raises(antiphon.ConnectionLost):
            await call.end()


async def test_a_message_that_cannot_be_read_is_skipped_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One bad frame does not end a call."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.socket.send('{"type":"reply.done"}')
        await peer.send(SpeechStarted())
        await peer.end()

    with caplog.at_level(logging.WARNING, "antiphon"):
        async with serving(script) as server, antiphon.connect(server.url) as call:
            assert isinstance(await anext(aiter(call)), antiphon.SpeechStarted)
    assert "skipped a message" in caplog.text


async def test_ending_returns_what_the_server_said_about_it() -> None:
    """session.end is answered by session.ended; asking again gives the same answer."""
    async with serving(quiet) as server, antiphon.connect(server.url) as call:
        ended = await call.end()
        assert ended.audio_duration_seconds == 0.5
        assert await call.end() is ended
        assert [type(event) async for event in call] == [antiphon.SessionEnded]


async def test_a_server_that_never_says_goodbye_does_not_hold_anybody_up() -> None:
    """End is bounded, and so is leaving the block."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.receive(EndSession)
        await peer.socket.wait_closed()

    async with serving(script) as server, antiphon.connect(server.url) as call:
        with pytest.raises(antiphon.TimedOut, match=r"no session\.ended"):
            await call.end(timeout_s=0.02)
        await call._line.close()


async def test_an_error_in_the_block_still_ends_the_session() -> None:
    """The server is told, and the program's own error is the one that is raised."""
    async with serving(quiet) as server:
        with pytest.raises(ZeroDivisionError):
            async with antiphon.connect(server.url):
                raise ZeroDivisionError
        assert isinstance(server.peers[0].received[-1], EndSession)


async def test_an_accepted_update_changes_the_calls_configuration() -> None:
    """Config follows session.updated."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.receive(UpdateSession)
        await peer.send(SessionUpdated(config=SessionConfig(id="sess_1", system_prompt="New.")))
        await peer.end()

    async with serving(script) as server, antiphon.connect(server.url) as call:
        await call.update(system_prompt="New.")
        assert isinstance(await anext(aiter(call)), antiphon.SessionUpdated)
        assert call.config.system_prompt == "New."


# --- tools -------------------------------------------------------------------------------


async def test_tools_answer_at_the_same_time_and_by_their_own_call_ids() -> None:
    """The second call is answered while the first still works; a failure is marked."""
    first_may_end = asyncio.Event()

    async def slow() -> str:
        """Waits for the other."""
        await first_may_end.wait()
        return "slow"

    async def fast(number: int) -> int:
        """Doubles."""
        first_may_end.set()
        return 2 * number

    results: list[GiveToolResult] = []

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.send(
            ToolCall(call_id="a", name="slow", arguments={}),
            ToolCall(call_id="b", name="fast", arguments={"number": 4}),
            ToolCall(call_id="c", name="fast", arguments={}),
        )
        results.extend([await peer.receive(GiveToolResult) for _ in range(3)])
        await peer.send(SpeechStarted())
        await peer.end()

    async with serving(script) as server, antiphon.connect(server.url, tools=[slow, fast]) as call:
        async for event in call:
            if isinstance(event, antiphon.SpeechStarted):
                break
        declared = server.peers[0].session.tools
    answers = {one.call_id: (one.result, one.is_error) for one in results}
    assert answers["a"] == ("slow", False)
    assert answers["b"] == ("8", False)
    assert answers["c"][1]
    assert isinstance(declared, tuple)
    assert [tool.name for tool in declared] == ["slow", "fast"]


async def test_a_call_of_an_unregistered_tool_is_left_to_the_program() -> None:
    """It is an event, as it is for tools the server runs itself; nothing is answered."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.send(ToolCall(call_id="a", name="stranger", arguments={"x": 1}))
        await peer.end()

    async with serving(script) as server, antiphon.connect(server.url) as call:
        event = await anext(aiter(call))
        assert isinstance(event, antiphon.ToolCall)
        assert event.arguments == {"x": 1}
        (peer,) = server.peers
    assert not any(isinstance(message, GiveToolResult) for message in peer.received)


async def test_functions_decorated_during_a_call_are_announced_together() -> None:
    """call.tool sends one update for all of them, and keeps the functions usable."""

    async def script(peer: Peer) -> None:
        await peer.accept()
        update = await peer.receive(UpdateSession)
        assert update.session is not None
        assert isinstance(update.session.tools, tuple)
        assert [tool.name for tool in update.session.tools] == ["hours", "open_again"]
        await peer.send(ToolCall(call_id="a", name="hours", arguments={}))
        await peer.receive(GiveToolResult)
        await peer.send(SpeechStarted())
        await peer.end()

    async with serving(script) as server, antiphon.connect(server.url) as call:

        @call.tool
        def hours() -> str:
            """When."""
            return "six"

        @call.tool(name="open_again")
        async def reopen() -> str:
            """Opens."""
            return "open"

        assert hours() == "six"
        async for event in call:
            if isinstance(event, antiphon.SpeechStarted):
                break
    assert sum(isinstance(one, UpdateSession) for one in server.peers[0].received) == 2


async def test_a_tool_that_still_works_is_cancelled_at_the_end() -> None:
    """Nothing of a call outlives its block."""
    began, cancelled = asyncio.Event(), asyncio.Event()

    async def endless() -> str:
        """Never returns."""
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return ""

    async def script(peer: Peer) -> None:
        await peer.accept()
        await peer.send(ToolCall(call_id="a", name="endless", arguments={}))
        await peer.end()

    async with serving(script) as server:
        async with antiphon.connect(server.url, tools=[endless]):
            await began.wait()
        assert cancelled.is_set()
