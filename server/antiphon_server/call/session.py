"""One call, from hello to goodbye.

``notice`` is the only door in: it runs ``machine.step`` and has the performer do what that says,
at once and in order. The one TaskGroup holds the ears, the reply, the tools and the writer of
the socket; everything ends with it. A session outlives its socket: ``lost`` and ``take_over``
are what happens to one.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn

import structlog

from antiphon_protocol.errors import AudioTooFast, InvalidAudio, ProtocolError, SessionNotFound
from antiphon_server.call.chronicle import Chronicle, Durable, Owner
from antiphon_server.call.dialect import Dialect, Frame, Socket
from antiphon_server.call.ears import Clean, Ears, HearingManners
from antiphon_server.call.journal import Journal
from antiphon_server.call.live import Live, Watch
from antiphon_server.call.outbox import ClientStalled, Outbox
from antiphon_server.call.pace import AudioAllowance
from antiphon_server.call.performer import Doors, Performer
from antiphon_server.call.services import AudioTracks, Services
from antiphon_server.call.settings import CallSettings
from antiphon_server.call.sockets import SocketDoors, Sockets
from antiphon_server.call.sound import is_container
from antiphon_server.call.timeline import Timeline
from antiphon_server.call.tracing import CallTrace
from antiphon_server.conversation import machine
from antiphon_server.conversation import vocabulary as v
from antiphon_server.conversation.states import Over
from antiphon_server.observe import metrics

log = structlog.get_logger()


class Session:
    """A call. ``run`` it; the dialect and the edge use the other public methods."""

    def __init__(self, session_id: str, services: Services, settings: CallSettings) -> None:
        self.session_id = session_id
        self.settings = settings
        self.owner = Owner()
        self.now = services.clock
        self.freed: Callable[[], None] = lambda: None
        """Is called once it takes no room any more; a recording may still be kept then."""
        self.timeline = Timeline(services.clock, services.names)
        self.trace: CallTrace | None = None
        """Of a session that is traced; given before it runs."""
        self._services = services
        self._log = log.bind(session=session_id)
        self._state, _ = machine.begin(settings.manners)
        self._watch = Watch(session_id, self._state, services.clock)
        self._events: deque[v.Event] = deque()
        self._noticing = False
        self._outbox = Outbox(services.clock)
        self._sockets = Sockets(
            self._outbox,
            SocketDoors(self._spawn, self._audio_sent, self.lost, self.break_off),
        )
        self._chronicle = Chronicle(session_id, services.recorder, services.clock)
        self._performer: Performer | None = None
        self._journal: Journal | None = None
        self._recording: AudioTracks | None = None
        self._ears: Ears | None = None
        self._clean: Clean | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._over = asyncio.Event()
        self._ending: v.Ending | None = None
        self._opened_at = self.now()
        self._allowance = AudioAllowance(self.now())

    # --- a life --------------------------------------------------------------------------

    async def run(self, dialect: Dialect, socket: Socket) -> None:
        """The whole call, over this socket and those that ``take_over`` from it."""
        doors = Doors(self.notice, self.tell, self._spawn, self._finish)
        self._performer = Performer(
            self.session_id, self._services, dialect, self._outbox, self._chronicle, doors,
            self.timeline,
        )  # fmt: skip
        self._performer.traced(self.trace)
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self._sockets.connect(socket, dialect)
                await self._over.wait()
                await self._sockets.leave()
                _end_tasks()
        except* _Over:
            pass
        finally:
            self._release()
        await self._sockets.close()
        if self._recording is not None:
            await self._recording.finish()
            await self._recording.keep()

    def open(
        self,
        settings: CallSettings,
        owner: Owner,
        config: dict[str, Any],
        services: Services | None = None,
    ) -> Durable:
        """The first update was accepted: listen from now on.

        ``config`` is the public configuration, for the record; ``services`` are the call's own,
        where its agent has some, on the node's clock.
        """
        self.settings, self.owner = settings, owner
        self._opened_at = self.now()
        performer = self._performing()
        performer.settings = settings
        self._services = services or self._services
        if settings.converses:
            self._services = self._services.conversing(lambda: self.settings.voice)
        self.timeline.providers = self._services.names
        performer.services = self._services
        hearing = self._hearing(settings)
        self._ears = performer.ears = Ears(
            self._services.hearing, hearing, self.notice, self.timeline
        )
        if not settings.input_text:
            self._spawn(self._unbroken(self._ears.run()), "ears")
        metrics.SESSIONS.inc()
        metrics.SESSIONS_STARTED.inc()
        performer.log.info("session started", **self._services.names)
        if self.trace is not None:
            self.timeline.trace_id = self.trace.opened(owner.agent_id, self._services.names)
        if self._services.recording is not None:
            make = self._services.recording
            self._recording = make(self.session_id, settings.input, settings.output)
            performer.hushed = self._recording.hush
        if self._services.journal is not None:
            self._journal = Journal(self._services.journal(self.session_id), self.now)
        # The longest time of the session is known with its settings.
        for command in machine.begin(settings.manners)[1]:
            performer.perform(command)
        return self._chronicle.opened(owner, config)

    def greet(self) -> None:
        """The client was told that the session is ready."""
        self.notice(v.SessionOpened(greets=bool(self.settings.greeting)))

    def live(self) -> Live:
        """As its operator sees it now."""
        return self._watch.look(self.owner.agent_id, self._chronicle, self._services.names)

    def refused(self, error: ProtocolError) -> None:
        """The client is told that a message of its was refused."""
        if self.is_open and not self.is_over:
            self._performing().troubles.refused(error.code, error.message)

    @property
    def has_expired(self) -> bool:
        """Whether it ended because it had lasted as long as it may."""
        return self._ending == "expired"

    @property
    def is_open(self) -> bool:
        """Whether the first update was accepted."""
        return self._ears is not None

    @property
    def is_resumable(self) -> bool:
        """Whether another socket may take it over."""
        return self.is_open and not self.is_over and bool(self.settings.manners.resume_ms)

    @property
    def is_over(self) -> bool:
        """Whether the last frames are on their way; nothing follows them."""
        return self._over.is_set()

    def configure(self, settings: CallSettings, config: dict[str, Any]) -> None:
        """A later update was accepted: it counts from now on."""
        self.settings = self._performing().settings = settings
        self._chronicle.reconfigured(config)
        if self._ears is not None:
            self._ears.change(self._hearing(settings))

    # --- from the client -----------------------------------------------------------------

    def hear(self, raw: bytes) -> None:
        """Microphone audio; before the session is open it is discarded.

        Raises ``AudioTooFast``, now and then, while audio comes faster than it may, and
        ``InvalidAudio`` where the session's input is text.
        """
        if self._ears is None or self._over.is_set():
            return
        if self.settings.input_text:
            if self._allowance.should_tell(self.now()):
                raise InvalidAudio("This session's input is text; audio is not heard")
            return
        if not self._ears.received_seconds and is_container(raw):
            raise InvalidAudio("Audio data must be raw samples, not a WAV or MP3 file")
        seconds = self.settings.input.ms(len(raw)) / 1000
        if self._allowance.admits(seconds, self.now()):
            self._ears.hear(raw)
            if self._recording is not None:
                self._recording.user(raw, self.now())
        elif self._allowance.should_tell(self.now()):
            raise AudioTooFast("Audio came faster than real time for too long; it was dropped")

    def add_message(self, role: str, text: str) -> None:
        """A ``conversation.message``. Raises ``InvalidValue`` where it would be too much."""
        self._performing().add_message(role, text)

    def answer_tool(self, call_id: str, result: str, *, is_error: bool) -> None:
        """A tool's result; one for an unknown or answered call, or for one that is the
        server's to run, is ignored.
        """
        self._performing().tools.answered_by_client(call_id, result, is_error=is_error)

    def tell(self, frames: list[Frame], durable: Durable = None) -> None:
        """Sends frames, in order. A client that leaves too much unread has lost its socket."""
        if self.is_over:
            return
        try:
            for frame in frames:
                self._outbox.tell(frame, durable)
        except ClientStalled:
            self._log.warning("client does not read")
            if (socket := self._sockets.current) is not None:
                self._sockets.cut(socket)
                self.lost(socket)

    def refuse(self, frames: list[Frame], code: int) -> None:
        """Ends a session that never opened, or must not go on, with these last frames."""
        if self.is_open:
            self._finish(v.HangUp("failed"), frames, code)
        elif not self._over.is_set():
            self._sockets.close_code = code
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
                self._step(self._events.popleft())
        except Exception:  # noqa: BLE001
            self.break_off()
        finally:
            self._noticing = False

    def _step(self, event: v.Event) -> None:
        if self.is_over:
            return
        manners = self.settings.manners
        self._state, commands = machine.step(self._state, event, manners)
        self._watch.stepped(self._state)
        if self._journal is not None:
            self._journal.stepped(event, manners, commands)
        for command in commands:
            self._performing().perform(command)

    # --- sockets -------------------------------------------------------------------------

    def holds(self, socket: Socket) -> bool:
        """Whether this is the socket over which the session is spoken to."""
        return self._sockets.current is socket

    def lost(self, socket: Socket) -> None:
        """A socket is gone; the client may come back on another one."""
        # One that is over is saying its goodbye, and closes the socket itself.
        if not self.holds(socket) or self.is_over:
            return
        self._sockets.drop()
        if self._ears is None:
            self._over.set()
            return
        self._ears.hush()
        metrics.SESSIONS_DETACHED.inc()
        self._performing().log.info("socket lost")
        self.notice(v.ClientDropped())

    def take_over(self, socket: Socket, last_seq: int | None) -> None:
        """The client is back on a new socket, which is the session's from now on.

        ``last_seq``: the newest committed event the client says it has. Raises
        ``SessionNotFound`` where the session is over.
        """
        if not self.is_resumable:
            raise SessionNotFound
        dialect = self._performing().dialect
        if (old := self._sockets.current) is not None:
            self._sockets.fence(old, dialect)
            self.lost(old)
        metrics.SESSIONS_DETACHED.dec()
        self._performing().log.info("session resumed")
        self._outbox.reconnect(dialect.returned(), last_seq, dialect.again)
        self._sockets.connect(socket, dialect)
        self.notice(v.ClientReturned())

    def _audio_sent(self, reply: int, audio: bytes, playing_at: float) -> None:
        if self._recording is not None:
            self._recording.agent(audio, playing_at)
        self._performing().sounded(reply)

    # --- the end -------------------------------------------------------------------------

    def shut_down(self) -> None:
        """The server stops: a session that is open is over, as if by a fault."""
        self._finish(v.HangUp("failed"))

    def break_off(self) -> None:
        """A fault of ours must neither leave this call stuck nor reach another one."""
        self._log.exception("session broke")
        self._events.clear()
        if self._performer is not None:
            self._finish(v.HangUp("failed"))

    async def _unbroken(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception:  # noqa: BLE001
            self.break_off()

    def _finish(
        self, command: v.HangUp, frames: list[Frame] | None = None, code: int = 1011
    ) -> None:
        if self._over.is_set():
            return
        performer = self._performing()
        seconds = self.now() - self._opened_at
        heard = self._ears.received_seconds if self._ears is not None else 0.0
        if frames is None:
            frames, code = performer.dialect.goodbye(command.ending, seconds, heard)
        self._sockets.close_code, self._ending = code, command.ending
        ended: Durable = None
        if self.is_open:
            performer.hush()
            ended = self._chronicle.ended(command.ending, heard, None)
            metrics.SESSIONS.dec()
            if self._sockets.current is None:
                metrics.SESSIONS_DETACHED.dec()
            metrics.SESSIONS_ENDED.labels(command.ending).inc()
            performer.log.info("session ended", ending=command.ending, seconds=round(seconds, 3))
            if self.trace is not None:
                self.trace.closed(command.ending)
        with contextlib.suppress(ClientStalled):
            for frame in frames:
                self._outbox.tell(frame, ended)
        self._state = Over(self._state.books)
        self._over.set()

    def _release(self) -> None:
        self.freed()
        if self._performer is not None:
            self._performer.timers.stop_all()
        if self._ears is not None:
            self._ears.close()
        if self._journal is not None:
            self._journal.close()

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

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        if self._tasks is None:
            raise RuntimeError("a session opens while it runs")
        context = self._performing().troubles.context()
        return self._tasks.create_task(work, name=name, context=context)

    def _performing(self) -> Performer:
        if self._performer is None:
            raise RuntimeError("a session speaks while it runs")
        return self._performer


class _Over(Exception):
    """Ends the TaskGroup."""


def _end_tasks() -> NoReturn:
    raise _Over
