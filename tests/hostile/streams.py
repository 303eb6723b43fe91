"""What clients send that do not behave, by seed; and one that does."""

from __future__ import annotations

import asyncio
import random
import string
from collections.abc import Callable, Iterator
from typing import TypeVar

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.audio import PCM
from antiphon_providers.scripted.tones import sine

MOST_BYTES = 131_072
"""What the servers of these tests accept in one message."""
FRAME_MS = 20
READ_SECONDS = 0.4
"""How long a hostile client listens before it goes on."""

Frame = str | bytes
M = TypeVar("M", bound=wire.ServerMessage)


class Reset(Exception):
    """The client tears its connection down without a word."""


def _json(message: object) -> str:
    return msgspec.json.encode(message).decode()


def _audio(ms: float) -> str:
    return codec.encode_input_audio(sine(220, ms, PCM.rate))


def plain(dice: random.Random) -> list[Frame]:
    """A stream that a client could well mean."""
    tool = {"type": "function", "name": "f", "parameters": {"properties": {"n": {}}}}
    greeting = dice.choice(["", "Hello.", "Hello there, how can I help you today?"])
    update = {"system_prompt": "p", "greeting": greeting, "tools": [tool]}
    later = {"output": {"volume": dice.randrange(101)}}
    return [
        _json({"type": "session.update", "session": update}),
        *[_audio(FRAME_MS) for _ in range(dice.randrange(20))],
        _json({"type": "conversation.message", "role": "user", "content": "hi"}),
        _json({"type": "reply.create", "instructions": "be brief"}),
        _json({"type": "session.update", "session": later}),
        _json({"type": "tool.result", "call_id": "call_1", "result": "{}"}),
        _json({"type": "reply.cancel", "reply_id": "resp_1"}),
        _json({"type": "session.end"}),
    ]


# --- what can be wrong with one frame ------------------------------------------------------


def _cut(frame: str, dice: random.Random) -> Frame:
    return frame[: dice.randrange(len(frame))]


def _garbled(frame: str, dice: random.Random) -> Frame:
    at = dice.randrange(len(frame))
    return frame[:at] + dice.choice(string.printable) + frame[at + 1 :]


def _binary(frame: str, dice: random.Random) -> Frame:
    wave = b"RIFF\x24\x00\x00\x00WAVE"
    return dice.choice([frame.encode(), dice.randbytes(500), wave, b""])


def _of_wrong_types(frame: str, dice: random.Random) -> Frame:
    try:
        message = msgspec.json.decode(frame)
    except ValueError:
        return "[]"
    if not isinstance(message, dict):
        return "7"
    key = dice.choice(list(message))
    message[key] = dice.choice([None, 7, -1.5, True, [], {}, [[]], {"a": 1}, "", "x" * 3000])
    return _json(message)


def _unknown(_frame: str, dice: random.Random) -> Frame:
    kind = dice.choice(["", "session.start", "ping", "reply.audio", "x" * 5000, "é\u0000\u2028"])
    return _json({"type": kind, "data": [1]})


def _deep(_frame: str, dice: random.Random) -> Frame:
    levels = dice.choice([63, 70, 500, 5000, 30_000])
    nested = "[" * levels + "]" * levels
    bare = f'{{"type":"session.update","session":{{"tools":{nested}}}}}'
    schema = f'"parameters":{{"properties":{{"a":{nested}}}}}'
    tool = f'[{{"type":"function","name":"f",{schema}}}]'
    return dice.choice([nested, bare, f'{{"type":"session.update","session":{{"tools":{tool}}}}}'])


def _huge_numbers(_frame: str, dice: random.Random) -> Frame:
    number = dice.choice(
        ["9" * 400, "-1e999", "1e-400", "123456789012345678901234567890", "9" * 5000]
    )
    detection = f'{{"min_silence":{number},"max_silence":{number}}}'
    tool = '"type":"function","name":"f"'
    enum = f'{{"properties":{{"a":{{"enum":[{number}]}}}}}}'
    return dice.choice(
        [
            f'{{"type":"session.update","session":{{"output":{{"volume":{number}}}}}}}',
            f'{{"type":"session.update","session":{{"input":{{"turn_detection":{detection}}}}}}}',
            f'{{"type":"session.update","session":{{"tools":[{{{tool},"parameters":{enum}}}]}}}}',
            f'{{"type":{number}}}',
            number,
        ]
    )


def _bad_base64(_frame: str, dice: random.Random) -> Frame:
    audio = dice.choice(["%%%", "AAA", "AA=A", "AAAA\n", "====", "é", "A" * 5, "-_-_"])
    return _json({"type": "input.audio", "audio": audio})


def _odd_bytes(_frame: str, dice: random.Random) -> Frame:
    return codec.encode_input_audio(dice.randbytes(dice.choice([0, 1, 3, 999, 9601])))


def _oversized(_frame: str, dice: random.Random) -> Frame:
    size = MOST_BYTES + dice.choice([1, 100, 300_000])
    frames: list[Frame] = [" " * size, b"\x00" * size, f'{{"type":"{"x" * size}"}}']
    return dice.choice(frames)


def _not_utf8(_frame: str, _dice: random.Random) -> Frame:
    return '{"type":"\ud800"}'


def _fast_audio(_frame: str, _dice: random.Random) -> Frame:
    return _audio(1900)


WRONG: tuple[Callable[[str, random.Random], Frame], ...] = (
    _cut,
    _garbled,
    _binary,
    _of_wrong_types,
    _unknown,
    _deep,
    _huge_numbers,
    _bad_base64,
    _odd_bytes,
    _oversized,
    _not_utf8,
    _fast_audio,
)


def hostile(seed: int) -> Iterator[Frame]:
    """A stream reordered, repeated, cut and garbled; raises ``Reset`` where it breaks off."""
    dice = random.Random(seed)  # noqa: S311
    frames = plain(dice)
    first = frames.pop(0) if dice.random() < 0.7 else None
    if dice.random() < 0.6:
        dice.shuffle(frames)
    if first is not None:
        frames.insert(0, first)
    for frame in frames:
        for _ in range(dice.choice([1, 1, 1, 2, 5])):
            if dice.random() < 0.35 and isinstance(frame, str):
                yield dice.choice(WRONG)(frame, dice)
            else:
                yield frame
        if dice.random() < 0.02:
            raise Reset
    if dice.random() < 0.2:
        raise Reset


# --- clients -------------------------------------------------------------------------------


async def assail(address: str, seed: int) -> list[wire.FromServer | None]:
    """Sends a hostile stream; returns all answers (None for one that no one documents).

    Raises ``InvalidFormat`` for an answer that is not a message.
    """
    client = await connect(address, compression=None, close_timeout=2)
    answers: list[wire.FromServer | None] = []
    dice = random.Random(-seed)  # noqa: S311
    try:
        for frame in hostile(seed):
            await _put(client, frame)
            if dice.random() < 0.1:
                answers += await _read(client)
        answers += await _read(client)
    except Reset:
        client.transport.abort()
    except ConnectionClosed:
        pass
    finally:
        await client.close()
    return answers


async def _put(client: ClientConnection, frame: Frame) -> None:
    if isinstance(frame, str):
        # Text that is no UTF-8 reaches the wire as it is.
        await client.send(frame.encode("utf-8", "surrogatepass"), text=True)
    else:
        await client.send(frame)


async def _read(client: ClientConnection) -> list[wire.FromServer | None]:
    answers: list[wire.FromServer | None] = []
    try:
        async with asyncio.timeout(READ_SECONDS):
            while True:
                answers.append(codec.decode_server(await client.recv()))
    except (TimeoutError, ConnectionClosed):
        return answers


class Neighbour:
    """A well-behaved client on the same server."""

    def __init__(self, client: ClientConnection) -> None:
        self.client = client
        self.messages: list[wire.FromServer] = []

    async def until(self, kind: type[M]) -> M:
        """The next message of a kind; whatever else comes is kept too."""
        while True:
            message = codec.decode_server(await self.client.recv())
            assert message is not None
            assert not isinstance(message, wire.SessionError), message
            self.messages.append(message)
            if isinstance(message, kind):
                return message

    async def open(self, greeting: str) -> wire.SessionReady:
        """Opens its session and hears its greeting out."""
        session = {"greeting": greeting, "system_prompt": "p"}
        await self.client.send(_json({"type": "session.update", "session": session}))
        ready = await self.until(wire.SessionReady)
        assert (await self.until(wire.ReplyDone)).status == "completed"
        return ready

    async def turn(self) -> str:
        """Says something, at its own pace, and hears the answer; returns what was understood."""
        speaking = asyncio.create_task(self._speak())
        try:
            said = await self.until(wire.UserTranscript)
            assert (await self.until(wire.ReplyDone)).status == "completed"
        finally:
            speaking.cancel()
        return said.text

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        voice, silence = _audio(FRAME_MS), codec.encode_input_audio(bytes(PCM.size(FRAME_MS)))
        for frame in [voice] * 45 + [silence] * 500:
            await self.client.send(frame)
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - loop.time()))

    async def end(self) -> None:
        """Ends its session in order."""
        await self.client.send('{"type":"session.end"}')
        await self.until(wire.SessionEnded)
        try:
            await self.client.recv()
        except ConnectionClosed:
            assert self.client.close_code == 1000


__all__ = ["MOST_BYTES", "WRONG", "InvalidMessage", "Neighbour", "assail", "hostile", "plain"]
