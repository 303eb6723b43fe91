"""The sound of one reply without a reply: what was played, and which words were told."""

from __future__ import annotations

import asyncio

from antiphon_providers.interfaces import Prompt
from antiphon_server.call.outbox import Outbox, Playback
from antiphon_server.call.settings import CallSettings
from antiphon_server.call.sounding import Sounding, SoundingDoors
from antiphon_server.call.timeline import ReplyClock
from antiphon_server.conversation.heard import TimedWord

PROMPT = Prompt(())


class SoundingStage:
    """A sounding whose audio stays in its playback, and what it told."""

    def __init__(self, settings: CallSettings | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.now = loop.time
        self.settings = settings or CallSettings()
        self.told: list[TimedWord] = []
        self.lasts: list[bool] = []
        outbox = Outbox(loop.time)
        self.clock = ReplyClock(1, "user_speech", loop.time())
        self.playback = Playback(1, self.settings.output, 200)
        outbox.begin(self.playback)
        doors = SoundingDoors(outbox, loop.time, self._words)
        self.sounding = Sounding(self.settings, self.clock, self.playback, doors)

    def _words(self, words: list[TimedWord], last: bool) -> None:
        self.told += words
        self.lasts.append(last)

    @property
    def words(self) -> list[str]:
        """Those that were told."""
        return [word.text for word in self.told]

    def played(self) -> bytes:
        """Takes all audio there is, as fast as it can be taken."""
        self.playback.complete()
        raw, now = b"", 0.0
        while not self.playback.is_finished:
            audio, pause = self.playback.take(now)
            raw += audio
            now += pause
        return raw
