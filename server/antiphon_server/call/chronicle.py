"""A session's records, numbered and timed as they happen.

What is said to the client may be held until the record of it is durable: each method answers
with the future of its record, or None where nothing is recorded.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar

from msgspec import Struct

from antiphon_providers.interfaces import ToolUse
from antiphon_server.call import records
from antiphon_server.call.records import AnyRecord, Recorder
from antiphon_server.conversation.vocabulary import Ending

Durable = asyncio.Future[None] | None
R = TypeVar("R", bound=records.Record)

PUBLIC_REASONS: dict[Ending, str] = {
    "client_ended": "client_end",
    "client_left": "participant_disconnected",
    "expired": "max_duration",
    "failed": "error",
}
"""What the wire calls an ending (voice agent protocol, section 6.3; the last two are ours)."""

USAGE_SECONDS = 10.0
"""How much connected time a process that dies may lose."""


MOST_TROUBLES = 100
"""Of a session: a client that sends nonsense without end is not worth more."""
MOST_TROUBLE_CHARACTERS = 1_000


class Owner(Struct, frozen=True):
    """Whose session it is."""

    account: str = ""
    key_id: str | None = None
    agent_id: str | None = None
    webhook: bytes | None = None


class SoFar(Struct):
    """What a session that goes on has come to."""

    began_at: float = 0.0
    """Unix seconds."""
    turns: int = 0
    """Replies that are over."""
    interruptions: int = 0
    last_user: str | None = None
    last_agent: str | None = None
    """What was heard."""
    response_ms: float | None = None
    """Of the last reply to speech."""


class Chronicle:
    """What one session leaves behind. ``now`` gives seconds that never run backwards."""

    def __init__(
        self, session_id: str, recorder: Recorder | None, now: Callable[[], float]
    ) -> None:
        self._session_id = session_id
        self._recorder = recorder
        self._now = now
        self._opened_at = now()
        self._counted_at = now()
        self._seq = 0
        self._ticking: asyncio.TimerHandle | None = None
        self._troubles = 0
        self.so_far = SoFar()

    def ms(self, moment: float) -> int:
        """Milliseconds from ``session.ready`` to a moment of the session's clock."""
        return round(1000 * (moment - self._opened_at))

    def opened(self, owner: Owner, config: dict[str, Any]) -> Durable:
        """The first update was accepted; connected time counts from here."""
        self._opened_at = self._counted_at = self._now()
        self.so_far.began_at = time.time()
        self._tick_later()
        return self._record(
            records.Started,
            account=owner.account,
            key_id=owner.key_id,
            agent_id=owner.agent_id,
            config=config,
            webhook=owner.webhook,
        )

    def reconfigured(self, config: dict[str, Any]) -> Durable:
        """A later update was accepted."""
        return self._record(records.Reconfigured, at_ms=self.ms(self._now()), config=config)

    def user_said(
        self, item_id: str, text: str, spoken: tuple[float | None, float | None] | None
    ) -> Durable:
        """A turn of the user; ``spoken`` is when the voice began and ended, None for text."""
        began, ended = spoken or (None, None)
        self.so_far.last_user = text
        return self._record(
            records.UserSaid,
            item_id=item_id,
            text=text,
            started_ms=None if began is None else self.ms(began),
            ended_ms=None if ended is None else self.ms(ended),
            spoken=spoken is not None,
        )

    def agent_said(self, **said: Any) -> Durable:
        """A reply is over; the fields of ``records.AgentSaid``."""
        so_far, text = self.so_far, said["text"]
        so_far.turns += 1
        so_far.interruptions += bool(text) and said["status"] == "interrupted"
        so_far.last_agent = text or so_far.last_agent
        if said["trigger"] == "user_speech" and said["sounded_ms"] is not None:
            so_far.response_ms = said["time_to_first_audio_ms"]
        return self._record(records.AgentSaid, **said)

    def tool_called(self, reply_id: str, use: ToolUse) -> Durable:
        """The model called a tool."""
        return self._record(
            records.ToolCalled,
            reply_id=reply_id,
            call_id=use.call_id,
            name=use.name,
            arguments=use.arguments,
            at_ms=self.ms(self._now()),
        )

    def tool_returned(
        self, call_id: str, result: str, *, is_error: bool, timed_out: bool = False
    ) -> Durable:
        """A call has its one result."""
        return self._record(
            records.ToolReturned,
            call_id=call_id,
            result=result,
            is_error=is_error,
            timed_out=timed_out,
            at_ms=self.ms(self._now()),
        )

    def troubled(
        self,
        source: records.Trouble,
        code: str,
        message: str,
        *,
        stage: str | None = None,
        provider: str | None = None,
        reply_id: str | None = None,
    ) -> None:
        """Something went wrong; nobody waits for the record."""
        self._troubles += 1
        if self._troubles > MOST_TROUBLES:
            return
        self._record(
            records.Troubled,
            at_ms=self.ms(self._now()),
            source=source,
            code=code,
            # A vendor's words may be no text that UTF-8 can carry.
            message=message[:MOST_TROUBLE_CHARACTERS].encode("utf-8", "replace").decode(),
            stage=stage,
            provider=provider,
            reply_id=reply_id,
        )

    def used(self, prompt_tokens: int = 0, completion_tokens: int = 0, characters: int = 0) -> None:
        """Tokens and characters, with the connected seconds since this was last counted."""
        now = self._now()
        seconds, self._counted_at = now - self._counted_at, now
        self._record(
            records.Used,
            connected_seconds=round(seconds, 3),
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            characters=characters,
        )

    def ended(
        self, ending: Ending, audio_seconds: float, recording: dict[str, Any] | None
    ) -> Durable:
        """The session is over."""
        if self._ticking is not None:
            self._ticking.cancel()
        self.used()
        durable = self._record(
            records.Ended,
            reason=ending,
            public_reason=PUBLIC_REASONS[ending],
            duration_seconds=round(self._now() - self._opened_at, 3),
            audio_seconds=round(audio_seconds, 3),
            recording=recording,
        )
        # A tool may still answer while the goodbye is sent: nothing follows the end.
        self._recorder = None
        return durable

    def _tick_later(self) -> None:
        if self._recorder is not None:
            loop = asyncio.get_running_loop()
            self._ticking = loop.call_later(USAGE_SECONDS, self._tick)

    def _tick(self) -> None:
        self.used()
        self._tick_later()

    def _record(self, kind: type[R], **fields: Any) -> Durable:
        if self._recorder is None:
            return None
        record: AnyRecord = kind(seq=self._seq, at=time.time(), **fields)  # type: ignore[assignment]
        self._seq += 1
        return self._recorder.record(self._session_id, record)
