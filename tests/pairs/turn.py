"""One turn of a call on a real server, in a process of its own, whose stages are three vendors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec
from websockets.asyncio.client import ClientConnection, connect

from antiphon_protocol import codec
from antiphon_protocol import voice_agent as wire
from antiphon_protocol.audio import PCM
from antiphon_providers.scripted.tones import sine
from end_to_end.product import running
from hostile.serving import SCRIPTED, Server
from pairs.vendors import VENDORS, Play

FRAME_MS = 20
VOICE_MS = 900
PAUSE_MS = 100
"""Behind the voice, in one message with it: as much silence as ends it."""
_PATIENCE_S = 20
_UPDATE = msgspec.json.encode(
    {
        "type": "session.update",
        # With a longer pause, the recogniser's delay would be hidden behind that.
        "session": {"greeting": "", "input": {"turn_detection": {"min_silence": PAUSE_MS}}},
    }
).decode()


class Pair(NamedTuple):
    """The vendor of each stage."""

    stt: str
    llm: str
    tts: str

    @property
    def first_bytes_s(self) -> float:
        """The sum of their delays to the first byte."""
        return sum(VENDORS[stage][name].first_byte_s for stage, name in self._asdict().items())


PAIRS = [
    Pair(stt, llm, tts)
    for stt in VENDORS["stt"]
    for llm in VENDORS["llm"]
    for tts in VENDORS["tts"]
]


@dataclass
class Turn:
    """What the caller was sent."""

    first_audio_s: float = 0.0
    """From the flush of the recogniser to the first sound at the caller's."""
    messages: list[wire.FromServer] = field(default_factory=list)

    @property
    def user(self) -> str:
        """What was understood."""
        return " ".join(one.text for one in self.messages if isinstance(one, wire.UserTranscript))

    @property
    def agent(self) -> str:
        """What was answered."""
        return " ".join(one.text for one in self.messages if isinstance(one, wire.AgentTranscript))

    @property
    def audio_ms(self) -> float:
        """How much was spoken."""
        frames = [one for one in self.messages if isinstance(one, wire.ReplyAudio)]
        return sum(len(one.data) * 3 / 4 for one in frames) / PCM.size(1)

    @property
    def stages(self) -> dict[str, float]:
        """The server's own account, in ms."""
        told = [one.stages for one in self.messages if isinstance(one, wire.TurnTimeline)]
        return told[0] if told else {}


@asynccontextmanager
async def agent(pair: Pair, play: Play, folder: Path) -> AsyncIterator[Server]:
    """A server whose stages are these; the vendors are in this process."""
    async with AsyncExitStack() as stack:
        variables = dict(SCRIPTED)
        for stage, name in pair._asdict().items():
            prefix = f"ANTIPHON_{stage.upper()}"
            variables[prefix] = name
            options = await stack.enter_async_context(VENDORS[stage][name].far_away(play))
            variables |= {f"{prefix}_{option}": value for option, value in options.items()}
        process = running(folder / "log", **variables)
        # It asks the vendors as it starts, and they are here: nobody may block.
        server = await asyncio.to_thread(process.__enter__)
        try:
            yield server
        finally:
            await asyncio.to_thread(process.__exit__, None, None, None)


async def take_turn(server: Server, play: Play, *, to_the_end: bool = True) -> Turn:
    """The caller says something and listens, to the end or to the first sound."""
    turn = Turn()
    clock = asyncio.get_running_loop().time
    async with asyncio.timeout(_PATIENCE_S), connect(f"{server.ws}?timeline=1") as client:
        await client.send(_UPDATE)
        await _until(client, turn, wire.SessionReady)
        speaking = asyncio.create_task(_speak(client))
        try:
            await _until(client, turn, wire.ReplyAudio)
            turn.first_audio_s = clock() - play.flushed[-1]
            if play.gate is not None:
                play.gate.set()
            await _until(client, turn, wire.ReplyDone if to_the_end else wire.TurnTimeline)
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
    return turn


async def _until(client: ClientConnection, turn: Turn, kind: type[wire.ServerMessage]) -> None:
    while True:
        frame = await client.recv()
        message = codec.decode_server(frame)
        assert message is not None
        turn.messages.append(message)
        if isinstance(message, kind):
            return


def spoken() -> list[str]:
    """All that is said, and the pause behind it, message by message.

    It is one: a machine that is too busy to send the next for a third of a second would make
    two utterances of it, as a microphone does whose frames stop coming, and each vendor here
    says all its words to each.
    """
    voice = sine(220, VOICE_MS, PCM.rate) + bytes(PCM.size(PAUSE_MS))
    return [codec.encode_input_audio(voice)]


async def _speak(client: ClientConnection) -> None:
    """All at once, then silence without an end, at the pace of speech."""
    clock = asyncio.get_running_loop().time
    due = clock()
    silence = codec.encode_input_audio(bytes(PCM.size(FRAME_MS)))
    for message in spoken():
        await client.send(message)
    while True:
        await client.send(silence)
        due += FRAME_MS / 1000
        await asyncio.sleep(max(0.0, due - clock()))
