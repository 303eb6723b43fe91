"""One socket of the voice agent's wire, from its first frame to its last.

A socket begins a session with its first update, or takes one over with ``session.resume``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from antiphon_protocol import voice_agent as wire
from antiphon_protocol.errors import (
    POLICY_VIOLATION,
    AgentNotFound,
    ProtocolError,
    Unauthorized,
)
from antiphon_protocol.session_config import SessionConfig
from antiphon_server.call.chronicle import Owner
from antiphon_server.call.pace import MessageAllowance
from antiphon_server.call.session import Session
from antiphon_server.call.tracing import CallTrace
from antiphon_server.dialects import voice_agent
from antiphon_server.dialects.call_settings import CallTimes, call_settings
from antiphon_server.dialects.wording import Terms
from antiphon_server.edge.node import Node
from antiphon_server.edge.socket import AsgiSocket
from antiphon_server.observe import metrics
from antiphon_server.security.admission import Admission

AT_ONCE = 16
"""Messages that are taken before others have a turn, when many have come."""


class Visitor:
    """Who is on the other side, by the credential that was presented."""

    def __init__(
        self,
        presented: str | None,
        admission: Admission | None,
        traceparent: str | None = None,
    ) -> None:
        self.presented = presented
        self.traceparent = traceparent
        """Which trace the call belongs to, by whoever opened the socket."""
        self.admission = admission
        """None for a resume token."""


class Connection:
    """A socket, and the session that it holds. It is the host of the session it begins."""

    def __init__(self, node: Node, socket: AsgiSocket, visitor: Visitor, terms: Terms) -> None:
        self._node = node
        self._socket = socket
        self._visitor = visitor
        settings = call_settings(SessionConfig(""), CallTimes(terms.session_seconds * 1000))
        self._session = Session(voice_agent.session_id(), node.services, settings)
        if node.traces is not None:
            trace = node.traces.begin(visitor.traceparent)
            self._session.trace = CallTrace(trace, self._session.session_id, self._session.now)
        dialect = voice_agent.VoiceAgent(self._session, terms, self)
        self._call = node.calls.start(self._session, dialect, socket)
        self._loop = asyncio.get_running_loop()
        self._allowance = MessageAllowance(self._loop.time())
        self._release: Callable[[], None] | None = None
        """Gives back providers of the agent's own, until the session has them."""

    async def serve(self) -> None:
        """Reads until the socket is closed by either side; the session may live on."""
        self._socket.offer(self._hear)
        reading = self._loop.create_task(self._read(), name="read")
        closed = self._loop.create_task(self._socket.ended(), name="closed")
        try:
            await asyncio.wait({reading, closed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._call.session.lost(self._socket)
            self._give_back()
            for task in (reading, closed):
                task.cancel()
            await asyncio.gather(reading, closed, return_exceptions=True)

    async def _read(self) -> None:
        """Drains the socket; waits for nothing else but what an update has to look up, and for
        its pace.
        """
        limit = self._node.settings.first_message_seconds
        taken = 0
        try:
            async with asyncio.timeout(limit) as deadline:
                while (frame := await self._socket.receive()) is not None:
                    await self._take(frame)
                    taken += 1
                    seconds = self._allowance.wait(len(frame), self._loop.time())
                    if seconds or taken % AT_ONCE == 0:
                        await asyncio.sleep(seconds)
                    if self._call.session.is_open and deadline.when() is not None:
                        deadline.reschedule(None)
        except TimeoutError:
            await self._socket.close(POLICY_VIOLATION)
        except Exception:  # noqa: BLE001
            self._call.session.break_off()
            # It says so and closes the socket; whoever returns here first would cut it off.
            await self._socket.ended()

    def _hear(self, frame: str) -> bool:
        """Takes a frame of audio as it comes; anything else, and what comes too fast, is read
        (False).
        """
        session, now = self._call.session, self._loop.time()
        if self._allowance.is_spent(now) or not session.holds(self._socket):
            return False
        try:
            if not self._call.dialect.hear(frame):
                return False
        except Exception:  # noqa: BLE001
            session.break_off()
        self._allowance.wait(len(frame), now)
        return True

    async def _take(self, frame: str | bytes) -> None:
        call = self._call
        if not call.session.holds(self._socket):
            return
        asked = await call.dialect.receive(frame)
        if asked is None:
            return
        try:
            self._resume(asked)
        except ProtocolError as error:
            metrics.RESUMES.labels(error.code).inc()
            call.dialect.refuse(error)

    def _resume(self, asked: wire.ResumeSession) -> None:
        """Takes a session over. No await: of several that try, each is whole, the last wins."""
        visitor = self._visitor
        account = None if visitor.admission is None else visitor.admission.account
        # Not what it was when the socket opened: another one may have been faster.
        proven = self._node.calls.proven(visitor.presented)
        if account is None and proven != asked.session_id:
            raise Unauthorized
        found = self._node.calls.find(asked.session_id, account, proven)
        self._spend()
        # What was prepared for a new session is not needed.
        self._call.session.lost(self._socket)
        self._call = found
        last_seq = asked.last_seq if isinstance(asked.last_seq, int) else None
        found.session.take_over(self._socket, last_seq)
        metrics.RESUMES.labels("resumed").inc()

    def _spend(self) -> None:
        visitor = self._visitor
        if visitor.admission is None:
            return
        if not self._node.keys.spend(visitor.presented, visitor.admission):
            raise Unauthorized

    # --- as the host of a session --------------------------------------------------------

    async def bind(self, agent_id: str) -> voice_agent.Bound:
        """A stored agent of the caller's account. Raises ``AgentNotFound``."""
        admission = self._visitor.admission
        if admission is None:
            raise Unauthorized
        bound = await self._node.bind(admission.account, agent_id)
        if bound is None:
            raise AgentNotFound
        self._give_back()
        self._release = bound.release
        return bound

    def _give_back(self) -> None:
        if self._release is not None:
            self._release()
        self._release = None

    async def seal(self, webhook: Any) -> bytes:
        """An inline webhook, checked and sealed. Raises ``InvalidWebhook``."""
        return await self._node.seal_webhook(self._session.session_id, webhook)

    def admit(self, agent_id: str | None, webhook: bytes | None) -> Owner:
        """Takes room for the session, until it ends.

        Raises ``AtCapacity``, ``ConcurrencyExceeded`` and ``Unauthorized``.
        """
        admission = self._visitor.admission
        if admission is None:
            raise Unauthorized
        room = self._node.enter(admission)
        try:
            self._spend()
        except ProtocolError:
            room.leave()
            raise
        self._call.account = admission.account
        release, self._release = self._release, None

        def free() -> None:
            room.leave()
            if release is not None:
                release()

        self._session.freed = free
        return Owner(admission.account, admission.key_id, agent_id, webhook)

    def trust(self, resume_token: str) -> Callable[[], None]:
        """From now on this token is proof of the session too; once what is given back is
        called, no earlier one is.
        """
        return self._node.calls.trust(self._session, resume_token)
