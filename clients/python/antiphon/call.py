"""One call: what the program says to it, and what happens in it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Literal, TypeVar, Unpack, overload

from antiphon.delivered import Delivered
from antiphon.errors import (
    FATAL_CODES,
    AntiphonError,
    ConnectionLost,
    InternalError,
    SessionError,
    TimedOut,
    error_of,
)
from antiphon.events import Dropped, Event, Resumed, SessionErrorEvent, event_of
from antiphon.inbox import Inbox
from antiphon.line import Line
from antiphon.resume import TERMINAL_CODES
from antiphon.settings import SessionSettings, session_update
from antiphon.tools import Tool, ToolOptions, Tools
from antiphon_protocol import codec
from antiphon_protocol.audio import Encoding, encoding_of
from antiphon_protocol.errors import ProtocolError
from antiphon_protocol.session_config import SessionConfig
from antiphon_protocol.voice_agent import (
    AddMessage,
    CancelReply,
    ClientMessage,
    CreateReply,
    EndSession,
    GiveToolResult,
    ReplyDone,
    ReplyStarted,
    SessionEnded,
    SessionReady,
    SessionUpdated,
    ToolCall,
    UpdateSession,
)

Function = TypeVar("Function", bound=Callable[..., Any])

GOODBYE_S = 5.0
"""How long ``end`` waits for ``session.ended``; the hosted service takes about 0.2 s."""

PIECE_MS = 1000
"""Longest audio message sent; base64 of a second stays far below any frame limit."""

_log = logging.getLogger("antiphon")


class Call:
    """An open session. Made by ``antiphon.connect``, never by hand.

    ``session_id``, ``resume_token`` and ``expires_at`` (Unix seconds) come from
    ``session.ready``; ``config`` is the configuration in effect, kept up to date; ``ended``
    is the ``session.ended`` event once there was one; ``resumes`` counts how often the call
    came back after its socket was lost.

    Iterate it to learn what happens. The iteration ends with the session. It raises a
    ``SessionError`` for what the server closes the session over, and ``ConnectionLost`` when
    the socket closes without a goodbye and the call cannot come back; any other
    ``session.error`` is an event.
    """

    def __init__(self, line: Line, ready: SessionReady, tools: Tools) -> None:
        self.tools = tools
        self.ended: SessionEnded | None = None
        self.resumes = 0
        self.resume_token = ready.resume_token
        self.session_id = ready.session_id
        self.expires_at = ready.expires_at
        self.config: SessionConfig = ready.config
        self._line = line
        self._delivered = Delivered()
        self._replying: str | None = None
        self._inbox = Inbox()
        self._over = asyncio.Event()
        self._work: set[asyncio.Task[None]] = set()
        self._announcing: asyncio.Task[None] | None = None
        self._reader = asyncio.create_task(self._listen(), name="antiphon-reader")

    @property
    def input_encoding(self) -> Encoding:
        """What ``send_audio`` must be given."""
        return encoding_of(self.config.input.format)

    @property
    def output_encoding(self) -> Encoding:
        """What the samples of ``ReplyAudio`` are."""
        return encoding_of(self.config.output.format)

    # --- what happens ----------------------------------------------------------------

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self._inbox.take()) is not None:
            yield event

    # --- what is said ----------------------------------------------------------------

    async def send_audio(self, samples: bytes) -> None:
        """Sends microphone audio in the input encoding, any amount, at about the pace at
        which it is spoken; silence too. While the line is down it is dropped.

        Raises ``ConnectionLost`` once the call is over.
        """
        piece = self.input_encoding.size(PIECE_MS)
        for start in range(0, len(samples), piece):
            await self._line.send_now(codec.encode_input_audio(samples[start : start + piece]))

    async def create_reply(self, instructions: str | None = None) -> None:
        """Asks for a reply now, without waiting for the user to speak.

        ``instructions`` steer this reply only.
        """
        await self._send(CreateReply(instructions))

    async def say(self, text: str) -> None:
        """Asks the agent to say this text, word for word; it interrupts what it is saying."""
        await self.create_reply(f"Say exactly the following, and nothing else: {text}")

    async def add_message(self, role: Literal["user", "system"], content: str) -> None:
        """Adds to the history; the model reads it before its next reply."""
        await self._send(AddMessage(role, content))

    async def update(self, **settings: Unpack[SessionSettings]) -> None:
        """Changes settings during the call; those not named stay.

        Answered by a ``SessionUpdated`` event, or by a ``SessionErrorEvent`` if the server
        refuses, in which case nothing changed. Raises ``TypeError`` for an unknown setting.
        """
        await self._send(UpdateSession(session_update(settings)))

    async def cancel_reply(self, reply_id: str) -> None:
        """Stops a reply; one that is over is left alone."""
        await self._send(CancelReply(reply_id))

    async def give_tool_result(self, call_id: str, result: str, *, is_error: bool = False) -> None:
        """Answers a ``ToolCall`` for which no function is registered. It arrives even if the
        line is down now, or was lost with it.
        """
        await self._line.send_surely(codec.encode(GiveToolResult(call_id, result, is_error)))

    async def end(self, timeout_s: float = GOODBYE_S) -> SessionEnded:
        """Says goodbye and waits for ``session.ended``.

        Raises ``TimedOut`` when it does not come in time, ``ConnectionLost`` when the socket
        closes instead.
        """
        await self._inbox.overflow()
        if self.ended is None:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._send(EndSession())
                    self._line.stay_away()
                    await self._over.wait()
            except TimeoutError:
                raise TimedOut(f"no session.ended within {timeout_s:g} s") from None
        if self.ended is None:
            raise self._line.lost()
        return self.ended

    # --- tools -----------------------------------------------------------------------

    @overload
    def tool(self, function: Function, /) -> Function: ...

    @overload
    def tool(
        self, function: None = None, /, **options: Unpack[ToolOptions]
    ) -> Callable[[Function], Function]: ...

    def tool(
        self, function: Function | None = None, /, **options: Unpack[ToolOptions]
    ) -> Function | Callable[[Function], Function]:
        """Offers the decorated function to the model from now on; see ``antiphon.Tools``."""

        def decorate(decorated: Function) -> Function:
            self.tools.add(decorated, **options)
            self._announce_tools()
            return decorated

        return decorate if function is None else decorate(function)

    def _announce_tools(self) -> None:
        """Tells the server, once for all functions decorated in one go."""
        if self._announcing is None or self._announcing.done():
            self._announcing = self._start(self._send_tools())

    async def _send_tools(self) -> None:
        # Cleared first: what is decorated while the message is on its way needs another one.
        self._announcing = None
        await self._send(UpdateSession(session_update({}, self.tools.declarations())))

    async def _answer(self, tool: Tool, called: ToolCall) -> None:
        outcome = await tool.call(called.arguments)
        await self.give_tool_result(called.call_id, outcome.text, is_error=outcome.is_error)

    # --- the socket ------------------------------------------------------------------

    def _start(self, work: Any) -> asyncio.Task[None]:
        """Runs work that belongs to the call and is cancelled with it."""

        async def until_lost() -> None:
            with suppress(ConnectionLost):
                await work

        task = asyncio.create_task(until_lost())
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

    async def _send(self, message: ClientMessage) -> None:
        await self._line.send(codec.encode(message))

    async def _listen(self) -> None:
        """Reads one socket after the other until the session is over; the only reader."""
        failure: AntiphonError | None = None
        try:
            while self.ended is None:
                broken = await self._read()
                if self.ended is not None:
                    break
                if not self._line.may_resume:
                    raise broken or self._line.lost()
                await self._come_back(broken)
        except AntiphonError as error:
            failure = error
        self._line.end()
        self._over.set()
        await self._inbox.close(failure)

    async def _read(self) -> InternalError | None:
        """Reads a socket until it is lost; the server's fault, where it said so before."""
        try:
            async for frame in self._line.frames():
                await self._receive(frame)
        except InternalError as error:
            return error
        return None

    async def _come_back(self, broken: InternalError | None) -> None:
        """Resumes on a new socket. Raises why that cannot be."""
        lost, since = self._line.lost(), asyncio.get_running_loop().time()
        await self._inbox.put(Dropped(lost.close_code))
        if self._replying is not None:
            await self._take(ReplyDone(reply_id=self._replying, status="interrupted"))
        try:
            back = await self._line.resume(self._delivered.last_seq)
        except SessionError as error:
            if broken is None and error.code in TERMINAL_CODES:
                raise
            raise (broken or lost) from error
        except AntiphonError as error:
            raise (broken or lost) from error
        self.resumes += 1
        self.resume_token, self.expires_at = back.ready.resume_token, back.ready.expires_at
        self.config = back.ready.config
        await self._inbox.put(Resumed(asyncio.get_running_loop().time() - since))
        for event in back.before:
            await self._take(event)

    async def _receive(self, frame: str | bytes) -> None:
        try:
            event = event_of(frame, asyncio.get_running_loop().time())
        except ProtocolError as error:
            _log.warning("skipped a message that cannot be read: %s", error)
            return
        if isinstance(event, SessionErrorEvent) and event.code in FATAL_CODES:
            raise error_of(event)
        await self._take(event)

    async def _take(self, event: Event) -> None:
        # Before the first resume nothing is sent twice on purpose, and nothing is held back.
        if not self._delivered.is_new(event) and self.resumes:
            return
        self._notice(event)
        await self._inbox.put(event)

    def _notice(self, event: Event) -> None:
        if isinstance(event, SessionUpdated):
            self.config = event.config
        elif isinstance(event, ReplyStarted):
            self._replying = event.reply_id
        elif isinstance(event, ReplyDone):
            self._replying = None
        elif isinstance(event, ToolCall):
            tool = self.tools.find(event.name)
            if tool is not None:
                self._start(self._answer(tool, event))
        elif isinstance(event, SessionEnded):
            self.ended = event
            self._over.set()

    async def leave(self) -> None:
        """Ends the session if it is still on, and leaves nothing running; always bounded."""
        for task in tuple(self._work):
            task.cancel()
        try:
            if self._line.is_up and not self._over.is_set():
                with suppress(AntiphonError):
                    await self.end(GOODBYE_S)
        finally:
            self._reader.cancel()
            try:
                await asyncio.gather(self._reader, *self._work, return_exceptions=True)
            finally:
                self._line.end()
                await self._line.close()
