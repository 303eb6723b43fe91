"""ElevenLabs on this machine: input streaming with one context and with many.

Source: ElevenLabs' pages "WebSocket" and "Multi-Context WebSocket" of the API reference;
``test_elevenlabs_sdk.py`` proves it with the vendor's SDK.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any

from websockets.http11 import Request

from fakes.voice_contexts import CHARACTER_MS, KEY, FakeVoices, Refusal, Session, pcm_of

_PIECE = 7
"""Characters of one frame, so that words go from one to the next."""
_MAX_CONTEXTS = 5


class FakeElevenLabs(FakeVoices):
    """The vendor."""

    def __init__(self) -> None:
        super().__init__(_refusal, _speak)


class _Context:
    """One stream of text; ``closed`` once there is no more of it."""

    def __init__(self, session: Session, name: str | None) -> None:
        self.session, self.name, self.text = session, name, ""
        self.flushed: asyncio.Queue[str | None] = asyncio.Queue()

    def flush(self) -> None:
        """Speaks what it has."""
        self.flushed.put_nowait(self.text)
        self.text = ""

    async def speak(self) -> None:
        """Until it is closed and all was said."""
        owner = {} if self.name is None else {"contextId": self.name}
        await asyncio.sleep(self.session.fault.first_s)
        while (text := await self.flushed.get()) is not None:
            for at in range(0, len(text), _PIECE):
                frame = {**_sound(text[at : at + _PIECE]), **owner}
                await self.session.send(frame, is_sound=True)
                await asyncio.sleep(0)
        await self.session.send({"audio": None, "isFinal": True, **owner})


def _sound(text: str) -> dict[str, Any]:
    pcm = pcm_of(text)
    times = {
        "charStartTimesMs": [at * CHARACTER_MS for at in range(len(text))],
        "charDurationsMs": [CHARACTER_MS] * len(text),
    }
    return {
        "audio": base64.b64encode(pcm).decode(),
        "isFinal": None,
        "normalizedAlignment": {**times, "chars": list("x" * len(text))},
        "alignment": {**times, "chars": list(text)},
    }


def _refusal(request: Request) -> Refusal | None:
    if request.headers.get("xi-api-key") != KEY:
        words = {"status": "invalid_api_key", "message": "Invalid API key"}
        return 401, {"detail": words}
    if "model_id=eleven_" not in request.path:
        return 400, {"detail": {"status": "model_not_found", "message": "No such model"}}
    return None


async def _speak(session: Session) -> None:
    if session.path.endswith("/multi-stream-input"):
        await _speak_many(session)
    else:
        await _speak_one(session)


async def _speak_one(session: Session) -> None:
    context = _Context(session, None)
    while (frame := await session.receive()) is not None:
        context.text += frame["text"].removeprefix(" ") if frame["text"] != "" else ""
        if frame["text"] == "":
            context.flush()
            context.flushed.put_nowait(None)
            await context.speak()
            await session.connection.close(1000)


async def _speak_many(session: Session) -> None:
    contexts: dict[str, _Context] = {}
    speaking: dict[str, asyncio.Task[None]] = {}
    while (frame := await session.receive()) is not None:
        name = frame.get("context_id", "default")
        if name not in contexts and not frame.get("text"):
            continue
        if name not in contexts:
            if sum(not task.done() for task in speaking.values()) >= _MAX_CONTEXTS:
                words = "Maximum simultaneous contexts exceeded"
                said = {"message": words, "error": "max_active_contexts", "code": 1008}
                await session.send(said)
                await session.connection.close(1008, words)
                return
            contexts[name] = _Context(session, name)
            speaking[name] = session.begin(contexts[name].speak())
        context = contexts[name]
        context.text += (frame.get("text") or "").removeprefix(" ")
        if frame.get("flush"):
            context.flush()
        if frame.get("close_context"):
            context.flushed.put_nowait(None)
            del contexts[name]
