"""A caller: speaks recordings at the pace of a person, hears the replies, and times both.

The microphone never closes: where nothing is said, silence is sent. Time is acoustic: the
sample at ``t`` of a clip is spoken exactly ``t`` after the clip's beginning, and reaches the
server with the chunk it belongs to, as from a sound device.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Protocol, Self

from antiphon.clips import Clip
from antiphon.ear import Ear, HeardReply
from antiphon.errors import AntiphonError, ConnectionLost, TimedOut
from antiphon.events import Event, TurnTimeline
from antiphon.playback import SILENT_BYTE
from antiphon.sound import encode
from antiphon_protocol.audio import Encoding

CHUNK_MS = 20
"""How much is sent at a time: what sound devices give."""

PATIENCE_S = 30.0
"""How long a caller waits for an answer; the slowest hosted turns take five seconds."""

SETTLE_S = 0.3
"""Quiet after a reply that makes it the end of the turn; tool turns have a second reply."""

TIMELINE_S = 1.0
"""How long ``turn.timeline`` may come after the reply it is about."""


class Line(Protocol):
    """The part of a ``Call`` a caller needs."""

    @property
    def input_encoding(self) -> Encoding:
        """What is sent."""

    @property
    def output_encoding(self) -> Encoding:
        """What is heard."""

    async def send_audio(self, samples: bytes) -> None:
        """Sends microphone audio."""

    def __aiter__(self) -> AsyncIterator[Event]:
        """What happens."""


class Speech:
    """A clip being spoken; times are loop times in seconds."""

    def __init__(self, clip: Clip, samples: bytes) -> None:
        self.clip = clip
        self.samples = samples
        self.started_at = 0.0
        self.sent = False

    @property
    def voice_started_at(self) -> float:
        """When its first voiced sample was spoken."""
        return self.started_at + self.clip.voice_starts_ms / 1000

    @property
    def voice_ended_at(self) -> float:
        """When its last voiced sample was spoken."""
        return self.started_at + self.clip.voice_ends_ms / 1000


class Turn:
    """What came of one clip."""

    def __init__(self, speech: Speech, transcript: str, replies: list[HeardReply]) -> None:
        self.clip = speech.clip
        self.transcript = transcript
        self.replies = replies
        self._voice_ended_at = speech.voice_ended_at

    @property
    def answer(self) -> HeardReply | None:
        """The first reply that was heard after the voice had ended."""
        heard = [reply for reply in self.replies if self._delay_s(reply) >= 0]
        return min(heard, key=self._delay_s, default=None)

    @property
    def response_ms(self) -> float | None:
        """From the last voiced sample to the first audible one; None without an answer."""
        return None if self.answer is None else self._delay_s(self.answer) * 1000

    @property
    def answered(self) -> bool:
        """Whether a reply was heard to its end, even one that came too early; an apology for one
        that failed is none.
        """
        return any(
            reply.audible_at is not None and not reply.interrupted and reply.error is None
            for reply in self.replies
        )

    @property
    def cut_in(self) -> bool:
        """Whether the agent was heard before the caller had finished."""
        return any(
            reply.audible_at is not None and reply.audible_at < self._voice_ended_at
            for reply in self.replies
        )

    @property
    def reply_text(self) -> str:
        """What the agent said in this turn."""
        return " ".join(reply.text for reply in self.replies if reply.text)

    @property
    def timeline(self) -> TurnTimeline | None:
        """The server's own account of the answer, where it gave one."""
        return None if self.answer is None else self.answer.timeline

    def _delay_s(self, reply: HeardReply) -> float:
        audible_at = reply.audible_at
        return -1.0 if audible_at is None else audible_at - self._voice_ended_at


class Caller:
    """Somebody on the line, from ``async with`` to its end.

    ``witness`` is told every event. Whatever ends the call is raised by the next wait.
    """

    def __init__(
        self,
        line: Line,
        *,
        witness: Callable[[Event], None] | None = None,
        keeps_sound: bool = False,
    ) -> None:
        self.ear = Ear(line.output_encoding, keeps_sound=keeps_sound)
        self._line = line
        self._witness = witness
        self._pending: deque[Speech] = deque()
        self._position = 0
        self._changed = asyncio.Condition()
        self._hung_up: AntiphonError | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self._guard(self._speak_forever()), name="caller-microphone"),
            asyncio.create_task(self._guard(self._listen()), name="caller-ear"),
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def say(self, clip: Clip) -> Speech:
        """Speaks a clip; returns when all of it is on its way."""
        # In a thread: the microphone goes on while a long clip is converted.
        samples = await asyncio.to_thread(encode, clip.pcm, self._line.input_encoding)
        speech = Speech(clip, samples)
        self._pending.append(speech)
        longest = clip.duration_ms / 1000 + PATIENCE_S
        await self.wait_for(lambda: speech.sent, longest, f"{clip.name} could not be sent")
        return speech

    async def converse(self, clip: Clip, patience_s: float = PATIENCE_S) -> Turn:
        """Speaks a clip and listens until the answer has been heard out.

        Raises ``TimedOut`` when there is none within ``patience_s`` after the clip.
        """
        heard_before = len(self.ear.transcripts)
        speech = await self.say(clip)
        await self.hear_out(speech.started_at, speech.voice_ended_at, patience_s)
        replies = self._replies_since(speech.started_at)
        transcript = " ".join(text for _, text in self.ear.transcripts[heard_before:])
        return Turn(speech, transcript, replies)

    async def hear_out(
        self, since: float = 0.0, until: float = 0.0, patience_s: float = PATIENCE_S
    ) -> None:
        """Waits until a reply that began after ``since`` and ended after ``until`` (loop times
        in seconds) has been played to its end and nothing follows.
        """
        while True:
            await self.wait_for(
                lambda: self._answered(since, until), patience_s, "the agent did not answer"
            )
            known = len(self.ear.replies)
            loop = asyncio.get_running_loop()
            quiet_s = max(0.0, self.ear.plays_until - loop.time()) + SETTLE_S
            # Sound ahead of its time is played to its end, as in a real ear.
            if not await self._happens(lambda: len(self.ear.replies) > known, quiet_s):  # noqa: B023
                return

    async def timeline_of(self, turn: Turn) -> TurnTimeline | None:
        """The server's account of the turn, waiting a moment for it."""
        answer = turn.answer
        if answer is not None:
            await self._happens(lambda: answer.timeline is not None, TIMELINE_S)
        return turn.timeline

    async def wait_for(self, holds: Callable[[], bool], patience_s: float, otherwise: str) -> None:
        """Waits until ``holds``, which is asked after each event and each chunk sent.

        Raises ``TimedOut`` with the text ``otherwise``, and whatever ended the call.
        """
        if not await self._happens(holds, patience_s):
            raise TimedOut(f"{otherwise} within {patience_s:g} s")

    async def _happens(self, holds: Callable[[], bool], within_s: float) -> bool:
        try:
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(lambda: self._hung_up is not None or holds())
        except TimeoutError:
            return False
        if self._hung_up is not None:
            raise self._hung_up
        return True

    def _answered(self, since: float, until: float) -> bool:
        replies = self._replies_since(since)
        return all(reply.over for reply in replies) and any(
            reply.gave_something and reply.done_at is not None and reply.done_at >= until
            for reply in replies
        )

    def _replies_since(self, since: float) -> list[HeardReply]:
        return [reply for reply in self.ear.replies if reply.started_at >= since]

    async def _guard(self, work: AsyncIterator[None]) -> None:
        """Wakes whoever waits after each step of the work, and after its end."""
        failure: AntiphonError = ConnectionLost(1000, "the session has ended")
        try:
            async for _ in work:
                async with self._changed:
                    self._changed.notify_all()
        except AntiphonError as error:
            failure = error
        async with self._changed:
            self._hung_up = self._hung_up or failure
            self._changed.notify_all()

    async def _listen(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        async for event in self._line:
            self.ear.hear(event, loop.time())
            if self._witness is not None:
                self._witness(event)
            yield

    async def _speak_forever(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        encoding = self._line.input_encoding
        size = encoding.size(CHUNK_MS)
        silence = bytes([SILENT_BYTE[encoding.name]]) * size
        due = loop.time()
        while True:
            chunk = self._next_chunk(size, due) or silence
            due += CHUNK_MS / 1000
            # A chunk leaves when its last sample has been spoken. After a delay of this
            # machine the next ones follow at once, until the acoustic clock is reached.
            await asyncio.sleep(due - loop.time())
            await self._line.send_audio(chunk.ljust(size, silence[:1]))
            if self._pending and self._position >= len(self._pending[0].samples):
                self._pending.popleft().sent = True
                self._position = 0
            yield

    def _next_chunk(self, size: int, now: float) -> bytes:
        if not self._pending:
            return b""
        speech = self._pending[0]
        if self._position == 0:
            speech.started_at = now
        chunk = speech.samples[self._position : self._position + size]
        self._position += size
        return chunk
