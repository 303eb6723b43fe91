"""A reply on its own: its events, its words, its audio, with the loop's seconds."""

from __future__ import annotations

import asyncio
from typing import Any

from antiphon_protocol import codec
from antiphon_providers.interfaces import Message, Prompt, ToolUse
from antiphon_server.call.interlocutor import Interlocutor
from antiphon_server.call.outbox import Outbox, Playback
from antiphon_server.call.reply import Reply, ReplyDoors, SpeakingServices, Task
from antiphon_server.call.settings import CallSettings
from antiphon_server.call.timeline import ReplyClock
from antiphon_server.call.writing import Courtesy
from antiphon_server.conversation.heard import TimedWord
from antiphon_server.conversation.vocabulary import (
    Event,
    Failure,
    ReplyFailed,
    ToolUsed,
)
from server.call.scripted_call import Line

PROMPT = Prompt((Message(role="user", content="hello"),))
STORY = "This is the first sentence. Here comes another one. And that was the last of them."


class Stage:
    """One reply on its own: its events, its words, its audio, with the loop's seconds."""

    def __init__(
        self,
        model: Any,
        voice: Any,
        settings: CallSettings | None = None,
        courtesy: Courtesy | None = None,
        interlocutor: Interlocutor | None = None,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.events: list[Event] = []
        self.words: list[tuple[str, bool]] = []
        self.shown: list[tuple[list[str], bool]] = []
        self.uses: list[ToolUse] = []
        self.audio: list[tuple[float, bytes]] = []
        self.settings = settings or CallSettings()
        self.outbox = Outbox(self.loop.time)
        self.clock = ReplyClock(1, "user_speech", self.loop.time())
        self.playback = Playback(1, self.settings.output, 200)
        doors = ReplyDoors(
            self.outbox,
            self.loop.time,
            self.events.append,
            self._use,
            self._words,
            self._shown,
        )
        services = SpeakingServices(model, voice, courtesy or Courtesy(), interlocutor)
        self.reply = Reply(services, self.settings, self.clock, self.playback, doors)

    def _words(self, _reply: int, words: list[TimedWord], last: bool) -> None:
        self.words += [(word.text, last and word is words[-1]) for word in words]

    def _use(self, reply: int, use: ToolUse) -> None:
        self.uses.append(use)
        self.events.append(ToolUsed(reply, use.call_id, 120_000))

    def _shown(self, _reply: int, words: list[str], last: bool) -> None:
        self.shown.append((words, last))

    def _frame(self, _reply: int, raw: bytes) -> str:
        self.audio.append((self.loop.time(), raw))
        return codec.encode_reply_audio("resp_1", raw, 0.0)

    async def run(self, task: Task) -> None:
        """Runs the reply to its end, sending."""
        self.outbox.begin(self.playback)
        sending = asyncio.create_task(
            self.outbox.run(Line(), self._frame, lambda _reply, _audio, _at: None)
        )
        try:
            await self.reply.run(task)
        finally:
            self.outbox.close()
            await sending

    @property
    def seconds(self) -> float:
        """Of audio sent."""
        return self.settings.output.ms(sum(len(raw) for _, raw in self.audio)) / 1000

    def failure(self) -> Failure:
        """Why it failed: the one event there is."""
        (event,) = self.events
        assert isinstance(event, ReplyFailed)
        assert event.reply == 1
        return event.failure


async def answered(
    model: Any,
    voice: Any,
    settings: CallSettings | None = None,
    courtesy: Courtesy | None = None,
) -> Stage:
    """A reply to a prompt, over; neither provider works on it any more."""
    stage = Stage(model, voice, settings, courtesy)
    await stage.run(Task(prompt=PROMPT))
    assert (model.desk.active, voice.desk.active) == (0, 0)
    return stage
