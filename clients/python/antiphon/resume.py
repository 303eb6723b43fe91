"""Coming back to a session whose socket was lost (protocol section 4.11)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress

from msgspec import UNSET
from websockets.asyncio.client import ClientConnection

from antiphon.errors import AntiphonError, ConnectionLost, SessionError, TimedOut
from antiphon.handshake import Introduced, introduce
from antiphon_protocol import codec
from antiphon_protocol import errors as wire
from antiphon_protocol.voice_agent import ResumeSession

TRIES = 5
WINDOW_S = 25.0
"""All tries together: the server keeps the session for 30 s by default."""
FIRST_DELAY_S = 0.25
LONGEST_DELAY_S = 5.0
TRY_S = 6.0
"""One try, from the handshake to ``session.ready``."""

NORMAL_CLOSES = (1000, 1001)
"""Somebody meant to go; nobody is to come back."""

TERMINAL_CODES = frozenset(
    kind.code
    for kind in (
        wire.SessionNotFound,
        wire.SessionExpired,
        wire.SessionForbidden,
        wire.Unauthorized,
    )
)
"""Answers after which no further try can succeed."""

Dial = Callable[[str, float], Awaitable[ClientConnection]]
"""Opens a socket with a credential, within so many seconds."""


class Resumption:
    """How to come back: at most ``TRIES`` times, further and further apart, each at a random
    moment, so that the clients of a server that was restarted do not all come at once.
    """

    def __init__(self, dial: Dial) -> None:
        self._dial = dial

    async def resume(self, session_id: str, resume_token: str, last_seq: int) -> Introduced:
        """The session on a new socket. ``last_seq`` is the highest ``seq`` that came, 0 for
        none.

        Raises a ``SessionError`` of one of the ``TERMINAL_CODES`` at once, and what the last
        try failed with after all others.
        """
        hello = codec.encode(ResumeSession(session_id, last_seq or UNSET))
        failure: AntiphonError = ConnectionLost(None, "there was no time to resume")
        with suppress(TimeoutError):
            async with asyncio.timeout(WINDOW_S):
                for number in range(TRIES):
                    longest = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2**number)
                    # Chance spreads the load here; it keeps no secret.
                    await asyncio.sleep(random.uniform(0, longest))  # noqa: S311
                    try:
                        return await self._try(hello, resume_token)
                    except SessionError as error:
                        if error.code in TERMINAL_CODES:
                            raise
                        failure = error
                    except AntiphonError as error:
                        failure = error
        raise failure

    async def _try(self, hello: str, resume_token: str) -> Introduced:
        try:
            async with asyncio.timeout(TRY_S):
                socket = await self._dial(resume_token, TRY_S)
                return await introduce(socket, hello, TRY_S)
        except TimeoutError:
            raise TimedOut(f"the session was not resumed within {TRY_S:g} s") from None
