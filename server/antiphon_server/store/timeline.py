"""The ``timeline`` of a session from its records. Pure.

A turn is a reply and what it answers. Source: voice agent protocol, section 6.3. Where the
hosted timeline is known to be inexact this one is not: a reply to a tool's result has its times
and its trigger like any other, and times of speech are those of the audio. What the user said
to no reply, and calls of a reply that a crash cut off, have turns of their own, so that no line
is missing.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from antiphon_protocol.rest_sessions import (
    ConfigChange,
    SessionTimeline,
    TimelineEnd,
    TimelineToolCall,
    TimelineTurn,
)
from antiphon_server.call.records import (
    AgentSaid,
    AnyRecord,
    Ended,
    Reconfigured,
    Started,
    ToolCalled,
    ToolReturned,
    UserSaid,
)

REASONS = {
    "client_ended": "user_initiated",
    "client_left": "participant_disconnected",
    "expired": "max_duration_reached",
    "failed": "internal_error",
    "lost": "server_lost",
}
"""Ours in the hosted timeline's words; the last three are ours alone."""


_BLANK = TimelineTurn(
    turn_id="",
    item_id=None,
    status="completed",
    trigger="user_speech",
    requested_instructions=None,
    user_transcript=None,
    user_speech_started_at_ms=None,
    user_speech_ended_at_ms=None,
    user_confidence=None,
    agent_text=None,
    agent_reply_started_at_ms=None,
    agent_reply_ended_at_ms=None,
    interrupted_at_ms=None,
    time_to_first_audio_ms=None,
)


class _Said:
    """All records of one session, by kind."""

    def __init__(self, records: Iterable[AnyRecord]) -> None:
        self.started_at = 0.0
        self.users: list[UserSaid] = []
        self.replies: list[AgentSaid] = []
        self.calls: dict[str, list[ToolCalled]] = {}
        """By reply."""
        self.results: dict[str, ToolReturned] = {}
        self.changes: list[Reconfigured] = []
        self.end: Ended | None = None
        for record in records:
            self._add(record)

    def _add(self, record: AnyRecord) -> None:
        match record:
            case Started():
                self.started_at = record.at
            case UserSaid():
                self.users.append(record)
            case AgentSaid():
                self.replies.append(record)
            case ToolCalled():
                self.calls.setdefault(record.reply_id, []).append(record)
            case ToolReturned():
                self.results.setdefault(record.call_id, record)
            case Reconfigured():
                self.changes.append(record)
            case Ended():
                self.end = record

    def moment(self, user: UserSaid) -> int:
        """When the user had said it, in milliseconds from ``session.ready``."""
        if user.ended_ms is not None:
            return user.ended_ms
        return round((user.at - self.started_at) * 1000)


def timeline(session_id: str, records: Iterable[AnyRecord]) -> SessionTimeline:
    """The timeline of one session's records, in the order of their numbers."""
    said = _Said(records)
    return SessionTimeline(
        session_id=session_id,
        started_at_unix_ms=round(said.started_at * 1000),
        turns=_turns(said),
        config_changes=tuple(
            ConfigChange(at_ms=change.at_ms, config=change.config) for change in said.changes
        ),
        ended=None if said.end is None else _end(said.end),
    )


def _end(end: Ended) -> TimelineEnd:
    return TimelineEnd(
        reason=REASONS.get(end.reason, end.reason),
        public_reason=end.public_reason,
        duration_seconds=end.duration_seconds,
    )


def _turns(said: _Said) -> tuple[TimelineTurn, ...]:
    unanswered = list(said.users)
    answered = -1
    placed: list[tuple[int, TimelineTurn]] = []
    for reply in sorted(_replies(said), key=lambda reply: reply.started_ms):
        # What was said before something that has its answer was answered with that.
        newer = [user for user in unanswered if user.seq > answered]
        user = _answered(said, newer, reply)
        turn = _turn(reply, _tool_calls(said, reply))
        if user is not None:
            unanswered.remove(user)
            answered = user.seq
            turn = _with(turn, user)
        placed.append((reply.started_ms, turn))
    for user in unanswered:
        turn = replace(_BLANK, turn_id=user.item_id, item_id=user.item_id)
        placed.append((said.moment(user), _with(turn, user)))
    return tuple(turn for _, turn in sorted(placed, key=lambda one: one[0]))


def _replies(said: _Said) -> list[AgentSaid]:
    """Those that were recorded, and those that a crash cut off, known by their calls."""
    known = {reply.reply_id for reply in said.replies}
    cut_off = (calls for reply_id, calls in said.calls.items() if reply_id not in known)
    return said.replies + [
        AgentSaid(
            seq=calls[0].seq,
            at=calls[0].at,
            reply_id=calls[0].reply_id,
            item_id="",
            trigger="user_speech",
            status="interrupted",
            text="",
            method="written",
            started_ms=calls[0].at_ms,
            ended_ms=calls[-1].at_ms,
        )
        for calls in cut_off
    ]


def _answered(said: _Said, unanswered: list[UserSaid], reply: AgentSaid) -> UserSaid | None:
    """What a reply answers: the latest that was said before it began and that none answered."""
    if reply.trigger not in {"user_speech", "reply_create"}:
        return None
    before = [
        user
        for user in unanswered
        if said.moment(user) <= reply.started_ms
        and (user.spoken or reply.trigger == "reply_create")
    ]
    return max(before, key=lambda user: (said.moment(user), user.seq), default=None)


def _with(turn: TimelineTurn, user: UserSaid) -> TimelineTurn:
    return replace(
        turn,
        user_transcript=user.text,
        user_speech_started_at_ms=user.started_ms,
        user_speech_ended_at_ms=user.ended_ms,
    )


def _turn(reply: AgentSaid, tool_calls: tuple[TimelineToolCall, ...]) -> TimelineTurn:
    # A text session makes no sound: its reply begins with its text.
    written = reply.started_ms if reply.method == "written" and reply.text else None
    began = written if reply.sounded_ms is None else reply.sounded_ms
    return replace(
        _BLANK,
        turn_id=reply.reply_id,
        item_id=reply.item_id or None,
        status=reply.status,
        trigger=reply.trigger,
        requested_instructions=reply.instructions,
        agent_text=reply.text or None,
        agent_reply_started_at_ms=began,
        agent_reply_ended_at_ms=None if began is None else reply.ended_ms,
        interrupted_at_ms=reply.ended_ms if reply.status == "interrupted" else None,
        time_to_first_audio_ms=reply.time_to_first_audio_ms,
        tool_calls=tool_calls,
    )


def _tool_calls(said: _Said, reply: AgentSaid) -> tuple[TimelineToolCall, ...]:
    calls = said.calls.get(reply.reply_id, [])
    group = reply.reply_id if len(calls) > 1 else None
    return tuple(_tool_call(call, said.results.get(call.call_id), group) for call in calls)


def _tool_call(
    call: ToolCalled, returned: ToolReturned | None, group: str | None
) -> TimelineToolCall:
    return TimelineToolCall(
        call_id=call.call_id,
        name=call.name,
        arguments=call.arguments,
        result=None if returned is None else returned.result,
        dispatched_at_ms=call.at_ms,
        result_received_at_ms=None if returned is None else returned.at_ms,
        duration_ms=None if returned is None else returned.at_ms - call.at_ms,
        is_error=returned is not None and returned.is_error,
        timed_out=returned is not None and returned.timed_out,
        parallel_call_id=group,
    )
