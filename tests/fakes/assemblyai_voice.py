"""Streaming text to speech as the fake speaks it: a tone for each character."""

from __future__ import annotations

import asyncio
import base64
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from fakes.assemblyai import Session

_CHARACTER_MS = 40
_PIECE_MS = 80


class Speaking:
    """A session. Requests are numbered, and spoken one after the other."""

    def __init__(self, session: Session, *, timed: bool) -> None:
        self._session = session
        self._timed = timed and session.query.get("word_boundaries", "").lower() == "true"
        self._rate = int(session.query.get("sample_rate", "24000"))
        self._text = ""
        self._next_id = 0
        self._requests: asyncio.Queue[tuple[int, str]] = asyncio.Queue()
        self._at_ms = 0
        self._sent_ms = 0

    async def run(self) -> None:
        """From ``Begin`` to the end."""
        voice = self._session.query.get("voice_id", "aai-jane")
        if not voice.startswith("aai-"):
            words = f"Voice '{voice}' was not found"
            fields: dict[str, Any] = {"error_type": "voice_not_found", "param": "voice_id"}
            await self._session.fail(3006, words, retryable=False, **fields)
            return
        await self._session.send(
            "Begin",
            id="10885144-0d4b-4928-9eff-ef292a352937",
            expires_at=int(time.time()) + 3600,
            configuration={"voice_id": voice, "limits": {"max_generate_text_length": 2000}},
        )
        speaking = asyncio.create_task(self._speak())
        try:
            while (received := await self._session.receive()) is not None:
                if isinstance(received, bytes):
                    await self._session.fail(3006, "Binary frames are not accepted")
                    return
                if received["type"] == "Cancel":
                    speaking = await self._cancel(speaking)
                elif not await self._take(received):
                    return
        finally:
            speaking.cancel()
            await asyncio.wait({speaking})

    async def _take(self, received: dict[str, Any]) -> bool:
        match received["type"]:
            case "Generate":
                if len(received["text"]) > 2000:
                    await self._session.fail(3006, "text is too long")
                    return False
                self._text += received["text"]
            case "Flush":
                self._requests.put_nowait((self._next_id, self._text))
                self._next_id, self._text = self._next_id + 1, ""
            case "KeepAlive":
                pass
            case "Terminate":
                await self._requests.join()
                await self._session.send(
                    "Termination",
                    session_duration_seconds=1,
                    total_input_char_length=1,
                    audio_duration_seconds=self._at_ms / 1000,
                )
                await self._session.connection.close(1000, "Session Ended")
                return False
            case kind:
                await self._session.fail(3006, f"Invalid Message Type: {kind}")
                return False
        return True

    async def _cancel(self, speaking: asyncio.Task[None]) -> asyncio.Task[None]:
        speaking.cancel()
        await asyncio.wait({speaking})
        self._requests = asyncio.Queue()
        self._next_id, self._text = self._next_id + 1, ""
        await self._session.send("Cancelled", audio_duration_seconds=self._sent_ms / 1000)
        return asyncio.create_task(self._speak())

    async def _speak(self) -> None:
        """Request after request."""
        with suppress(ConnectionClosed):
            while True:
                flush_id, text = await self._requests.get()
                await self._request(flush_id, text)
                self._requests.task_done()

    async def _request(self, flush_id: int, text: str) -> None:
        begin, self._sent_ms = self._at_ms, 0
        pcm = sound(text, self._rate)
        piece = self._rate * 2 * _PIECE_MS // 1000
        for at in range(0, len(pcm), piece):
            audio = base64.b64encode(pcm[at : at + piece]).decode()
            await self._session.send("Audio", flush_id=flush_id, audio=audio)
            self._sent_ms += _PIECE_MS
            await asyncio.sleep(0)
        ms = len(text) * _CHARACTER_MS
        self._at_ms += ms
        await self._session.send("FlushDone", flush_id=flush_id, audio_duration_ms=ms)
        if self._timed and text.split():
            words = self._words(text, begin)
            await self._session.send(
                "WordBoundaries", flush_id=flush_id, audio_start_ms=begin, words=words
            )

    def _words(self, text: str, begin: int) -> list[dict[str, Any]]:
        words: list[dict[str, Any]] = []
        at = 0
        for word in text.split():
            at = text.index(word, at)
            start, end = begin + at * _CHARACTER_MS, begin + (at + len(word)) * _CHARACTER_MS
            words.append({"word": word, "start": start, "end": end, "confidence": 0.9})
            at += len(word)
        return words


def sound(text: str, rate: int = 24_000) -> bytes:
    """What a text sounds like: a tone for each character, 40 ms long."""
    times = np.arange(rate * _CHARACTER_MS // 1000) / rate
    tones = [
        (np.sin(2 * np.pi * (200 + ord(character)) * times) * 100 * (ord(character) % 97 + 10))
        for character in text
    ]
    return b"".join(tone.astype(np.int16).tobytes() for tone in tones)
