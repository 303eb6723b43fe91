"""Universal Streaming as the fake speaks it: turns of scripted words, in the time of the audio."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fakes.assemblyai import FakeAssemblyAI, Session

_LOUD = 300.0
"""RMS of int16 samples: speech."""
_WORD_MS = 200
"""Of speech behind each word."""
_MAX_MESSAGE = 128 * 1024


class Hearing:
    """A session: each stretch of loud audio is a turn, whose words are the next of ``turns``.

    A turn ends when it is forced to, or by ``min_turn_silence`` where the fake ends turns.
    """

    def __init__(self, session: Session, fake: FakeAssemblyAI) -> None:
        self._session = session
        self._fake = fake
        self._graded = session.query.get("speech_model", "").startswith("universal-streaming")
        self._formats = session.query.get("format_turns", "").lower() == "true"
        self._at_ms = 0.0
        self._silent_ms = 0.0
        self._order = 0
        self._spoken: list[tuple[float, float]] | None = None

    async def run(self) -> None:
        """From ``Begin`` to the end."""
        if not 8000 <= int(self._session.query.get("sample_rate", "16000")) <= 96_000:
            await self._session.fail(
                3006, "User Input Validation Error: Invalid 'sample_rate': too low"
            )
            return
        configuration = {"model": self._session.query.get("speech_model"), "mode": "balanced"}
        await self._session.send(
            "Begin",
            id="4a1b9f0e-7f2a-4f0c-9f43-0c2b5f0c7a11",
            expires_at=int(time.time()) + 10_800,
            configuration=configuration,
        )
        while (received := await self._session.receive()) is not None:
            if isinstance(received, bytes):
                if not await self._hear(received):
                    return
            elif received["type"] == "Terminate":
                await self._terminate()
                return
            elif received["type"] == "ForceEndpoint":
                await self._end()
            elif received["type"] not in {"KeepAlive", "UpdateConfiguration"}:
                kind = received["type"]
                await self._session.fail(3006, f"Invalid Message Type: {kind}")
                return

    async def _hear(self, pcm: bytes) -> bool:
        ms = len(pcm) / 32
        if not 50 <= ms <= 1000:
            words = f"Input Duration Violation: {ms} ms. Expected between 50 and 1000 ms"
            await self._session.fail(3007, f"Input Duration Error: {words}")
            return False
        samples = np.frombuffer(pcm, np.int16).astype(np.float32)
        begin, self._at_ms = self._at_ms, self._at_ms + ms
        if float(np.sqrt(np.mean(samples**2))) >= _LOUD:
            self._silent_ms = 0.0
            await self._speak(begin)
        else:
            self._silent_ms += ms
            wanted = float(self._session.query.get("min_turn_silence", "128"))
            if self._fake.ends_turns and self._silent_ms >= wanted:
                await self._end()
        return True

    async def _speak(self, begin: float) -> None:
        """More speech: the turn begins, or has another word."""
        if self._spoken is None:
            self._spoken = []
            if not self._graded:
                await self._session.send("SpeechStarted", timestamp=int(begin), confidence=0.9)
        last = self._spoken[-1][1] if self._spoken else begin - _WORD_MS
        if self._at_ms - last < _WORD_MS and self._spoken:
            return
        if len(self._spoken) < len(self._words()):
            self._spoken.append((begin, self._at_ms))
            await self._tell(end=False)

    async def _end(self) -> None:
        """The turn's end, all its words; nothing where there is no turn."""
        if self._spoken is None:
            return
        begin = self._spoken[-1][1] if self._spoken else self._at_ms
        while len(self._spoken) < len(self._words()):
            self._spoken.append((begin, self._at_ms))
        await self._tell(end=True, formatted=not self._graded)
        if self._graded and self._formats:
            await self._tell(end=True, formatted=True)
        self._order += 1
        self._spoken = None
        self._silent_ms = 0.0

    def _words(self) -> list[str]:
        return self._fake.turns[self._order % len(self._fake.turns)].split()

    async def _tell(self, *, end: bool, formatted: bool = True) -> None:
        spoken = self._spoken or []
        words: list[dict[str, Any]] = [
            {
                "text": text if formatted else text.lower().strip(".,?!"),
                "start": int(start),
                "end": int(stop),
                "confidence": 0.99,
                "word_is_final": end,
            }
            for text, (start, stop) in zip(self._words(), spoken, strict=False)
        ]
        known = words if end or not self._graded else words[:-1]
        transcript = " ".join(word["text"] for word in known)
        await self._session.send(
            "Turn",
            turn_order=self._order,
            turn_is_formatted=formatted,
            end_of_turn=end,
            transcript=transcript,
            utterance=transcript if end else "",
            end_of_turn_confidence=1.0 if end else 0.25 if self._graded else 0.0,
            words=words,
        )

    async def _terminate(self) -> None:
        await self._end()
        seconds = int(self._at_ms / 1000)
        await self._session.send(
            "Termination", audio_duration_seconds=seconds, session_duration_seconds=seconds
        )
        await self._session.connection.close(1000, "Session Ended")
