"""A call at the level of its messages."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.errors import AtCapacity, CannotConnect, ConnectionLost
from antiphon.wire import open_wire, prepared
from antiphon_protocol import codec
from antiphon_protocol.voice_agent import (
    CreateReply,
    EndSession,
    ResumeSession,
    SendAudio,
    SessionError,
    SpeechStarted,
)
from clients.fake_server import Peer, serving


async def test_prepared_frames_arrive_whole_any_number_of_times() -> None:
    """Between messages that are sent as usual; what comes is raw."""
    heard: list[bytes] = []

    async def script(peer: Peer) -> None:
        await peer.accept()
        messages = [await peer.receive(SendAudio) for _ in range(3)]
        heard.extend(codec.decode_base64(message.audio) for message in messages)
        await peer.receive(CreateReply)
        await peer.send(SpeechStarted())
        await peer.end()

    async with serving(script) as server:
        wire = await open_wire(server.url, system_prompt="Hi.")
        frame = prepared(codec.encode_input_audio(b"\1\2" * 480))
        for _ in range(3):
            wire.write(frame)
        await wire.send(CreateReply())
        await wire.send(EndSession())
        frames = [frame async for frame in wire.frames()]
        await wire.close()
    assert heard == [b"\1\2" * 480] * 3
    assert wire.ready.config.system_prompt == "Hi."
    assert [b"input.speech.started" in frame for frame in frames] == [True, False]
    assert wire.waiting == 0


async def test_a_dropped_wire_comes_back_with_its_token() -> None:
    """It names the last thing that came, and has a new token then."""
    asked: list[ResumeSession] = []
    calls = iter([True, False])

    async def script(peer: Peer) -> None:
        if next(calls):
            await peer.accept()
            await peer.socket.wait_closed()
        else:
            asked.append(await peer.take_back())
            await peer.end()

    async with serving(script) as server:
        wire = await open_wire(server.url)
        wire.drop()
        assert [frame async for frame in wire.frames()] == []
        with pytest.raises(ConnectionLost):
            wire.write(prepared("{}"))
        with pytest.raises(ConnectionLost):
            await wire.send(EndSession())
        await wire.resume(7)
        await wire.send(EndSession())
        async with asyncio.timeout(5):
            assert len([frame async for frame in wire.frames()]) == 1
        await wire.close()
    assert asked == [ResumeSession("sess_1", 7)]
    assert wire.ready.resume_token == "rt_2"  # noqa: S105 - not a secret


async def test_a_refusal_is_the_one_of_connect() -> None:
    """The same errors."""

    async def script(peer: Peer) -> None:
        await peer.send(SessionError(code="at_capacity", message="Full."))
        await peer.socket.wait_closed()

    async with serving(script) as server:
        with pytest.raises(AtCapacity):
            await open_wire(server.url)
    with pytest.raises(CannotConnect):
        await open_wire("ws://127.0.0.1:1")
