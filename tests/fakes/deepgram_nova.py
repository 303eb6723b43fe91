"""Nova as the fake speaks it: stretches of scripted words, in the time of the audio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fakes.deepgram import FakeDeepgram, Session

LOUD = 300.0
"""RMS of int16 samples: speech."""
WORD_MS = 200
"""Of speech behind each word."""
_NOTICEABLE_MS = 100
"""Of audio that was not told yet: with less, ``Finalize`` is not answered."""
_IDLE_S = 10.0
_UUID = "8c8ebea9-dbec-45fa-a035-e4632cb05b5f"


def is_loud(pcm: bytes) -> bool:
    """Whether somebody speaks."""
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], np.int16).astype(np.float32)
    return bool(samples.size) and float(np.sqrt(np.mean(samples**2))) >= LOUD


class Nova:
    """A connection: all speech up to a ``Finalize`` is a turn, with the next of ``turns``."""

    def __init__(self, session: Session, fake: FakeDeepgram) -> None:
        self._session = session
        self._fake = fake
        self._interim = session.parameter("interim_results") == "true"
        self._turn = 0
        self._at_ms = 0.0
        self._told_ms = 0.0
        self._speech_ms = 0.0
        self._words_told = 0

    async def run(self) -> None:
        """From the first audio to the end."""
        while True:
            try:
                async with asyncio.timeout(_IDLE_S):
                    received = await self._session.receive()
            except TimeoutError:
                reason = "Deepgram did not receive audio data or a text message. See NET-0001"
                await self._session.connection.close(1011, reason)
                return
            if received is None:
                return
            if isinstance(received, bytes):
                await self._hear(received)
            elif not await self._obey(received):
                return

    async def _obey(self, received: dict[str, Any]) -> bool:
        match received["type"]:
            case "Finalize":
                await self._finalize()
            case "KeepAlive":
                pass
            case "CloseStream":
                await self._tell(final=True)
                await self._end()
                return False
            case kind:
                await self._session.send(
                    "Error",
                    variant="SchemaError",
                    description=f"Could not deserialize last text message: {kind}",
                    message=str(received),
                )
        return True

    async def _hear(self, pcm: bytes) -> None:
        ms = len(pcm) / 32
        self._at_ms += ms
        if not is_loud(pcm):
            return
        self._speech_ms += ms
        words = int(self._speech_ms / WORD_MS)
        if words > self._words_told and self._interim:
            self._words_told = words
            await self._tell(final=False)

    async def _finalize(self) -> None:
        if self._at_ms - self._told_ms >= _NOTICEABLE_MS:
            await self._tell(final=True, forced=True)

    async def _tell(self, *, final: bool, forced: bool = False) -> None:
        every = self._fake.turns[self._turn % len(self._fake.turns)].split()
        words = (every if final else every[: self._words_told]) if self._speech_ms else []
        text = " ".join(words)
        timed = [
            {
                "word": word.lower().strip(".,?!"),
                "punctuated_word": word,
                "start": self._told_ms / 1000,
                "end": self._at_ms / 1000,
                "confidence": 0.98,
            }
            for word in words
        ]
        await self._session.send(
            "Results",
            channel_index=[0, 1],
            start=self._told_ms / 1000,
            duration=(self._at_ms - self._told_ms) / 1000,
            is_final=final,
            speech_final=False,
            from_finalize=forced,
            channel={"alternatives": [{"transcript": text, "confidence": 0.98, "words": timed}]},
            metadata={
                "request_id": _UUID,
                "model_info": {"name": "nova", "version": "2026-01-01", "arch": "nova-3"},
                "model_uuid": _UUID,
            },
        )
        if final:
            self._turn += bool(words)
            self._told_ms, self._speech_ms, self._words_told = self._at_ms, 0.0, 0

    async def _end(self) -> None:
        await self._session.send(
            "Metadata",
            transaction_key="deprecated",
            request_id=_UUID,
            sha256="e3b0c44298fc1c149afbf4c8996fb924",
            created="2026-11-22T10:00:00.000Z",
            duration=self._at_ms / 1000,
            channels=1,
        )
        await self._session.connection.close(1000)
