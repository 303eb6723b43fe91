"""One call, from hello to goodbye.

``notice`` is the only door in: it runs ``machine.step`` and ``_perform``s what that says, at
once and in order. The one TaskGroup holds the reader and the writer of the socket, the ears and
the reply; everything ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import structlog

from antiphon_protocol.errors import AudioTooFast
from antiphon_server.call.dialect import Dialect, Socket
from antiphon_server.call.ears import Clean, Ears, HearingManners
from antiphon_server.call.outbox import ClientStalled, Outbox, Playback
from antiphon_server.call.pace import AudioAllowance
from antiphon_server.call.reply import Reply, ReplyDoors, Task
from antiphon_server.call.services import Services
from antiphon_server.call.settings import CallSettings
from antiphon_server.call.timeline import Timeline
from antiphon_server.call.timers import Timers
from antiphon_server.call.tools import ToolLedger
from antiphon_server.conversation import machine
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.heard import TimedWord
from antiphon_server.conversation.memory import Memory
from antiphon_server.conversation.states import Over
from antiphon_server.observe import metrics

log = structlog.get_logger()

GOODBYE_SECONDS = 2.0
"""How long the last messages may take to be sent."""


class Session:
    """A call over one socket. ``run`` it; the dialect uses the other public methods."""

    def __init__(
        self, session_id: str, socket: Socket, services: Services, settings: CallSettings
    ) -> None:
        self.session_id = session_id
        self.settings = settings
        self.now = services.clock
        self.timeline = Timeline(services.clock, services.names)
        self._socket = socket
        self._services = services
        self._dialect: Dialect | None = None
        self._turns = 0
        self._log = log.bind(session=session_id, turn=self._turns)
        self._state, self._first = machine.begin(settings.manners)
        self._events: deque[v.Event] = deque()
        self._noticing = False
        self._timers = Timers(services.clock, self._wait_over)
        self._outbox = Outbox(services.clock)
        self._memory = Memory()
        self._tools = ToolLedger(self._memory)
        self._ears: Ears | None = None
        self._clean: Clean | None = None
        self._reply: Reply | None = None
        self._replying: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._over = asyncio.Event()
        self._ending: tuple[list[str], int] | None = None
        self._opened_at = self.now()
        self._allowance = AudioAllowance(self.now())

    # --- doors ---------------------------------------------------------------------------

    async def run(self, dialect: Dialect, read: Callable[[], Any]) -> None:
        """The whole call: ``read`` feeds the dialect with frames until the client is gone."""
        self._dialect = dialect
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                tasks.create_task(self._read(read), name="read")
                writer = tasks.create_task(self._write(dialect), name="write")
                await self._over.wait()
                self._outbox.close()
                await asyncio.wait([writer], timeout=GOODBYE_SECONDS)
                _end_tasks()
        except* _Over:
            pass
        finally:
            self._release()
        if self._ending is not None:
            await self._socket.close(self._ending[1])

    def open(self, settings: CallSettings) -> None:
        """The first update was accepted: listen, and greet where there is a greeting."""
        self.settings = settings
        self._opened_at = self.now()
        self._ears = Ears(
            self._services.hearing, self._hearing(settings), self.notice, self.timeline
        )
        self._spawn(self._unbroken(self._ears.run()), "ears")
        metrics.SESSIONS.inc()
        metrics.SESSIONS_STARTED.inc()
        self._log.info("session started", **self._services.names)
        for command in self._first:
            self._perform(command)
        self.notice(v.SessionOpened(greets=bool(settings.greeting)))

    @property
    def is_open(self) -> bool:
        """Whether the first update was accepted."""
        return self._ears is not None

    @property
    def is_over(self) -> bool:
        """Whether the last frames are on their way; nothing follows them."""
        return self._over.is_set()

    def configure(self, settings: CallSettings) -> None:
        """A later update was accepted: it counts from now on."""
        self.settings = settings
        if self._ears is not None:
            self._ears.change(self._hearing(settings))

    def hear(self, raw: bytes) -> None:
        """Microphone audio; before the session is open it is discarded.

        Raises ``AudioTooFast``, now and then, while audio comes faster than it may.
        """
        if self._ears is None or self._over.is_set():
            return
        seconds = self.settings.input.ms(len(raw)) / 1000
        if self._allowance.admits(seconds, self.now()):
            self._ears.hear(raw)
        elif self._allowance.should_tell(self.now()):
            raise AudioTooFast("Audio came faster than real time for too long; it was dropped")

    def tell(self, frames: list[str]) -> None:
        """Sends frames, in order. A client that leaves too much unread has left."""
        if self.is_over:
            return
        try:
            for frame in frames:
                self._outbox.tell(frame)
        except ClientStalled:
            self._log.warning("client does not read")
            self.notice(v.ClientLeft())

    def add_message(self, role: str, text: str) -> None:
        """A ``conversation.message``."""
        self._memory.message_added(role, text)

    def answer_tool(self, call_id: str, result: str, *, is_error: bool) -> None:
        """A tool's result; one for an unknown or answered call is ignored."""
        if self._tools.answered(call_id, result, is_error=is_error):
            self.notice(v.ToolAnswered(call_id))

    def refuse(self, frames: list[str], code: int) -> None:
        """Ends a session that never opened, or must not go on, with these last frames."""
        if self.is_open:
            self._finish(v.HangUp("failed"), frames, code)
        elif not self._over.is_set():
            self._ending = (frames, code)
            self.tell(frames)
            self._over.set()

    def notice(self, event: v.Event) -> None:
        """Something happened."""
        self._events.append(event)
        if self._noticing:
            return
        self._noticing = True
        try:
            while self._events:
                state, commands = machine.step(
                    self._state, self._events.popleft(), self.settings.manners
                )
                self._state = state
                for command in commands:
                    self._perform(command)
        except Exception:  # noqa: BLE001
            self._break()
        finally:
            self._noticing = False

    # --- commands ------------------------------------------------------------------------

    def _perform(self, command: v.Command) -> None:  # noqa: C901, PLR0912
        dialect = self._said_through()
        match command:
            case v.Wait():
                self._timers.start(command.timer, command.ms)
            case v.StopWaiting():
                self._timers.stop(command.timer)
            case v.TellSpeechStarted():
                self.tell(dialect.speech_started())
            case v.TellWords():
                self.tell(dialect.words(command.text))
            case v.TellSpeechStopped():
                self.tell(dialect.speech_stopped())
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
                self._log.warning("reply failed", **_fields(command.failure))
                self.tell(dialect.reply_failed(command.reply, command.failure))
            case v.TellToolCall():
                self.tell(dialect.tool_call(self._tools.called(command.reply, command.call_id)))
            case v.TimeOutTool():
                self._tools.timed_out(command.call_id)
            case v.HangUp():
                self._finish(command)

    def _wait_over(self, timer: str, late: float) -> None:
        self.timeline.hearing.timer_late = late
        self.notice(v.WaitOver(timer))
        self.timeline.hearing.timer_late = 0.0

    def _take_turn(self, text: str) -> None:
        metrics.TURNS.inc()
        self._turns += 1
        self._log = self._log.bind(turn=self._turns)
        self._memory.user_said(text)
        self.tell(self._said_through().user_said(text))
        self._listening().forget()

    def _start_reply(self, command: v.StartReply) -> None:
        dialect = self._said_through()
        self.tell(dialect.reply_started(command.reply, command.trigger))
        settings = self.settings
        clock = self.timeline.reply_started(command.reply, command.trigger)
        playback = Playback(command.reply, settings.output, self._services.audio_lead_ms)
        doors = ReplyDoors(
            self._outbox, self.now, self.notice, self._tools.made, self._tell_agent_words
        )
        reply = Reply(self._services.speaking, settings, clock, playback, doors)
        self._reply = reply
        self._outbox.begin(playback)
        work = self._run_reply(reply, self._task(command))
        self._replying = self._spawn(work, f"reply-{reply.number}")

    def _task(self, command: v.StartReply) -> Task:
        if command.trigger == "greeting":
            return Task(text=self.settings.greeting)
        tools = tuple(tool.spec for tool in self.settings.tools) if command.tools else ()
        notes = self.settings.notes_on(self._tools.outcomes())
        instructions = "\n".join((*notes, *filter(None, (command.instructions,)))) or None
        prompt = self._memory.prompt(
            self.settings.system_prompt, instructions, tools, self.session_id
        )
        return Task(prompt=prompt)

    async def _run_reply(self, reply: Reply, task: Task) -> None:
        try:
            await reply.run(task)
        except Exception:  # noqa: BLE001 (a provider's fault of any kind ends one reply only)
            self._log.exception("reply broke", reply=reply.number)
            failure = v.Failure("internal_error", "The reply broke off")
            self.notice(v.ReplyFailed(reply.number, failure))

    def _end_reply(self, *, interrupted: bool) -> None:
        reply, task = self._reply, self._replying
        if reply is None or task is None:
            return
        self._reply = self._replying = None
        heard, played_ms = reply.heard, reply.playback.played_ms(self.now())
        text = heard.text if reply.playback.is_finished else heard.until(played_ms)
        if task is not asyncio.current_task():
            task.cancel()
        self._outbox.hush(reply.number)
        self._memory.agent_said(reply.number, text)
        metrics.AUDIO_OUT.inc(reply.playback.sent_ms / 1000)
        status = "interrupted" if interrupted else "completed"
        metrics.REPLIES.labels(reply.clock.trigger, status).inc()
        if interrupted and text:
            metrics.INTERRUPTIONS.inc()
        self.tell(self._said_through().reply_ended(reply.number, text, interrupted=interrupted))

    def _tell_agent_words(self, reply: int, words: list[TimedWord], last: bool) -> None:
        if self._reply is not None and self._reply.number == reply:
            self.tell(self._said_through().agent_words(reply, words, last=last))

    def _audio_sent(self, number: int) -> None:
        reply = self._reply
        if reply is None or reply.number != number or reply.clock.sent is not None:
            return
        reply.clock.sent = self.now()
        self.notice(v.ReplySounded(number))
        stages = self.timeline.observe(reply.clock)
        trigger = reply.clock.trigger
        self._log.info("reply sounded", reply=number, trigger=trigger, **stages)
        self.tell(self._said_through().turn_timed(number, trigger, stages, self._services.names))

    # --- the socket ----------------------------------------------------------------------

    async def _read(self, read: Callable[[], Any]) -> None:
        """Drains the socket without ever waiting for anything else."""
        await self._unbroken(read())
        self._leave()

    async def _write(self, dialect: Dialect) -> None:
        try:
            await self._outbox.run(self._socket.send, dialect.audio, self._audio_sent)
        except (ClientStalled, ConnectionError):
            self._leave()

    # --- the end -------------------------------------------------------------------------

    def _leave(self) -> None:
        if self.is_open:
            self.notice(v.ClientLeft())
        self._over.set()

    async def _unbroken(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001
            self._break()

    def _break(self) -> None:
        """A fault of ours must neither leave this call stuck nor reach another one."""
        self._log.exception("session broke")
        self._events.clear()
        self._finish(v.HangUp("failed"))

    def _finish(self, command: v.HangUp, frames: list[str] | None = None, code: int = 1011) -> None:
        if self._over.is_set():
            return
        dialect = self._said_through()
        seconds = self.now() - self._opened_at
        heard = self._ears.received_seconds if self._ears is not None else 0.0
        if frames is None:
            frames, code = dialect.goodbye(command.ending, seconds, heard)
        self._ending = (frames, code)
        if command.ending != "client_left":
            with contextlib.suppress(ClientStalled):
                for frame in frames:
                    self._outbox.tell(frame)
        if self._reply is not None:
            self._outbox.hush(self._reply.number)
        if self.is_open:
            metrics.SESSIONS.dec()
            metrics.SESSIONS_ENDED.labels(command.ending).inc()
            self._log.info("session ended", ending=command.ending, seconds=round(seconds, 3))
        self._state = Over(self._state.books)
        self._over.set()

    def _release(self) -> None:
        self._timers.stop_all()
        if self._ears is not None:
            self._ears.close()

    # --- parts that exist once the session runs ------------------------------------------

    def _hearing(self, settings: CallSettings) -> HearingManners:
        make = self._services.noise_suppression
        if settings.voice_focus and self._clean is None and make is not None:
            self._clean = make()
        return HearingManners(
            settings.input,
            settings.vad_threshold,
            settings.manners.pause_ms,
            settings.hearing,
            self._clean if settings.voice_focus else None,
        )

    def _spawn(self, work: Any, name: str) -> asyncio.Task[None]:
        if self._tasks is None:
            raise RuntimeError("a session opens while it runs")
        return self._tasks.create_task(work, name=name)

    def _listening(self) -> Ears:
        if self._ears is None:
            raise RuntimeError("a session hears once it is open")
        return self._ears

    def _said_through(self) -> Dialect:
        if self._dialect is None:
            raise RuntimeError("a session speaks while it runs")
        return self._dialect


class _Over(Exception):
    """Ends the TaskGroup."""


def _end_tasks() -> NoReturn:
    raise _Over


def _fields(failure: v.Failure) -> dict[str, Any]:
    return {name: value for name in failure.__struct_fields__ if (value := getattr(failure, name))}
