"""One call from ``session.ready`` to the goodbye: listening, speaking, interrupting, dropping."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from itertools import zip_longest

from msgspec import Struct

from antiphon.errors import AntiphonError, ConnectionLost, TimedOut
from antiphon.wire import Wire
from antiphon_loadtest.behaviour import Part, Role
from antiphon_loadtest.failures import kind_of
from antiphon_loadtest.hearing import Hearing, Told, told
from antiphon_loadtest.notes import Notes
from antiphon_loadtest.plan import RESULT, Plan, Voices
from antiphon_loadtest.wheel import Microphone, Spoken, Wheel
from antiphon_protocol.audio import encoding_of
from antiphon_protocol.voice_agent import EndSession, GiveToolResult

SETTLE_S = 0.3
"""Quiet after a reply that makes it the end of the answer; tools have a second reply."""
GOODBYE_S = 5.0
AWAY_S = 0.5
"""How long a dropped line stays away."""
LONGEST_REPLY_S = 60.0


class World(Struct, frozen=True):
    """What all callers of a process share."""

    plan: Plan
    voices: Voices
    wheel: Wheel
    notes: Notes


class NotResumed(AntiphonError):
    """The call did not come back after its line was dropped; the text is its kind."""


class Conversation:
    """One call from ``session.ready`` to the goodbye."""

    def __init__(self, world: World, wire: Wire) -> None:
        self.wire = wire
        encoding = encoding_of(wire.ready.config.output.format)
        self.hearing = Hearing(encoding, world.notes, audible=world.plan.audible)
        self._world = world
        self._notes = world.notes
        self._patience_s = world.plan.patience_s
        self._microphone = Microphone(wire, world.voices.silence, world.notes)
        self._changed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._last_seq = 0
        self._ended = self._deaf = False
        self._reader: asyncio.Task[None] | None = None

    async def hold(self, role: Role) -> None:
        """Plays the role. Raises ``ConnectionLost`` and ``TimedOut``."""
        self._reader = asyncio.create_task(self._listen())
        self._world.wheel.add(self._microphone)
        try:
            await self._hear_greeting()
            await asyncio.sleep(role.silent_s)
            for part, following in zip_longest(role.parts, role.parts[1:]):
                await self._take(part, following)
            await self._hang_up()
        finally:
            self._world.wheel.remove(self._microphone)
            await self._stop_listening()

    # --- listening -------------------------------------------------------------------------

    async def _stop_listening(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)

    async def _listen(self) -> None:
        async for frame in self.wire.frames():
            message = told(frame)
            if message is None:
                self._notes.errors["in a call: not a message"] += 1
            else:
                await self._notice(message)
        self._deaf = True
        self._changed.set()

    async def _notice(self, message: Told) -> None:
        silent = self.hearing.sound_at is None
        self.hearing.hear(message, self._loop.time())
        if message.type == "reply.audio" and not silent:
            return
        self._last_seq = max(self._last_seq, message.seq or 0)
        if message.type == "tool.call":
            self._notes.counts["tools"] += 1
            with suppress(ConnectionLost):
                await self.wire.send(GiveToolResult(message.call_id, RESULT))
        elif message.type == "session.ended":
            self._ended = True
        elif message.type == "session.error":
            self._notes.errors[f"in a call: {message.code or 'session.error'}"] += 1
        self._changed.set()

    async def _until(self, holds: Callable[[], bool], within_s: float) -> bool:
        """Waits until something holds; False where it does not in time. Raises
        ``ConnectionLost``.
        """
        try:
            async with asyncio.timeout(within_s):
                while not holds():
                    if self._deaf:
                        raise self.wire.lost()
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def _hear_greeting(self) -> None:
        config = self.wire.ready.config
        if not config.greeting:
            return
        heard = self.hearing
        if not await self._until(lambda: heard.done_at > 0, LONGEST_REPLY_S):
            raise TimedOut("the greeting did not end")
        await self._play_out()

    async def _play_out(self) -> None:
        """Until what was heard has been played, and nothing follows."""
        heard = self.hearing
        while True:
            ahead_s = max(0.0, heard.plays_until - self._loop.time())
            # Another reply may follow: that of a tool's result.
            if not await self._until(lambda: heard.replying, ahead_s + SETTLE_S):
                return
            if not await self._until(lambda: not heard.replying, LONGEST_REPLY_S):
                raise TimedOut("the reply did not end")

    # --- speaking --------------------------------------------------------------------------

    async def _take(self, part: Part, following: Part | None) -> None:
        """Says one thing and hears the answer, or its beginning where the next is said over it."""
        if part.over_s is None or not self.hearing.replying:
            await asyncio.sleep(part.think_s)
        over = self.hearing.replying
        self.hearing.listen_for_cut()
        voice = await self._say(part)
        if over:
            await self._fall_silent(voice.started_at + part.clip.voice_starts_ms / 1000)
        await self._hear_answer(voice.started_at + part.clip.voice_ends_ms / 1000)
        over_s = None if following is None else following.over_s
        if part.drops:
            await self._drop()
        elif over_s is not None and self.hearing.replying:
            await self._until(lambda: not self.hearing.replying, over_s)
        else:
            await self._play_out()

    async def _say(self, part: Part) -> Spoken:
        """Speaks the clip; the microphone's clock is the one that counts."""
        said = Spoken(self._world.voices.frames[part.clip.name])
        self._microphone.spoken = said
        longest_s = part.clip.duration_ms / 1000 + self._patience_s
        gives_up_at = self._loop.time() + longest_s
        while not said.over:
            left_s = (len(said.frames) - said.position) * self._world.plan.frame_ms / 1000
            await self._until(lambda: said.over, left_s)
            if self._loop.time() > gives_up_at:
                raise TimedOut("the network did not take the speech")
        return said

    async def _hear_answer(self, voice_ended_at: float) -> None:
        heard = self.hearing
        self._notes.counts["asked"] += 1

        def answered() -> bool:
            return heard.gave_something and (heard.replying or heard.done_at >= voice_ended_at)

        if not await self._until(answered, self._patience_s):
            self._notes.errors["no answer"] += 1
            return
        self._notes.counts["turns"] += 1
        if heard.sound_at is not None and heard.sound_at >= voice_ended_at:
            self._notes.measured("response", 1000 * (heard.sound_at - voice_ended_at))
        elif heard.sound_at is not None:
            self._notes.counts["cut_in"] += 1

    async def _fall_silent(self, voice_at: float) -> None:
        """Measures from the first voiced sample until the reply was cut."""
        cut_at = self.hearing.cut_at
        if math.isfinite(cut_at):
            self._notes.measured("barge-in", max(0.0, 1000 * (cut_at - voice_at)))
        else:
            self._notes.counts["spoken_on"] += 1

    # --- coming and going ------------------------------------------------------------------

    async def _drop(self) -> None:
        """Loses the line in the middle of an answer, and comes back."""
        await self._stop_listening()
        self._world.wheel.remove(self._microphone)
        self.wire.drop()
        self.hearing.lose()
        await asyncio.sleep(AWAY_S)
        began = self._loop.time()
        try:
            await self.wire.resume(self._last_seq)
        except AntiphonError as error:
            raise NotResumed(kind_of(error, "resuming")) from error
        self._notes.measured("resume", 1000 * (self._loop.time() - began))
        self._deaf = False
        self._reader = asyncio.create_task(self._listen())
        self._world.wheel.add(self._microphone)

    async def _hang_up(self) -> None:
        await self.wire.send(EndSession())
        if not await self._until(lambda: self._ended, GOODBYE_S):
            raise TimedOut("no session.ended")
