"""What the user says: the agent's own voice played back to it, or a recording by option.

Needs no voice and no recording of its own: the server under test is asked for a sentence as a
greeting, and what it sends is the user's speech from then on.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import wave
from collections.abc import AsyncIterator
from pathlib import Path

from conformance.target import Target
from conformance.wire import AUDIO_CHUNK_MS, Call, opened, ready

RATE = 24_000
BYTES_PER_MS = RATE // 1000 * 2
SENTENCE = "Please tell me what the weather will be like in Paris tomorrow morning."
QUIET_MS = 300

_spoken: dict[str, asyncio.Task[bytes]] = {}


async def users_speech(target: Target) -> bytes:
    """The sentence, as int16 little-endian mono PCM at 24 kHz; asked for once in a run."""
    if target.speech_file:
        return read_wav(Path(target.speech_file))
    if target.url not in _spoken:
        _spoken[target.url] = asyncio.create_task(spoken_by(target, SENTENCE))
    return await asyncio.shield(_spoken[target.url])


def users_words(target: Target) -> str:
    """What is said in it."""
    return target.speech_text or SENTENCE


async def spoken_by(target: Target, sentence: str) -> bytes:
    """A sentence in the agent's voice."""
    async with opened(target) as call:
        await ready(call, greeting=sentence)
        await call.next("reply.done")
        return call.audio()


def read_wav(path: Path) -> bytes:
    """A recording at 24 kHz; other rates are resampled by repeating and leaving out samples."""
    with wave.open(str(path)) as recording:
        assert (recording.getnchannels(), recording.getsampwidth()) == (1, 2), path
        rate, pcm = recording.getframerate(), recording.readframes(recording.getnframes())
    samples = memoryview(pcm).cast("h")
    count = len(samples) * RATE // rate
    return b"".join(
        samples[at * rate // RATE].to_bytes(2, "little", signed=True) for at in range(count)
    )


class Microphone:
    """A microphone that is always on: silence, unless somebody speaks. In real time."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._pcm = b""
        self._silent = asyncio.Event()
        self._silent.set()

    def say(self, pcm: bytes) -> None:
        """Begins to say something, after what is being said."""
        self._silent.clear()
        self._pcm += pcm

    def hush(self) -> None:
        """Says no more of it."""
        self._pcm = b""

    async def said(self) -> None:
        """Returns when everything was said."""
        await self._silent.wait()

    async def run(self) -> None:
        """Sends 20 ms at a time, until cancelled or the socket is gone."""
        size = AUDIO_CHUNK_MS * BYTES_PER_MS
        loop = asyncio.get_running_loop()
        due = loop.time()
        while self._call.close_code is None:
            chunk, self._pcm = self._pcm[:size], self._pcm[size:]
            if not chunk:
                self._silent.set()
            await self._call.say(chunk.ljust(size, b"\0"))
            due += AUDIO_CHUNK_MS / 1000
            await asyncio.sleep(due - loop.time())


@contextlib.asynccontextmanager
async def microphone(call: Call) -> AsyncIterator[Microphone]:
    """A microphone that is on for as long as the block runs."""
    microphone = Microphone(call)
    running = asyncio.create_task(microphone.run())
    try:
        yield microphone
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await running


def likeness(said: str, heard: str) -> float:
    """The part of the words said that were heard, 0 to 1; case and punctuation aside."""
    words, found = (set(re.findall(r"[a-z]+", text.lower())) for text in (said, heard))
    return len(words & found) / len(words)
