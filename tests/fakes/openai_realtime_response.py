"""A response of the fake Realtime API, event by event."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fakes.openai_realtime_session import RealtimeSession

RATE = 24_000
_USAGE = {
    "total_tokens": 30,
    "input_tokens": 20,
    "output_tokens": 10,
    "input_token_details": {"cached_tokens": 5, "text_tokens": 15, "audio_tokens": 5},
    "output_token_details": {"text_tokens": 4, "audio_tokens": 6},
}


@dataclass
class Answer:
    """What a response says and calls, and how it goes."""

    text: str = "Hello. How can I help you?"
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Names and arguments of tools."""
    ms_per_word: int = 200
    """Of sound."""
    stalls_after: int | None = None
    """Words after which nothing comes any more, until it is cancelled."""
    pace_s: float = 0.0
    """Seconds between words."""
    status: str = "completed"
    details: dict[str, Any] | None = None
    in_text: bool = False
    """Whether it answers in text, though sound was asked for."""


@dataclass
class Entry:
    """An item of the conversation, and how much sound it has."""

    item: dict[str, Any]
    audio_ms: float = 0.0


class RealtimeResponse:
    """One response."""

    def __init__(self, session: RealtimeSession, answer: Answer) -> None:
        self._session = session
        self._answer = answer
        self._id = session.id("resp")
        self._output: list[dict[str, Any]] = []

    async def run(self) -> None:
        """All of it; cancelled, it ends as a cancelled response does."""
        answer = self._answer
        try:
            await self._session.send("response.created", response=self._told("in_progress"))
            if answer.text:
                await self._speak()
            for name, arguments in answer.calls:
                await self._call(name, arguments)
            status, details = answer.status, answer.details
        except asyncio.CancelledError:
            status, details = "cancelled", {"type": "cancelled", "reason": "client_cancelled"}
        self._session.ends()
        done = {**self._told(status), "status_details": details, "usage": _USAGE}
        await self._session.send("response.done", response=done)

    def _told(self, status: str) -> dict[str, Any]:
        return {
            "id": self._id,
            "object": "realtime.response",
            "status": status,
            "status_details": None,
            "output": self._output,
            "conversation_id": "conv_1",
            "output_modalities": ["audio"],
            "max_output_tokens": "inf",
            "metadata": None,
            "usage": None,
        }

    async def _item(self, kind: str, **fields: Any) -> tuple[Entry, dict[str, Any]]:
        entry = await self._session.begin_item(kind, **fields)
        at = {"response_id": self._id, "output_index": len(self._output)}
        self._output.append(entry.item)
        await self._session.send("response.output_item.added", **at, item=entry.item)
        return entry, {**at, "item_id": entry.item["id"]}

    async def _end(self, entry: Entry, at: dict[str, Any]) -> None:
        entry.item["status"] = "completed"
        await self._session.send("conversation.item.done", item=entry.item, previous_item_id=None)
        fields = {name: at[name] for name in ("response_id", "output_index")}
        await self._session.send("response.output_item.done", **fields, item=entry.item)

    async def _speak(self) -> None:
        send, answer = self._session.send, self._answer
        kind = "output_text" if answer.in_text else "output_audio"
        named = "text" if answer.in_text else "transcript"
        entry, at = await self._item("message", role="assistant", content=[])
        part = {"type": kind, named: ""}
        entry.item["content"].append(part)
        at = {**at, "content_index": 0}
        told = {"type": kind.removeprefix("output_"), named: ""}
        await send("response.content_part.added", **at, part=told)
        words = "response.output_text" if answer.in_text else "response.output_audio_transcript"
        for number, word in enumerate(answer.text.split()):
            if number == answer.stalls_after:
                await asyncio.Event().wait()
            await asyncio.sleep(answer.pace_s)
            delta = (" " if number else "") + word
            part[named] += delta
            await send(f"{words}.delta", **at, delta=delta)
            if not answer.in_text:
                await self._sound(entry, at)
        if not answer.in_text:
            await send("response.output_audio.done", **at)
        await send(f"{words}.done", **at, **{named: answer.text})
        await send("response.content_part.done", **at, part={**told, named: answer.text})
        await self._end(entry, at)

    async def _sound(self, entry: Entry, at: dict[str, Any]) -> None:
        self._session.spoke()
        ms = self._answer.ms_per_word
        entry.audio_ms += ms
        delta = base64.b64encode(b"\1\2" * (RATE * ms // 1000)).decode()
        await self._session.send("response.output_audio.delta", **at, delta=delta)

    async def _call(self, name: str, arguments: str) -> None:
        call_id = self._session.id("call")
        fields = {"call_id": call_id, "name": name, "arguments": ""}
        entry, at = await self._item("function_call", **fields)
        at = {**at, "call_id": call_id}
        kind = "response.function_call_arguments"
        for delta in (arguments[:3], arguments[3:]):
            await self._session.send(f"{kind}.delta", **at, delta=delta)
        entry.item["arguments"] = arguments
        await self._session.send(f"{kind}.done", **at, name=name, arguments=arguments)
        await self._end(entry, at)
