"""The live sessions of a node: each runs by itself, and sockets come and go."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable

import structlog
from msgspec import Struct, field

from antiphon_protocol.errors import (
    InternalError,
    ProtocolError,
    SessionExpired,
    SessionForbidden,
    SessionNotFound,
)
from antiphon_server.call.dialect import Socket
from antiphon_server.call.live import Live
from antiphon_server.call.session import Session
from antiphon_server.dialects.voice_agent import VoiceAgent

log = structlog.get_logger()

REMEMBERED = 10_000
"""Sessions of which it is known why they cannot be resumed; older ones were just not found."""
REMEMBERED_SECONDS = 3_600.0
SHUTDOWN_SECONDS = 3.0
MOST_PROOFS = 8
"""Resume tokens of a session, of which none is known to have arrived."""


class Call(Struct):
    """A session on its own, and who may resume it."""

    session: Session
    dialect: VoiceAgent
    task: asyncio.Task[None]
    account: str | None = None
    """Known once the session has opened."""
    proofs: list[bytes] = field(default_factory=list)
    """Of its resume tokens, oldest first: all but the newest until that has arrived."""


class _Gone(Struct, frozen=True):
    account: str | None
    expired: bool
    at: float


class Calls:
    """Sessions by id, and the resume tokens that are proof of one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._live: dict[str, Call] = {}
        self._proofs: dict[bytes, str] = {}
        self._gone: OrderedDict[str, _Gone] = OrderedDict()

    def start(self, session: Session, dialect: VoiceAgent, socket: Socket) -> Call:
        """A session begins, on its first socket."""
        task = asyncio.get_running_loop().create_task(
            self._run(session, dialect, socket), name=f"session-{session.session_id}"
        )
        call = Call(session, dialect, task)
        self._live[session.session_id] = call
        return call

    async def _run(self, session: Session, dialect: VoiceAgent, socket: Socket) -> None:
        try:
            await session.run(dialect, socket)
        except Exception:
            log.exception("call broke", session=session.session_id)
            await socket.close(1011)
        finally:
            self._forget(session)

    def _forget(self, session: Session) -> None:
        call = self._live.pop(session.session_id)
        self._distrust(call, len(call.proofs))
        if session.is_open:
            gone = _Gone(call.account, session.has_expired, self._clock())
            self._gone[session.session_id] = gone
        while len(self._gone) > REMEMBERED:
            self._gone.popitem(last=False)

    def trust(self, session: Session, resume_token: str) -> Callable[[], None]:
        """From now on this token is proof of the session too; once what is given back is
        called, no earlier one is.
        """
        call = self._live[session.session_id]
        proof = _digest(resume_token)
        self._proofs[proof] = session.session_id
        call.proofs.append(proof)
        self._distrust(call, len(call.proofs) - MOST_PROOFS)

        def arrived() -> None:
            if proof in call.proofs:
                self._distrust(call, call.proofs.index(proof))

        return arrived

    def _distrust(self, call: Call, count: int) -> None:
        """The oldest so many tokens are good for nothing any more."""
        for _ in range(count):
            del self._proofs[call.proofs.pop(0)]

    def proven(self, presented: str | None) -> str | None:
        """The session of which a credential is the resume token; None for any other."""
        return None if presented is None else self._proofs.get(_digest(presented))

    def of_account(self, account: str) -> list[Live]:
        """An account's sessions that go on, as its operator sees them."""
        return [
            call.session.live()
            for call in self._live.values()
            if call.account == account and call.session.is_open
        ]

    def find(self, session_id: str, account: str | None, proven: str | None) -> Call:
        """The session that an account, or a resume token, may resume.

        Raises ``SessionNotFound``, ``SessionExpired`` and ``SessionForbidden``.
        """
        call = self._live.get(session_id)
        owns = proven == session_id
        if call is not None and call.session.has_expired and (owns or call.account == account):
            raise SessionExpired
        if call is None or not call.session.is_resumable:
            raise self._why(session_id, account)
        if not owns and (account is None or call.account != account):
            raise SessionForbidden
        return call

    def _why(self, session_id: str, account: str | None) -> ProtocolError:
        gone = self._gone.get(session_id)
        recent = gone is not None and self._clock() - gone.at < REMEMBERED_SECONDS
        if gone is not None and recent and gone.expired and gone.account == account:
            return SessionExpired()
        return SessionNotFound()

    async def close(self) -> None:
        """Ends every session, and returns once their ends are on record; each client is told."""
        for call in list(self._live.values()):
            if call.session.is_open:
                call.session.shut_down()
            else:
                call.dialect.refuse(InternalError())
        tasks = [call.task for call in self._live.values()]
        if tasks:
            await asyncio.wait(tasks, timeout=SHUTDOWN_SECONDS)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
