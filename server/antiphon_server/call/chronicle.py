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


class Owner(Struct, frozen=True):
    """Whose session it is."""

    account: str = ""
    key_id: str | None = None
    agent_id: str | None = None
    webhook: bytes | None = None


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

    def ms(self, moment: float) -> int:
        """Milliseconds from ``session.ready`` to a moment of the session's clock."""
        return round(1000 * (moment - self._opened_at))

    def opened(self, owner: Owner, config: dict[str, Any]) -> Durable:
        """The first update was accepted; connected time counts from here."""
        self._opened_at = self._counted_at = self._now()
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
