"""Sessions as they were: the records, and the artifacts they left.

Source: voice agent protocol, section 6.3. In ``timeline`` and ``metadata`` lists that are empty
are left out, and what is not known is null.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from msgspec import Struct

from antiphon_protocol.rest import Page
from antiphon_protocol.units import one_of, says

SessionStatus = Literal["created", "completed"]
SESSION_STATUSES: tuple[SessionStatus, ...] = get_args(SessionStatus)

ArtifactKind = Literal["audio", "timeline", "metadata"]
ARTIFACT_CONTENT_TYPES: dict[ArtifactKind, str] = {
    "audio": "audio/ogg",
    "timeline": "application/json",
    "metadata": "application/json",
}
ARTIFACT_LINK_SECONDS = 3600

AUDIO_FORMAT = "ogg/opus"
AUDIO_LAYOUT = "stereo (left=user, right=agent)"

_MS = "Milliseconds from `session.ready`"

# --- sessions ------------------------------------------------------------------------------


class SessionSummary(Struct, frozen=True, kw_only=True):
    """A session in a list."""

    id: Annotated[str, says("As in `session.ready`.")]
    agent_id: Annotated[str | None, says("The stored agent it ran with, if any.")]
    status: Annotated[
        str, one_of("`created` while it is live, `completed` after.", SESSION_STATUSES)
    ]
    public_close_reason: Annotated[str | None, says("How it ended, such as `client_end`.")]
    duration_seconds: Annotated[float | None, says("From ready to its end; null before.")]
    created_at: Annotated[datetime, says("When it began: RFC 3339, UTC.")]
    ended_at: Annotated[datetime | None, says("When it ended: RFC 3339, UTC.")]


class SessionList(Page, frozen=True):
    """The answer of ``GET /v1/sessions``."""

    sessions: Annotated[tuple[SessionSummary, ...], says("Newest first.")] = ()


class SessionArtifact(Struct, frozen=True, kw_only=True):
    """Something a session left, behind a link that needs no credential."""

    type: Annotated[str, one_of("What it is.", tuple(ARTIFACT_CONTENT_TYPES))]
    url: Annotated[str, says("Good for an hour, or until the session is deleted.")]
    content_type: Annotated[str, says("Of what the link leads to.")]


class SessionDetail(SessionSummary, frozen=True, kw_only=True):
    """The answer of ``GET /v1/sessions/{id}``."""

    config: Annotated[
        dict[str, Any], says("The session's configuration, as `session.updated` last told it.")
    ]
    artifacts: Annotated[
        tuple[SessionArtifact, ...],
        says("What it left, once it has ended; `audio` where it was recorded."),
    ]


# --- the timeline --------------------------------------------------------------------------


class TimelineToolCall(Struct, frozen=True, kw_only=True):
    """A tool call, and what came of it; without a result while it is null."""

    call_id: Annotated[str, says("As in `tool.call`.")]
    name: Annotated[str, says("The tool.")]
    arguments: Annotated[dict[str, Any], says("As the model wrote them.")]
    result: Annotated[str | None, says("As the client or the tool's server told it.")]
    dispatched_at_ms: Annotated[int, says(f"{_MS} to the call.")]
    result_received_at_ms: Annotated[int | None, says(f"{_MS} to the result.")]
    duration_ms: Annotated[int | None, says("From the call to the result.")]
    is_error: Annotated[bool, says("Whether the result says that the tool failed.")]
    timed_out: Annotated[bool, says("Whether there was none in time.")]
    parallel_call_id: Annotated[
        str | None, says("The same for calls that were made side by side; null for one alone.")
    ]


class TimelineTurn(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the user said, and the reply to it; either may be missing."""

    turn_id: Annotated[str, says("The reply, as in `reply.started`; without one, the item.")]
    item_id: Annotated[str | None, says("The reply's item; without a reply, the user's.")]
    status: Annotated[str, one_of("How the reply ended.", ("completed", "interrupted"))]
    trigger: Annotated[
        str,
        one_of("Why there is one.", ("greeting", "user_speech", "tool_result", "reply_create")),
    ]
    requested_instructions: Annotated[str | None, says("Of `reply.create`.")]
    user_transcript: Annotated[str | None, says("What the user said; null where nothing was.")]
    user_speech_started_at_ms: Annotated[int | None, says(f"{_MS}; null for a message.")]
    user_speech_ended_at_ms: Annotated[int | None, says(f"{_MS}; null for a message.")]
    user_confidence: Annotated[float | None, says("Null: the recognisers here give none.")]
    agent_text: Annotated[str | None, says("What was heard of the reply; null for nothing.")]
    agent_reply_started_at_ms: Annotated[
        int | None, says(f"{_MS} to the first audio, or to the first text of a text session.")
    ]
    agent_reply_ended_at_ms: Annotated[int | None, says(f"{_MS}; null where it was silent.")]
    interrupted_at_ms: Annotated[int | None, says(f"{_MS}; null where it was not interrupted.")]
    time_to_first_audio_ms: Annotated[
        float | None, says("From the end of the user's speech, or from the reply's start.")
    ]
    tool_calls: Annotated[tuple[TimelineToolCall, ...], says("In order; left out for none.")] = ()


class ConfigChange(Struct, frozen=True, kw_only=True):
    """A later `session.update`."""

    at_ms: Annotated[int, says(f"{_MS}.")]
    config: Annotated[dict[str, Any], says("The configuration from then on.")]


class TimelineEnd(Struct, frozen=True, kw_only=True):
    """How the session ended."""

    reason: Annotated[
        str,
        one_of(
            "In the words of the hosted timeline, as far as those are known.",
            (
                "user_initiated",
                "participant_disconnected",
                "max_duration_reached",
                "internal_error",
                "server_lost",
            ),
        ),
    ]
    public_reason: Annotated[str, says("As in `public_close_reason`.")]
    duration_seconds: Annotated[float, says("From ready to the end.")]


class SessionTimeline(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The artifact `timeline`."""

    session_id: Annotated[str, says("The session.")]
    started_at_unix_ms: Annotated[int, says("`session.ready`, from which all times count.")]
    ended: Annotated[TimelineEnd | None, says("How it ended.")]
    turns: Annotated[tuple[TimelineTurn, ...], says("By time; left out for none.")] = ()
    config_changes: Annotated[tuple[ConfigChange, ...], says("Left out for none.")] = ()


class SessionMetadata(Struct, frozen=True, kw_only=True):
    """The artifact `metadata`: what the recording holds; null where there is none."""

    session_id: Annotated[str, says("The session.")]
    started_at: Annotated[datetime, says("RFC 3339, UTC.")]
    ended_at: Annotated[datetime | None, says("RFC 3339, UTC.")]
    format: Annotated[str | None, one_of("Container and codec.", (AUDIO_FORMAT,))]
    channels: Annotated[int | None, says("Always 2.")]
    channel_layout: Annotated[str | None, one_of("Who is where.", (AUDIO_LAYOUT,))]
    sample_rate: Annotated[int | None, says("Samples per second.")]
    file: Annotated[str | None, says("The audio's name.")]
    uploaded_chunks: Annotated[
        int | None, says("Pieces of audio in it; null too where a crash lost the count.")
    ]
    dropped_chunks: Annotated[int | None, says("Pieces that could not be written.")]
    duration_seconds: Annotated[float | None, says("Of the audio. An extension.")]
    incomplete: Annotated[bool | None, says("Whether audio is missing. An extension.")]
