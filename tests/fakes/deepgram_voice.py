"""Aura as the fake speaks it: a tone for each character."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed

from fakes.assemblyai_voice import sound

if TYPE_CHECKING:
    from fakes.deepgram import Session

_PIECE_MS = 80
_MAX_TEXT = 2000
_MAX_FLUSHES, _FLUSHES_S = 20, 60.0


class Aura:
    """A connection. Text up to a ``Flush`` is spoken, one after the other."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rate = int(session.parameter("sample_rate", "24000"))
        self._text = ""
        self._sequence = 0
        self._flushes: list[float] = []
        self._requests: asyncio.Queue[str] = asyncio.Queue()

    async def run(self) -> None:
        """From ``Metadata`` to the end."""
        model = self._session.parameter("model")
        await self._session.send(
            "Metadata",
            request_id="3f1a7a0e-8d4b-4c60-a9a0-8f4b6a7b9a01",
            model_name=model,
            model_version="2026-01-01.0",
            model_uuid="ecb76e9d-f2db-4127-8060-79b05590d22f",
        )
        speaking = asyncio.create_task(self._speak())
        try:
            while (received := await self._session.receive()) is not None:
                if isinstance(received, bytes):
                    await self._session.connection.close(1008, "Binary input. See DATA-0000")
                    return
                if received["type"] == "Clear":
                    speaking = await self._clear(speaking)
                elif not await self._take(received):
                    return
        finally:
            speaking.cancel()
            await asyncio.wait({speaking})

    async def _take(self, received: dict[str, Any]) -> bool:
        match received["type"]:
            case "Speak":
                if len(received["text"]) > _MAX_TEXT:
                    await self._session.connection.close(1008, "Text too long. See DATA-0000")
                    return False
                self._text += received["text"]
            case "Flush":
                await self._flush()
            case "Close":
                await self._requests.join()
                await self._session.connection.close(1000)
                return False
            case kind:
                await self._session.connection.close(1008, f"Unknown type {kind}. See DATA-0000")
                return False
        return True

    async def _flush(self) -> None:
        now = asyncio.get_running_loop().time()
        self._flushes = [at for at in self._flushes if now - at < _FLUSHES_S]
        if len(self._flushes) >= _MAX_FLUSHES:
            words = "Too many Flush messages in the last 60 seconds"
            await self._session.send("Warning", code="FLUSH_LIMIT", description=words)
            return
        self._flushes.append(now)
        self._requests.put_nowait(self._text)
        self._text = ""

    async def _clear(self, speaking: asyncio.Task[None]) -> asyncio.Task[None]:
        speaking.cancel()
        await asyncio.wait({speaking})
        self._requests, self._text = asyncio.Queue(), ""
        await self._session.send("Cleared", sequence_id=self._next())
        return asyncio.create_task(self._speak())

    async def _speak(self) -> None:
        with suppress(ConnectionClosed):
            while True:
                pcm = sound(await self._requests.get(), self._rate)
                piece = self._rate * 2 * _PIECE_MS // 1000
                for at in range(0, len(pcm), piece):
                    await self._session.sound(pcm[at : at + piece])
                    await asyncio.sleep(0)
                await self._session.send("Flushed", sequence_id=self._next())
                self._requests.task_done()

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence - 1
