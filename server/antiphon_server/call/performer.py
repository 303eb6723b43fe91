"""Does what the conversation says: one method for each command, and nothing is decided here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import structlog
from msgspec import Struct
from msgspec.structs import replace

from antiphon_protocol.errors import InvalidValue
from antiphon_providers.interfaces import ToolUse
from antiphon_server.call.chronicle import Chronicle, Durable
from antiphon_server.call.dialect import Dialect, Frame
from antiphon_server.call.ears import Ears
from antiphon_server.call.mouth import Mouth, Said
from antiphon_server.call.outbox import Outbox
from antiphon_server.call.recounting import Told, recounted
from antiphon_server.call.reply import ReplyDoors, Task
from antiphon_server.call.services import Services
from antiphon_server.call.settings import CallSettings
from antiphon_server.call.timeline import Timeline
from antiphon_server.call.timers import Timers
from antiphon_server.call.toolbox import Toolbox
from antiphon_server.call.tracing import CallTrace, Served
from antiphon_server.call.troubles import Troubles
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.heard import TimedWord
from antiphon_server.conversation.memory import Memory
from antiphon_server.observe import metrics

log = structlog.get_logger()

MOST_ADDED_CHARACTERS = 2_000_000
"""Of all ``conversation.message`` of a session: more than any model reads, and each reply is
told all of them.
"""


class Tell(Protocol):
    """How frames are sent."""

    def __call__(self, frames: list[Frame], durable: Durable = None) -> None:
        """In order, once ``durable`` is done."""
        ...


class Doors(Struct, frozen=True):
    """How the performer reaches the session."""

    notice: Callable[[v.Event], None]
    tell: Tell
    spawn: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]
    finish: Callable[[v.HangUp], None]


class Performer:
    """The hands of one session. ``ears`` come with the first update."""

    def __init__(
        self,
        session_id: str,
        services: Services,
        dialect: Dialect,
        outbox: Outbox,
        chronicle: Chronicle,
        doors: Doors,
        timeline: Timeline,
    ) -> None:
        self.dialect = dialect
        self.settings = CallSettings()
        self.ears: Ears | None = None
        self.hushed: Callable[[float], None] = lambda _at: None
        """Is told when a reply is cut off: what was sent of it is not all heard."""
        self.timers = Timers(services.clock, self._wait_over)
        self.services = services
        """The call's own from its first update on, where it has such."""
        self._session_id = session_id
        self._chronicle = chronicle
        self._doors = doors
        self._tell = doors.tell
        self._timeline = timeline
        self._memory = Memory()
        self._turns = 0
        self._may_call = True
        self._added = 0
        self.log = log.bind(session=session_id, turn=self._turns)
        self._withheld: list[tuple[Callable[[], list[Frame]], Durable]] | None = None
        self.trace: CallTrace | None = None
        """Of a session that is traced."""
        self.troubles = Troubles(chronicle, self._open_reply)
        self.tools = Toolbox(
            self._memory, chronicle, doors.notice, doors.spawn, services.http_tools
        )
        reply_doors = ReplyDoors(
            outbox=outbox,
            now=services.clock,
            notice=doors.notice,
            tool_used=self._tool_used,
            words_timed=self._words_timed,
            words_shown=self._words_shown,
        )
        self._mouth = Mouth(timeline, outbox, reply_doors, doors.spawn)

    def perform(self, command: v.Command) -> None:  # noqa: C901, PLR0912
        """Does it, now."""
        dialect = self.dialect
        match command:
            case v.Wait():
                self.timers.start(command.timer, command.ms)
            case v.StopWaiting():
                self.timers.stop(command.timer)
            case v.TellSpeechStarted():
                self._timeline.voiced()
                self._mouth.catch_up()
                self._tell(dialect.speech_started())
            case v.TellWords():
                self._tell_words(command.text)
            case v.TellSpeechStopped():
                self._tell(dialect.speech_stopped())
            case v.AskIfDone():
                self._listening().ask_if_done()
            case v.TakeTurn():
                self._take_turn(command.text)
            case v.DropUtterance():
                self._listening().forget()
            case v.StartReply():
                self._start_reply(command)
            case v.EndReply():
                self._end_reply(interrupted=command.interrupted)
            case v.TellReplyFailed():
                self.log.warning("reply failed", **_fields(command.failure))
                reply_id, _ = dialect.names_of(command.reply)
                self.troubles.failed(reply_id, command.failure, self._timeline.providers)
                self._tell(dialect.reply_failed(command.reply, command.failure))
            case v.TellToolCall():
                reply_id, _ = dialect.names_of(command.reply)
                use, recorded = self.tools.call(command, reply_id, self.settings)
                self._tell(dialect.tool_call(use), recorded)
            case v.TimeOutTool():
                self.tools.timed_out(command.call_id)
            case v.WithholdTranscripts():
                self._withheld = []
            case v.ReleaseTranscripts():
                self._release_transcripts()
            case v.HangUp():
                self._doors.finish(command)

    def add_message(self, role: str, text: str) -> None:
        """A ``conversation.message``. Raises ``InvalidValue`` where it would be too much."""
        self._added += len(text)
        if self._added > MOST_ADDED_CHARACTERS:
            self._added -= len(text)
            raise InvalidValue(
                f"The messages of a session may have {MOST_ADDED_CHARACTERS} characters", "content"
            )
        self._memory.message_added(role, text)
        if role == "user":
            self._chronicle.user_said(self.dialect.new_item(), text, None)

    def traced(self, trace: CallTrace | None) -> None:
        """What it does from now on is told there too."""
        self.trace = self.troubles.trace = trace
        if trace is not None:
            self.tools.called, self.tools.returned = trace.tools.called, trace.tools.returned

    def hush(self) -> None:
        """The session is over: nothing more of a reply is sent."""
        said = self._mouth.end(interrupted=True)
        if said is not None:
            self._record_said(said, interrupted=True)
        if self.ears is not None:
            recogniser = self.services.names["speech_to_text"]
            seconds = self.ears.recognised_seconds
            self.services.usage.count("speech_to_text", recogniser, seconds=seconds)

    # --- the user ------------------------------------------------------------------------

    def _wait_over(self, timer: str, late: float) -> None:
        self._timeline.hearing.timer_late = late
        self._doors.notice(v.WaitOver(timer))
        self._timeline.hearing.timer_late = 0.0

    def _take_turn(self, text: str) -> None:
        metrics.TURNS.inc()
        self._turns += 1
        self.log = self.log.bind(turn=self._turns)
        self._memory.user_said(text)
        spoken = (self._timeline.voice_began, self._timeline.hearing.speech_ended)
        if self.trace is not None:
            self.trace.user_said(text)
        item = self.dialect.item()
        said = self._chronicle.user_said(item, text, spoken)
        self._tell_transcript(lambda: self.dialect.user_said(item, text), said)
        self._listening().forget()

    def _tell_words(self, text: str) -> None:
        item = self.dialect.item()
        self._tell_transcript(lambda: self.dialect.words(item, text))

    def _tell_transcript(self, frames: Callable[[], list[Frame]], durable: Durable = None) -> None:
        """Tells the user's words, now or when they are released: frames are made, and numbered,
        when they go.
        """
        if self._withheld is None:
            self._tell(frames(), durable)
        else:
            self._withheld.append((frames, durable))

    def _release_transcripts(self) -> None:
        withheld, self._withheld = self._withheld or [], None
        for frames, durable in withheld:
            self._tell(frames(), durable)

    # --- the agent -----------------------------------------------------------------------

    def _start_reply(self, command: v.StartReply) -> None:
        self._tell(self.dialect.reply_started(command.reply, command.trigger))
        # Providers may be changed while the call goes on.
        self._timeline.providers = self.services.names
        speaking = self.services.speaking
        model = self.settings.language_model or speaking.language_model
        voices = replace(speaking, language_model=model)
        lead_ms = self.services.audio_lead_ms
        # A call that another provider took over keeps its voice.
        voice = replace(self.settings.voice, conversation=self._session_id)
        settings = replace(self.settings, voice=voice)
        self._mouth.start(command, self._task(command), voices, settings, lead_ms)

    def _task(self, command: v.StartReply) -> Task:
        settings = self.settings
        if command.trigger == "greeting":
            return Task(text=settings.greeting)
        if command.apologises:
            return Task(misheard_by=self.services.names["speech_to_text"])
        self._may_call = command.tools
        tools = tuple(tool.spec for tool in settings.tools) if command.tools else ()
        self.tools.instructed(command.instructions)
        notes = [*settings.notes_on(self.tools.outcomes()), *self.tools.notes()]
        instructions = "\n".join((*notes, *filter(None, (command.instructions,)))) or None
        prompt = self._memory.prompt(settings.system_prompt, instructions, tools, self._session_id)
        return Task(prompt=prompt)

    def _open_reply(self) -> str | None:
        reply = self._mouth.reply
        return None if reply is None else self.dialect.names_of(reply)[0]

    def _tool_used(self, reply: int, use: ToolUse) -> None:
        """A model that calls what it was not offered is refused; one whose reply is over may
        still be writing for a moment, and calls nothing.
        """
        if self._mouth.reply != reply:
            return
        settings = self.settings if self._may_call else replace(self.settings, tools=())
        self.tools.used(reply, use, settings)

    def _end_reply(self, *, interrupted: bool) -> None:
        if interrupted:
            self._mouth.catch_up()
        said = self._mouth.end(interrupted=interrupted)
        if said is None:
            return
        if interrupted:
            self.hushed(said.ended)
        recorded = self._record_said(said, interrupted=interrupted)
        frames = self.dialect.reply_ended(said.reply, said.text, interrupted=interrupted)
        self._tell(frames, recorded)

    def _record_said(self, said: Said, *, interrupted: bool) -> Durable:
        self._memory.agent_said(said.reply, said.text)
        reply_id, item_id = self.dialect.names_of(said.reply)
        self._count(said)
        timed = self._timeline.told(said.clock)
        told = Told(reply_id, item_id, timed, self.services.models, self._chronicle.ms)
        recorded = recounted(said, told, interrupted=interrupted)
        if self.trace is not None:
            served = Served(recorded["providers"], recorded["models"])
            self.trace.turn(reply_id, said, served, cut=interrupted)
        return self._chronicle.agent_said(**recorded)

    def _count(self, said: Said) -> None:
        """What the reply used, for the record and for the metrics."""
        spoken = said.spoken
        self._chronicle.used(
            said.prompt_tokens + spoken.prompt_tokens,
            said.completion_tokens + spoken.completion_tokens,
            said.characters,
        )
        # Those that it began with; others may serve by now.
        names, usage = self._timeline.providers, self.services.usage
        usage.count(
            "language_model",
            said.model_provider or names["language_model"],
            prompt_tokens=said.prompt_tokens - said.cached_tokens,
            cached_tokens=said.cached_tokens,
            completion_tokens=said.completion_tokens,
        )
        usage.count("text_to_speech", names["text_to_speech"], characters=said.characters)
        usage.count(
            "speech_to_speech",
            names.get("speech_to_speech", ""),
            prompt_tokens=spoken.prompt_tokens - spoken.cached_tokens,
            cached_tokens=spoken.cached_tokens,
            completion_tokens=spoken.completion_tokens,
        )

    def _words_timed(self, reply: int, words: list[TimedWord], last: bool) -> None:
        if self._mouth.reply == reply:
            self._tell(self.dialect.agent_words(reply, words, last=last))

    def _words_shown(self, reply: int, words: list[str], last: bool) -> None:
        if self._mouth.reply == reply:
            self._tell(self.dialect.agent_text(reply, words, last=last))
            self.sounded(reply)

    def sounded(self, reply: int) -> None:
        """Something of a reply was sent; the first time is noticed and timed."""
        clock = self._mouth.sounded(reply)
        if clock is None:
            return
        self._doors.notice(v.ReplySounded(reply))
        timed = self._timeline.observe(clock)
        self.log.info("reply sounded", reply=reply, trigger=clock.trigger, **timed.stages)
        self._tell(self.dialect.turn_timed(reply, timed))

    def _listening(self) -> Ears:
        if self.ears is None:
            raise RuntimeError("a session hears once it is open")
        return self.ears


def _fields(failure: v.Failure) -> dict[str, Any]:
    return {name: value for name in failure.__struct_fields__ if (value := getattr(failure, name))}
