"""Frames of audio that are heard as they come, and those that are read in their turn."""

from __future__ import annotations

import asyncio
import json

import pybase64
import pytest

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.audio import PCM
from antiphon_server.call.ears import Ears
from antiphon_server.call.pace import SAVED_SECONDS
from server.call.scripted_call import silent, voiced
from server.edge.asgi_client import END, Client, connected, started
from virtual_time import in_virtual_time

FRAME_MS = 20
FRAME = bytes(PCM.size(FRAME_MS))


async def _play(client: Client, pcm: bytes) -> int:
    """Microphone audio at its own pace; how many frames that were."""
    step = PCM.size(FRAME_MS)
    for at in range(0, len(pcm), step):
        client.tell(codec.encode_input_audio(pcm[at : at + step]))
        await asyncio.sleep(FRAME_MS / 1000)
    return len(range(0, len(pcm), step))


async def _opened(client: Client) -> None:
    client.update(greeting="")
    await client.until(wire.SessionReady)


@pytest.mark.parametrize("offers", [True, False])
@in_virtual_time
async def test_a_turn_is_the_same_either_way(offers: bool) -> None:
    """On a server that offers frames every one of audio is taken as it comes, on another none."""
    async with (
        started(STT_UTTERANCES="one two", LLM_REPLIES="Three.") as node,
        connected(node, offers=offers) as client,
    ):
        await _opened(client)
        frames = await _play(client, voiced(900) + silent(1500))
        await client.until(wire.ReplyDone)
        assert [said.text for said in client.heard(wire.UserTranscript)] == ["one two"]
        assert client.taken == (frames if offers else 0)


@in_virtual_time
async def test_audio_before_the_first_update_is_read() -> None:
    """It is discarded there, and the update after it counts."""
    async with started() as node, connected(node) as client:
        client.tell(codec.encode_input_audio(FRAME))
        await _opened(client)
        assert client.taken == 0
        assert not client.heard(wire.SessionError)


@pytest.mark.parametrize(
    "frame",
    [
        '{"type":"input.audio","audio":"%"}',
        '{"type": "input.audio"}',
        '{"audio": 5, "type": "input.audio"}',
        '{"type":"input.audio","audio":"AAAA"',
    ],
)
@in_virtual_time
async def test_what_is_wrong_with_audio_is_told_either_way(frame: str) -> None:
    """The same error, and the session goes on."""
    told = []
    for offers in (True, False):
        async with started() as node, connected(node, offers=offers) as client:
            await _opened(client)
            client.tell(frame)
            error = await client.until(wire.SessionError)
            told.append((error.code, error.message, error.param))
            assert client.taken == offers
            client.tell(codec.encode_input_audio(FRAME))
            client.tell(END)
            await client.task
            assert client.closed == 1000
    assert told[0] == told[1]


@in_virtual_time
async def test_the_type_may_stand_last() -> None:
    """The order of a message's members means nothing."""
    async with started() as node, connected(node) as client:
        await _opened(client)
        audio = pybase64.b64encode_as_string(FRAME)
        client.tell(json.dumps({"audio": audio, "type": "input.audio"}))
        assert client.taken == 1


@in_virtual_time
async def test_words_about_audio_are_no_audio() -> None:
    """A message that names it anywhere else is read as what it is."""
    async with started() as node, connected(node) as client:
        await _opened(client)
        message = {"type": "conversation.message", "role": "user", "content": "input.audio"}
        client.tell(json.dumps(message))
        client.tell(END)
        await client.task
        assert client.taken == 0
        assert not client.heard(wire.SessionError)


@in_virtual_time
async def test_what_comes_without_end_is_read_at_its_pace() -> None:
    """Once the burst is used up frames are queued, and heard later; none is lost."""
    async with started() as node, connected(node) as client:
        await _opened(client)
        short = codec.encode_input_audio(bytes(PCM.size(1)))
        count = 3_000
        for _ in range(count):
            client.tell(short)
        assert 0.9 * SAVED_SECONDS / 0.0021 < client.taken < count
        client.tell(END)
        before = asyncio.get_running_loop().time()
        await client.task
        assert asyncio.get_running_loop().time() - before > 1
        (ended,) = client.heard(wire.SessionEnded)
        assert ended.audio_duration_seconds == pytest.approx(count / 1000, abs=0.01)


@in_virtual_time
async def test_a_fault_of_ours_ends_that_call_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and its socket is closed; the transport never sees the exception."""
    async with started() as node, connected(node) as client, connected(node) as other:
        await _opened(client)
        await _opened(other)
        with monkeypatch.context() as patch:
            patch.setattr(Ears, "hear", lambda *_: 1 / 0)
            client.tell(codec.encode_input_audio(FRAME))
        await client.task
        assert client.refusal == ("internal_error", 1011)
        assert await _play(other, silent(100)) == 5
        other.tell(END)
        await other.task
        assert other.closed == 1000


@in_virtual_time
async def test_a_socket_that_lost_its_session_is_not_heard() -> None:
    """What it sends after another took over goes nowhere."""
    async with started(RESUME_SECONDS="30") as node, connected(node) as old:
        old.update(greeting="")
        ready = await old.until(wire.SessionReady)
        async with connected(node, f"token={ready.resume_token}") as new:
            new.resume(ready.session_id)
            await new.until(wire.SessionReady)
            old.tell(codec.encode_input_audio(FRAME))
            assert old.taken == 0
            new.tell(codec.encode_input_audio(FRAME))
            assert new.taken == 1
            new.tell(END)
            await new.task
            (ended,) = new.heard(wire.SessionEnded)
            assert ended.audio_duration_seconds == pytest.approx(FRAME_MS / 1000)
