"""A session of the fake Realtime API: its audio buffer, its items, its responses."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from fakes.openai_realtime_response import RATE, Answer, Entry, RealtimeResponse

if TYPE_CHECKING:
    from fakes.openai_realtime import Connection, FakeOpenAIRealtime

_BYTES_PER_MS = RATE * 2 // 1000
_LEAST_MS = 100
LOUD = 300.0
"""RMS of int16 samples: speech."""
WORD_MS = 200
"""Of speech behind each word that is told before the commit."""
_LIVE = ("gpt-live-transcribe", "gpt-realtime-whisper")


class RealtimeSession:
    """From ``session.created`` to the end of the connection."""

    def __init__(self, connection: Connection, fake: FakeOpenAIRealtime) -> None:
        self._connection = connection
        self._fake = fake
        self.is_transcription = connection.query.get("intent") == ["transcription"]
        self.settings = self._settings()
        self.entries: list[Entry] = []
        self._buffer = bytearray()
        self._item_id = self._id("item")
        self._turn = 0
        self._speech_ms = 0.0
        self._words_told = 0
        self._response: asyncio.Task[None] | None = None
        self._is_ending = False
        self._spoke = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Acts on events, one after the other."""
        await self._connection.send("session.created", session=self.settings)
        acts = {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "conversation.item.create": self._create,
            "conversation.item.delete": self._delete,
            "conversation.item.truncate": self._truncate,
            "conversation.item.retrieve": self._retrieve,
            "response.create": self._respond,
            "response.cancel": self._cancel,
        }
        try:
            while (event := await self._connection.receive()) is not None:
                act = acts.get(event["type"])
                if act is None:
                    await self._wrong("invalid_value", f"Invalid value: '{event['type']}'.", event)
                else:
                    await act(event)
        finally:
            for task in self._tasks:
                task.cancel()

    # --- the session ---------------------------------------------------------------------

    def _settings(self) -> dict[str, Any]:
        common = {
            "id": self._id("sess"),
            "expires_at": int(time.time() + self._fake.lasts_s),
            "include": None,
        }
        sound = {"type": "audio/pcm", "rate": RATE}
        heard = {"format": sound, "transcription": None, "noise_reduction": None}
        if self.is_transcription:
            return {
                **common,
                "object": "realtime.transcription_session",
                "type": "transcription",
                "audio": {"input": {**heard, "turn_detection": None}},
            }
        return {
            **common,
            "object": "realtime.session",
            "type": "realtime",
            "model": self._connection.query.get("model", [""])[0],
            "output_modalities": ["audio"],
            "instructions": "Be helpful.",
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
            "audio": {
                "input": {**heard, "turn_detection": {"type": "server_vad"}},
                "output": {"format": sound, "voice": "marin", "speed": 1.0},
            },
        }

    async def _update(self, event: dict[str, Any]) -> None:
        wanted = event["session"]
        if wanted.get("type") != self.settings["type"]:
            words = (
                "Passing a transcription session update event to a realtime session is not allowed."
            )
            await self._wrong("invalid_parameter", words, event)
            return
        audio = wanted.get("audio", {})
        voice = audio.get("output", {}).get("voice")
        if voice and self._spoke and voice != self.settings["audio"]["output"]["voice"]:
            await self._wrong("cannot_update_voice", "Cannot update a conversation's voice.", event)
            return
        model = ((audio.get("input") or {}).get("transcription") or {}).get("model", "")
        if model.startswith(_LIVE) and audio["input"].get("turn_detection"):
            words = "Turn detection is not supported for this transcription model."
            await self._wrong("invalid_parameter", words, event)
            return
        if "unknown" in model:
            await self._wrong("invalid_value", f"Invalid value: '{model}'.", event)
            return
        _merge(self.settings, wanted)
        await self._connection.send("session.updated", session=self.settings)

    # --- what is heard -------------------------------------------------------------------

    async def _append(self, event: dict[str, Any]) -> None:
        pcm = base64.b64decode(event["audio"])
        self._buffer += pcm
        samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], np.int16).astype(np.float32)
        if samples.size and float(np.sqrt(np.mean(samples**2))) >= LOUD:
            self._speech_ms += len(pcm) / _BYTES_PER_MS
        transcription = self.settings["audio"]["input"]["transcription"]
        if transcription and transcription["model"].startswith(_LIVE):
            await self._tell_words(int(self._speech_ms / WORD_MS))

    async def _commit(self, event: dict[str, Any]) -> None:
        if len(self._buffer) < _LEAST_MS * _BYTES_PER_MS:
            has = len(self._buffer) / _BYTES_PER_MS
            words = f"Error committing input audio buffer: buffer too small, {has:.2f}ms of audio."
            await self._wrong("input_audio_buffer_commit_empty", words, event)
            return
        part = {"type": "input_audio", "transcript": None}
        item = {"id": self._item_id, "type": "message", "role": "user", "content": [part]}
        before = self.entries[-1].item["id"] if self.entries else None
        send = self._connection.send
        await send("input_audio_buffer.committed", item_id=item["id"], previous_item_id=before)
        await self._add(Entry(item, len(self._buffer) / _BYTES_PER_MS), len(self.entries))
        text = self._words()
        if self.settings["audio"]["input"]["transcription"]:
            self._start(self._transcribe(item, text, self._words_told))
        self._forget()
        self._turn += text != ""

    async def _clear(self, _event: dict[str, Any]) -> None:
        self._forget()
        await self._connection.send("input_audio_buffer.cleared")

    def _forget(self) -> None:
        self._buffer.clear()
        self._speech_ms, self._words_told = 0.0, 0
        self._item_id = self._id("item")

    def _words(self) -> str | None:
        if not self._speech_ms:
            return ""
        return self._fake.transcripts[self._turn % len(self._fake.transcripts)]

    async def _tell_words(self, count: int) -> None:
        words = (self._words() or "").split()
        for at in range(self._words_told, min(count, len(words))):
            self._words_told = at + 1
            await self._transcript("delta", self._item_id, delta=(" " if at else "") + words[at])

    async def _transcribe(self, item: dict[str, Any], text: str | None, told: int) -> None:
        if text is None:
            trouble = {"type": "server_error", "code": None, "message": "It failed.", "param": None}
            await self._transcript("failed", item["id"], error=trouble)
            return
        for at, word in enumerate(text.split()[told:], told):
            await self._transcript("delta", item["id"], delta=(" " if at else "") + word)
        if item["content"]:
            item["content"][0]["transcript"] = text
        usage = {"type": "duration", "seconds": 1.0}
        await self._transcript("completed", item["id"], transcript=text, usage=usage)

    async def _transcript(self, kind: str, item_id: str, **fields: Any) -> None:
        kind = f"conversation.item.input_audio_transcription.{kind}"
        await self._connection.send(kind, item_id=item_id, content_index=0, **fields)

    # --- items ---------------------------------------------------------------------------

    async def _create(self, event: dict[str, Any]) -> None:
        item, after = {"id": self._id("item"), **event["item"]}, event.get("previous_item_id")
        if self._find(item["id"]) is not None:
            words = f"Error adding item: an item with ID '{item['id']}' already exists."
            await self._wrong("item_create_duplicate_item_id", words, event)
            return
        place = len(self.entries)
        if after is not None:
            found = self._find(after)
            if found is None and after != "root":
                words = f"Error adding item: the previous item with id '{after}' does not exist."
                await self._wrong("item_create_invalid_previous_item_id", words, event)
                return
            place = 0 if found is None else self.entries.index(found) + 1
        await self._add(Entry({"object": "realtime.item", "status": "completed", **item}), place)

    async def _add(self, entry: Entry, place: int, *, done: bool = True) -> None:
        self.entries.insert(place, entry)
        before = self.entries[place - 1].item["id"] if place else None
        for kind in ("added", "done") if done else ("added",):
            await self._connection.send(
                f"conversation.item.{kind}", item=entry.item, previous_item_id=before
            )

    async def _delete(self, event: dict[str, Any]) -> None:
        entry = await self._named("delete", event)
        if entry is not None:
            self.entries.remove(entry)
            await self._connection.send("conversation.item.deleted", item_id=entry.item["id"])

    async def _retrieve(self, event: dict[str, Any]) -> None:
        entry = await self._named("retrieve", event)
        if entry is not None:
            await self._connection.send("conversation.item.retrieved", item=entry.item)

    async def _truncate(self, event: dict[str, Any]) -> None:
        entry = await self._named("truncate", event)
        if entry is None:
            return
        end_ms = event["audio_end_ms"]
        if entry.item.get("role") != "assistant" or not entry.audio_ms:
            words = "Only model output audio messages can be truncated"
            await self._wrong("invalid_value", words, event)
        elif end_ms > entry.audio_ms:
            words = f"Audio content of {entry.audio_ms:.0f}ms is already shorter than {end_ms}ms"
            await self._wrong("invalid_value", words, event)
        else:
            entry.audio_ms = end_ms
            entry.item["content"][0].update(transcript="")
            fields = {name: event[name] for name in ("item_id", "content_index", "audio_end_ms")}
            await self._connection.send("conversation.item.truncated", **fields)

    async def _named(self, act: str, event: dict[str, Any]) -> Entry | None:
        entry = self._find(event["item_id"])
        if entry is None:
            words = f"Error: the item with id '{event['item_id']}' does not exist."
            await self._wrong(f"item_{act}_invalid_item_id", words, event)
        return entry

    def _find(self, item_id: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.item["id"] == item_id), None)

    # --- responses -----------------------------------------------------------------------

    async def _respond(self, event: dict[str, Any]) -> None:
        is_active = self._response is not None and not self._response.done()
        if is_active and not self._is_ending:
            words = "Conversation already has an active response in progress."
            await self._wrong("conversation_already_has_active_response", words, event)
            return
        if self.is_transcription:
            await self._wrong("invalid_value", "A transcription session has no responses.", event)
            return
        self._is_ending = False
        answer = self._fake.answers.pop(0) if self._fake.answers else Answer()
        self._response = self._start(RealtimeResponse(self, answer).run())

    async def _cancel(self, event: dict[str, Any]) -> None:
        if self._response is None or self._response.done() or self._is_ending:
            words = "Cancellation failed: no active response found"
            await self._wrong("response_cancel_not_active", words, event)
            return
        self._response.cancel()

    def _start(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # The connection broke; its own task ends too.
            task.exception()

    async def _wrong(self, code: str, message: str, event: dict[str, Any]) -> None:
        await self._connection.error(code, message, event.get("event_id"))

    def _id(self, kind: str) -> str:
        return f"{kind}_{next(self._fake.numbers)}"

    # What a response needs of its session.

    def spoke(self) -> None:
        """The voice cannot be changed any more."""
        self._spoke = True

    def ends(self) -> None:
        """It cannot be cancelled any more."""
        self._is_ending = True

    async def send(self, kind: str, **fields: Any) -> None:
        """An event."""
        await self._connection.send(kind, **fields)

    async def begin_item(self, kind: str, **fields: Any) -> Entry:
        """An item that is being written, at the end."""
        item = {"id": self._id("item"), "object": "realtime.item", "type": kind, **fields}
        entry = Entry({**item, "status": "in_progress"})
        await self._add(entry, len(self.entries), done=False)
        return entry

    def id(self, kind: str) -> str:
        """A new one."""
        return self._id(kind)


def _merge(settings: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Objects are merged, everything else is replaced."""
    for name, value in json.loads(json.dumps(wanted)).items():
        if isinstance(value, dict) and isinstance(settings.get(name), dict):
            _merge(settings[name], value)
        else:
            settings[name] = value
