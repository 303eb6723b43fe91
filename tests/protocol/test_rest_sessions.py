"""The shapes of sessions and artifacts."""

from __future__ import annotations

import msgspec

from antiphon_protocol.rest_sessions import (
    ARTIFACT_CONTENT_TYPES,
    SESSION_STATUSES,
    SessionDetail,
    SessionList,
    SessionMetadata,
    SessionTimeline,
    TimelineToolCall,
    TimelineTurn,
)


def _fields(struct: type[msgspec.Struct]) -> set[str]:
    return set(struct.__struct_fields__)


def test_a_session_has_the_fields_of_the_hosted_one() -> None:
    """Section 6.3, in the list and alone."""
    assert _fields(SessionList) == {"sessions", "has_more", "response_metadata"}
    assert _fields(SessionDetail) == {
        "id",
        "agent_id",
        "status",
        "public_close_reason",
        "duration_seconds",
        "created_at",
        "ended_at",
        "config",
        "artifacts",
    }
    assert SESSION_STATUSES == ("created", "completed")


def test_the_artifacts_have_the_fields_of_the_hosted_ones() -> None:
    """Section 6.3; metadata has two more."""
    assert _fields(SessionTimeline) == {
        "session_id",
        "started_at_unix_ms",
        "turns",
        "config_changes",
        "ended",
    }
    assert _fields(TimelineTurn) == {
        "turn_id",
        "item_id",
        "status",
        "trigger",
        "requested_instructions",
        "user_transcript",
        "user_speech_started_at_ms",
        "user_speech_ended_at_ms",
        "user_confidence",
        "agent_text",
        "agent_reply_started_at_ms",
        "agent_reply_ended_at_ms",
        "interrupted_at_ms",
        "time_to_first_audio_ms",
        "tool_calls",
    }
    assert _fields(TimelineToolCall) == {
        "call_id",
        "name",
        "arguments",
        "result",
        "dispatched_at_ms",
        "result_received_at_ms",
        "duration_ms",
        "is_error",
        "timed_out",
        "parallel_call_id",
    }
    assert _fields(SessionMetadata) == {
        "session_id",
        "started_at",
        "ended_at",
        "format",
        "channels",
        "channel_layout",
        "sample_rate",
        "file",
        "uploaded_chunks",
        "dropped_chunks",
        "duration_seconds",
        "incomplete",
    }
    assert ARTIFACT_CONTENT_TYPES == {
        "audio": "audio/ogg",
        "timeline": "application/json",
        "metadata": "application/json",
    }


def test_lists_that_are_empty_are_left_out_and_what_is_unknown_is_null() -> None:
    """As the hosted timeline does it."""
    empty = SessionTimeline(session_id="s", started_at_unix_ms=1, ended=None)
    assert msgspec.to_builtins(empty) == {
        "session_id": "s",
        "started_at_unix_ms": 1,
        "ended": None,
    }
