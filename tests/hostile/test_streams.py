"""A real server, clients that do anything, and a neighbour who notices nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.errors import CODES, InvalidFormat
from antiphon_providers.scripted.tones import sine
from hostile.serving import Server, serving
from hostile.streams import MOST_BYTES, WRONG, Neighbour, Reset, assail, hostile, plain

STREAMS = 200
AT_ONCE = 25
GREETING = "Hello, this is your neighbour."
UPDATE = '{"type":"session.update","session":{"greeting":"Hello there, you."}}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all of these tests; what they leave behind is the next one's problem."""
    log = tmp_path_factory.mktemp("hostile") / "log"
    variables = {
        "ANTIPHON_MAX_MESSAGE_BYTES": str(MOST_BYTES),
        "ANTIPHON_LLM_REPLIES": "Yes.|That is so.",
        "ANTIPHON_LLM_TOOL": "f",
        "ANTIPHON_RESUME_SECONDS": "2",  # Clients that vanish are gone soon.
    }
    with serving(log, **variables) as running:
        yield running


async def _nothing_left(server: Server) -> None:
    """No session lives; asked again until the last reset has been noticed."""
    async with asyncio.timeout(15):
        while await asyncio.to_thread(server.metric, "antiphon_sessions") != 0:
            pass


def _complaints(server: Server) -> list[str]:
    """Lines of the log that tell of a fault of the server's own."""
    lines = [line for line in server.log.splitlines() if line]
    bad = []
    for line in lines:
        try:
            level = json.loads(line)["level"]
        except (ValueError, KeyError):
            level = "no JSON"
        if level not in {"info", "warning"} or "Traceback" in line or "never retrieved" in line:
            bad.append(line)
    return bad


async def _read_to_the_end(client: ClientConnection) -> None:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await client.recv()


async def test_hostile_streams_disturb_nobody(server: Server) -> None:
    """Two hundred clients cut, reorder, repeat, garble, flood and vanish. Every answer is a
    documented message; the neighbour's conversation goes on all the while, turn by turn; at the
    end no session is left, and the log tells of no fault.
    """
    places = asyncio.Semaphore(AT_ONCE)
    answers: list[wire.FromServer | None] = []

    async def one(seed: int) -> None:
        async with places:
            answers.extend(await assail(server.ws, seed))

    async with asyncio.timeout(60), connect(server.ws, compression=None) as client:
        neighbour = Neighbour(client)
        await neighbour.open(GREETING)
        assailing = asyncio.gather(*(one(seed) for seed in range(STREAMS)))
        turns = 0
        while not assailing.done() or turns == 0:
            assert await neighbour.turn() == "hello there"
            turns += 1
        await assailing
        await neighbour.end()
    assert None not in answers
    errors = Counter(m.code for m in answers if isinstance(m, wire.SessionError))
    assert set(errors) <= set(CODES)
    assert errors["invalid_format"] > 50
    assert errors["invalid_audio"] > 10
    assert "internal_error" not in errors
    assert sum(isinstance(message, wire.SessionReady) for message in answers) > 50
    await _nothing_left(server)
    assert _complaints(server) == []


async def test_no_client_can_end_anothers_session(tmp_path: Path) -> None:
    """Not by its ids, which it may have overheard, in any message that takes one."""
    keys = {"ANTIPHON_API_KEYS": "the-victims,the-thiefs", "ANTIPHON_RESUME_SECONDS": "2"}
    own, other = ({"Authorization": f"Bearer {key}"} for key in ("the-victims", "the-thiefs"))
    with serving(tmp_path / "log", **keys) as server:
        async with connect(server.ws, additional_headers=own) as victim:
            neighbour = Neighbour(victim)
            ready = await neighbour.open(GREETING)
            replies = [m for m in neighbour.messages if isinstance(m, wire.ReplyStarted)]
            by_id = {"Authorization": f"Bearer {ready.session_id}"}
            for headers, code in ((other, "session_forbidden"), (by_id, "unauthorized")):
                async with connect(server.ws, additional_headers=headers) as thief:
                    with contextlib.suppress(ConnectionClosed):
                        await thief.send(codec.encode(wire.ResumeSession(ready.session_id)))
                    told = codec.decode_server(await thief.recv())
                    assert isinstance(told, wire.SessionError)
                    assert told.code == code
                    with pytest.raises(ConnectionClosed):
                        await thief.recv()
                    assert thief.close_code == 1008
            async with connect(server.ws, additional_headers=other) as thief:
                await thief.send(UPDATE)
                await thief.send(codec.encode(wire.CancelReply(replies[0].reply_id)))
                await thief.send(codec.encode(wire.GiveToolResult("call_1", "stolen")))
                await thief.send(f'{{"type":"session.end","session_id":"{ready.session_id}"}}')
                told_thief = [codec.decode_server(frame) async for frame in thief]
                assert isinstance(told_thief[-1], wire.SessionEnded)
            assert await neighbour.turn() == "hello there"
            await neighbour.end()
        await _nothing_left(server)


async def test_an_oversized_message_costs_its_sender_only(server: Server) -> None:
    """1009 for who sent it; sessions beside it go on."""
    async with connect(server.ws, compression=None) as beside:
        neighbour = Neighbour(beside)
        await neighbour.open(GREETING)
        for oversized in ("x" * (MOST_BYTES + 1), b"x" * (MOST_BYTES + 1)):
            async with connect(server.ws, compression=None) as client:
                await client.send(UPDATE)
                await client.send(oversized)
                await _read_to_the_end(client)
                assert client.close_code == 1009
        assert await neighbour.turn() == "hello there"
        await neighbour.end()
    await _nothing_left(server)


async def test_audio_far_too_fast_is_told_once(server: Server) -> None:
    """A minute of audio at once is one ``audio_rate_violation``; the session goes on."""
    second = codec.encode_input_audio(sine(220, 1000, 24_000))
    async with connect(server.ws, compression=None) as client:
        await client.send('{"type":"session.update"}')
        for _ in range(60):
            await client.send(second)
        await client.send('{"type":"session.end"}')
        messages = [codec.decode_server(frame) async for frame in client]
        codes = [m.code for m in messages if isinstance(m, wire.SessionError)]
        assert codes == ["audio_rate_violation"]
        assert isinstance(messages[-1], wire.SessionEnded)
    await _nothing_left(server)


async def test_half_a_handshake_and_raw_bytes_disturb_nobody(server: Server) -> None:
    """Connections that never become a WebSocket, or stop being one, in mid-frame."""
    upgrade = (
        f"GET /v1/ws HTTP/1.1\r\nHost: {server.host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
    dice = random.Random(7)  # noqa: S311
    for sent in (
        b"",
        b"GET /v1/ws HT",
        upgrade[:-2],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + dice.randbytes(200),
        upgrade.replace(b": 13", b": 12"),
        upgrade,
        upgrade + b"\x81",
        upgrade + b"\x81\x05Hello",
        upgrade + b"\xff\xff" + dice.randbytes(100),
        upgrade + b"\x81\xff" + b"\x7f" * 8,
        upgrade + b"\x88\x80" + dice.randbytes(4),
    ):
        raw = socket.create_connection((server.host, server.port), timeout=5)
        raw.sendall(sent)
        if b"\x81\x05" in sent:
            raw.recv(100)
        raw.close()
    async with connect(server.ws, compression=None) as client:
        neighbour = Neighbour(client)
        await neighbour.open(GREETING)
        await neighbour.end()
    await _nothing_left(server)
    assert _complaints(server) == []


def test_the_server_stops_in_peace(tmp_path: Path) -> None:
    """After all of that a Ctrl-C is exit status 0, also with a client on the line."""

    async def call(running: Server) -> None:
        async with connect(running.ws, compression=None) as client:
            await client.send(UPDATE)
            await client.recv()
            assert await asyncio.to_thread(running.stop) == 0
            await _read_to_the_end(client)

    with serving(tmp_path / "log") as running:
        asyncio.run(call(running))
        assert _complaints(running) == []


# --- the streams themselves ----------------------------------------------------------------


def test_a_seed_is_a_stream() -> None:
    """The same seed sends the same frames, so that what was found can be found again."""
    for seed in range(20):
        streams = []
        for _ in range(2):
            frames: list[str | bytes] = []
            try:
                frames.extend(hostile(seed))
            except Reset:
                frames.append("reset")
            streams.append(frames)
        assert streams[0] == streams[1]


def test_a_plain_stream_is_legal() -> None:
    """What is garbled was good before: each of its frames decodes."""
    for frame in plain(random.Random(1)):  # noqa: S311
        codec.decode_client(frame)


def test_each_kind_of_wrong_frame_is_wrong() -> None:
    """Nothing here raises in the client, and most of it is refused by the codec."""
    dice = random.Random(1)  # noqa: S311
    refused = 0
    for wrong in WRONG:
        for _ in range(20):
            frame = wrong('{"type":"reply.create","instructions":"x"}', dice)
            try:
                codec.decode_client(frame)
            except InvalidFormat:
                refused += 1
    assert refused > 100
