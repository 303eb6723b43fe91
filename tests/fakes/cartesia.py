"""Cartesia on this machine: ``/tts/websocket`` with contexts.

Source: Cartesia's pages "Text to Speech (WebSocket)", "Contexts" and "API errors";
``test_cartesia_sdk.py`` proves it with the vendor's SDK.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from websockets.http11 import Request

from fakes.voice_contexts import CHARACTER_MS, KEY, FakeVoices, Refusal, Session, pcm_of

_PIECE = 8
"""Characters of one frame."""


class FakeCartesia(FakeVoices):
    """The vendor; at most ``max_contexts`` at a time."""

    def __init__(self) -> None:
        super().__init__(_refusal, self._converse)
        self.max_contexts = 100

    async def _converse(self, session: Session) -> None:
        contexts: dict[str, _Context] = {}
        while (frame := await session.receive()) is not None:
            name = frame["context_id"]
            context = contexts.get(name)
            if frame.get("cancel"):
                if context is not None:
                    context.task.cancel()
                continue
            if context is None or context.task.done():
                failure = self._failure(frame, contexts)
                if failure is not None:
                    await session.send(failure)
                    continue
                context = contexts[name] = _Context(session, name)
            context.requests.put_nowait(frame)

    def _failure(
        self, frame: dict[str, Any], contexts: dict[str, _Context]
    ) -> dict[str, Any] | None:
        """What is wrong with a new context."""
        common = {"type": "error", "done": True, "context_id": frame["context_id"]}
        if sum(not one.task.done() for one in contexts.values()) >= self.max_contexts:
            words = {"title": "Too many concurrent requests", "message": "Exceeded."}
            return {**common, **words, "status_code": 429, "error_code": "concurrency_limited"}
        if not frame["model_id"].startswith("sonic"):
            words = {"title": "Invalid model", "message": "The model is not valid."}
            return {**common, **words, "status_code": 404, "error_code": "model_not_found"}
        if frame["output_format"]["container"] != "raw" or not frame["voice"]:
            words = {"title": "Bad request", "message": "Not raw, or no voice."}
            return {**common, **words, "status_code": 400, "error_code": "invalid"}
        return None


class _Context:
    """Text that is spoken as one."""

    def __init__(self, session: Session, name: str) -> None:
        self.session, self.name = session, name
        self.requests: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.said_ms = 0
        self.flushes = 0
        self.task = session.begin(self._speak())

    async def _speak(self) -> None:
        await asyncio.sleep(self.session.fault.first_s)
        is_open = True
        while is_open:
            request = await self.requests.get()
            await self._say(request["transcript"], with_words=bool(request.get("add_timestamps")))
            if request.get("flush"):
                self.flushes += 1
                await self._send("flush_done", flush_done=True, flush_id=self.flushes)
            is_open = bool(request.get("continue"))
        await self._send("done", done=True, status_code=200)

    async def _say(self, text: str, *, with_words: bool) -> None:
        words: dict[str, list[Any]] = {"words": [], "start": [], "end": []}
        at = 0
        for word in text.split():
            begin = text.index(word, at)
            at = begin + len(word)
            words["words"].append(word)
            words["start"].append((self.said_ms + begin * CHARACTER_MS) / 1000)
            words["end"].append((self.said_ms + at * CHARACTER_MS) / 1000)
        if with_words and words["words"]:
            await self._send("timestamps", word_timestamps=words)
        for at in range(0, len(text), _PIECE):
            data = base64.b64encode(pcm_of(text[at : at + _PIECE])).decode()
            await self._send("chunk", data=data, step_time=1.5)
            await asyncio.sleep(0)
        self.said_ms += len(text) * CHARACTER_MS

    async def _send(self, kind: str, **fields: Any) -> None:
        frame = {"type": kind, "context_id": self.name, "done": False, "status_code": 206}
        await self.session.send({**frame, **fields}, is_sound=kind == "chunk")


def _refusal(request: Request) -> Refusal | None:
    if request.path.partition("?")[0] != "/tts/websocket":
        return 404, {"title": "Not found", "message": "No such path", "error_code": "not_found"}
    if not request.headers.get("Cartesia-Version"):
        return 400, {"title": "Bad request", "message": "Missing Cartesia-Version"}
    if request.headers.get("Authorization") != f"Bearer {KEY}":
        words = {"title": "Unauthorized", "message": "Invalid API key"}
        return 401, {**words, "error_code": "unauthorized"}
    return None
