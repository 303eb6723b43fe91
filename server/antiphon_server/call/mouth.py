"""The agent's side of a call: at most one reply at a time, and what was heard of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Literal

import structlog
from msgspec import Struct

from antiphon_providers.interfaces import Spent
from antiphon_server.call.outbox import Outbox, Playback
from antiphon_server.call.reply import Reply, ReplyDoors, SpeakingServices, Task
from antiphon_server.call.settings import CallSettings
from antiphon_server.call.timeline import ReplyClock, Timeline
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.heard import Heard, TimedWord
from antiphon_server.observe import metrics

log = structlog.get_logger()

Method = Literal["timed", "estimated", "written"]


class Said(Struct, frozen=True):
    """A reply that is over. Times are seconds of the session's clock."""

    reply: int
    trigger: v.Trigger
    text: str
    """What was heard of it."""
    method: Method
    instructions: str | None
    started: float
    sounded: float | None
    ended: float
    clock: ReplyClock
    """All its marks."""
    first_audio_ms: float | None
    prompt_tokens: int
    completion_tokens: int
    characters: int
    cached_tokens: int = 0
    model_provider: str = ""
    """Who wrote it, where several could have."""
    unheard: str = ""
    """What was written of it beyond ``text``."""
    words: tuple[TimedWord, ...] = ()
    """Those whose times were told, from the start of its audio."""
    spoken: Spent = Spent(0, 0)
    """What a model that hears and speaks took for it, beside the above."""


class Mouth:
    """Starts and ends replies; ``spawn`` runs their work."""

    def __init__(
        self,
        timeline: Timeline,
        outbox: Outbox,
        doors: ReplyDoors,
        spawn: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]],
    ) -> None:
        self._timeline = timeline
        self._outbox = outbox
        self._doors = doors
        self._spawn = spawn
        self._reply: Reply | None = None
        self._work: asyncio.Task[None] | None = None
        self._instructions: str | None = None
        self._pace: float | None = None
        """Of the voice, as its last reply showed it."""

    @property
    def reply(self) -> int | None:
        """The number of the reply that is open, if one is."""
        return None if self._reply is None else self._reply.number

    def start(
        self,
        command: v.StartReply,
        task: Task,
        services: SpeakingServices,
        settings: CallSettings,
        lead_ms: float,
    ) -> None:
        """A reply begins."""
        clock = self._timeline.reply_started(command.reply, command.trigger)
        playback = Playback(command.reply, settings.output, lead_ms)
        reply = Reply(services, settings, clock, playback, self._doors)
        reply.sounding.heard = Heard(self._pace)
        self._reply, self._instructions = reply, command.instructions
        self._outbox.begin(playback)
        self._work = self._spawn(self._run(reply, task), f"reply-{reply.number}")

    async def _run(self, reply: Reply, task: Task) -> None:
        try:
            await reply.run(task)
        except Exception:
            # A provider's fault of any kind ends one reply only.
            log.exception("reply broke", reply=reply.number)
            failure = v.Failure("internal_error", "The reply broke off")
            self._doors.notice(v.ReplyFailed(reply.number, failure))

    def sounded(self, number: int) -> ReplyClock | None:
        """Audio of a reply was sent: its clock, once, if it is the current reply's first."""
        reply = self._reply
        if reply is None or reply.number != number or reply.clock.sent is not None:
            return None
        reply.clock.sent = self._timeline.now()
        return reply.clock

    def catch_up(self) -> None:
        """Words that were heard and not told are told, before it is told that they were cut."""
        reply = self._reply
        if reply is not None and not reply.is_text:
            reply.sounding.tell_up_to(_heard(reply, self._timeline.now()))

    def end(self, *, interrupted: bool) -> Said | None:
        """The reply is over; it is stopped if it still runs."""
        reply, work = self._reply, self._work
        if reply is None or work is None:
            return None
        self._reply = self._work = None
        now = self._timeline.now()
        said = self._said(reply, now)
        if reply.heard.ms:
            self._pace = reply.heard.pace
        if work is not asyncio.current_task():
            work.cancel()
        self._outbox.hush(reply.number)
        metrics.AUDIO_OUT.inc(reply.playback.sent_ms / 1000)
        status = "interrupted" if interrupted else "completed"
        metrics.REPLIES.labels(reply.clock.trigger, status).inc()
        if interrupted and said.text:
            metrics.INTERRUPTIONS.inc()
        return said

    def _said(self, reply: Reply, now: float) -> Said:
        clock, spent = reply.clock, reply.writing.spent
        spoken = Spent(0, 0) if reply.answering is None else reply.answering.spent
        fields: dict[str, Any] = {"method": "written", "text": reply.shown}
        if not reply.is_text:
            fields = {"text": _heard(reply, now), "method": reply.heard.method}
            fields["words"] = tuple(reply.sounding.told)
        fields["unheard"] = _rest(reply.heard.text, fields["text"])
        hearing = clock.hearing
        since = clock.started if hearing is None or hearing.speech_ended is None else None
        begun = since if since is not None or hearing is None else hearing.speech_ended
        first = None if clock.sent is None or begun is None else 1000 * (clock.sent - begun)
        return Said(
            reply=reply.number,
            trigger=clock.trigger,
            instructions=self._instructions,
            started=clock.started,
            sounded=clock.sent,
            ended=now,
            clock=clock,
            first_audio_ms=None if first is None else round(first, 3),
            prompt_tokens=spent.prompt_tokens,
            completion_tokens=spent.completion_tokens,
            characters=reply.reading.characters,
            cached_tokens=spent.cached_tokens,
            spoken=spoken,
            model_provider="" if clock.chosen is None else clock.chosen.provider,
            **fields,
        )


def _heard(reply: Reply, now: float) -> str:
    """What of a reply's text was out by now."""
    if reply.playback.is_finished:
        return reply.heard.text
    return reply.heard.until(reply.playback.played_ms(now))


def _rest(written: str, heard: str) -> str:
    """What was written after the words that were heard."""
    return " ".join(written.split()[len(heard.split()) :])
