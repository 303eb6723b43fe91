"""What a call leaves behind, as it happens: one record for each thing that must not be lost.

Records of one session are numbered from 0 without a gap (``seq``). A record is durable before
what it says is told to the client: ``Recorder.record`` answers with a future, and the outbox
holds the frame until it is done. Times named ``_ms`` count from ``session.ready``; ``at`` is
Unix seconds.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal, Protocol

from msgspec import Struct

from antiphon_server.conversation.vocabulary import Trigger

Trouble = Literal["client", "reply", "provider"]
"""What a client's message was refused with; why a reply broke off, or what it had to apologise
for; an attempt of a provider that failed, or that another one took over.
"""


class Record(Struct, frozen=True, tag_field="kind", kw_only=True):
    """Something that happened in a session."""

    seq: int
    at: float


class Started(Record, frozen=True, kw_only=True, tag="started"):
    """The first update was accepted. ``config`` is the public echo, without secrets."""

    account: str
    key_id: str | None
    agent_id: str | None
    config: dict[str, Any]
    webhook: bytes | None = None
    """The inline webhook, sealed (``security.secrets``)."""


class Reconfigured(Record, frozen=True, kw_only=True, tag="reconfigured"):
    """A later update was accepted."""

    at_ms: int
    config: dict[str, Any]


class UserSaid(Record, frozen=True, kw_only=True, tag="user_said"):
    """A turn of the user, final. ``spoken`` is false for a ``conversation.message``."""

    item_id: str
    text: str
    started_ms: int | None = None
    ended_ms: int | None = None
    spoken: bool = True


SpokenWord = tuple[str, int, int]
"""A word, and the ``_ms`` at which it begins and ends."""


class AgentSaid(Record, frozen=True, kw_only=True, tag="agent_said"):
    """A reply, over; also one of which nothing was heard (``text`` is empty)."""

    reply_id: str
    item_id: str
    trigger: Trigger
    status: Literal["completed", "interrupted"]
    text: str
    method: Literal["timed", "estimated", "written"]
    """How it is known which words were heard: the provider's times, estimates, or no sound."""
    instructions: str | None = None
    started_ms: int
    sounded_ms: int | None = None
    """The first audio that was sent."""
    ended_ms: int
    time_to_first_audio_ms: float | None = None
    unheard: str = ""
    """What was written of it beyond ``text``."""
    words: tuple[SpokenWord, ...] = ()
    """Those whose times were told; the first as many as ``text`` has were heard."""
    stages: dict[str, float] = {}
    """Milliseconds of each stage of the turn, by the names of ``call.timeline``."""
    providers: dict[str, str] = {}
    """Who served each stage."""
    models: dict[str, str] = {}
    """With which model, where that is known."""
    reasons: dict[str, str] = {}
    """Why, of stages that several could have served."""


class ToolCalled(Record, frozen=True, kw_only=True, tag="tool_called"):
    """The model called a tool in a reply."""

    reply_id: str
    call_id: str
    name: str
    arguments: dict[str, Any]
    at_ms: int


class ToolReturned(Record, frozen=True, kw_only=True, tag="tool_returned"):
    """A call's one result; also a refusal of its arguments, and its absence in time."""

    call_id: str
    result: str
    is_error: bool
    timed_out: bool
    at_ms: int


class Troubled(Record, frozen=True, kw_only=True, tag="troubled"):
    """Something went wrong."""

    at_ms: int
    source: Trouble
    code: str
    message: str
    stage: str | None = None
    provider: str | None = None
    reply_id: str | None = None
    """The reply that was open."""


class Used(Record, frozen=True, kw_only=True, tag="used"):
    """What was used since the last record of this kind, for billing."""

    connected_seconds: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    characters: int = 0
    """Characters given to text-to-speech."""


class Ended(Record, frozen=True, kw_only=True, tag="ended"):
    """The session is over; nothing follows."""

    reason: str
    """Ours: `client_ended`, `client_left`, `expired`, `failed`, `lost` (the process died)."""
    public_reason: str
    """The wire's: `client_end`, `participant_disconnected`, `max_duration`, `error`."""
    duration_seconds: float
    audio_seconds: float | None
    """Microphone audio; None where the process that counted it died."""
    recording: dict[str, Any] | None = None
    """Where the audio is and what it holds, where the session was recorded."""


AnyRecord = (
    Started
    | Reconfigured
    | UserSaid
    | AgentSaid
    | ToolCalled
    | ToolReturned
    | Troubled
    | Used
    | Ended
)


class Recorder(Protocol):
    """Where records go."""

    def record(self, session_id: str, record: AnyRecord) -> asyncio.Future[None]:
        """Takes a record, at once and in order; the future is done once it is durable."""
        ...
