"""A socket that notes when it takes what, and the outbox that sends over it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from antiphon_protocol.audio import PCM
from antiphon_server.call import outbox
from antiphon_server.call.outbox import Outbox, Playback

LEAD_MS = 200
FRAME = PCM.size(outbox.FRAME_MS)


class Wire:
    """Takes frames; each with its time. While ``open`` is not set, it takes none."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.frames: list[tuple[float, str]] = []
        self.sounded: list[int] = []
        self.heard_at: list[tuple[float, float]] = []
        self.marks: list[Callable[[], None]] = []
        self.can_tell = True
        self.takes_at_once = False
        self.pushed = 0
        self.open = asyncio.Event()
        self.open.set()
        self.outbox = Outbox(self.loop.time)

    def push(self, frame: str) -> bool:
        """Takes a frame if it is to take any so."""
        if self.takes_at_once:
            self.frames.append((self.loop.time(), frame))
            self.pushed += 1
        return self.takes_at_once

    async def send(self, frame: str) -> None:
        """Takes a frame once open."""
        await self.open.wait()
        self.frames.append((self.loop.time(), frame))

    @property
    def audio_ms(self) -> list[tuple[float, float]]:
        """Seconds, and the milliseconds of audio sent by then."""
        sent, sums = 0.0, []
        for when, frame in self.frames:
            if frame.startswith("audio"):
                sent += PCM.ms(int(frame.split()[2]))
                sums.append((when, sent))
        return sums

    def playback(self, number: int = 1) -> Playback:
        """A reply whose audio is sent from now on."""
        playback = Playback(number, PCM, LEAD_MS)
        self.outbox.begin(playback)
        return playback

    async def receive(self) -> None:
        """Says nothing."""

    def mark(self, passed: Callable[[], None]) -> bool:
        """Tells what was taken, when it is asked to."""
        self.marks.append(passed)
        return self.can_tell

    async def close(self, code: int) -> None:
        """Stays."""

    async def run(self) -> None:
        """Sends until closed."""
        await self.outbox.run(
            self, lambda reply, raw: f"audio {reply} {len(raw)}", self._audio_sent
        )

    def _audio_sent(self, reply: int, audio: bytes, sounds_at: float) -> None:
        self.sounded.append(reply)
        self.heard_at.append((sounds_at, PCM.ms(len(audio))))


@asynccontextmanager
async def sending() -> AsyncIterator[Wire]:
    """A wire whose outbox runs, and has been closed at the end."""
    line = Wire()
    async with asyncio.timeout(3000):
        task = asyncio.create_task(line.run())
        yield line
        line.outbox.close()
        await task


def pcm(ms: float) -> bytes:
    """So much audio."""
    return bytes(PCM.size(ms))
