"""All that is known of one session, turn by turn, from its records. Pure.

It is the timeline (``store.timeline``) with what is not in the hosted one: stage times, who
served them, what was cut off, what went wrong. Records of versions that did not keep these have
turns without them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from antiphon_protocol.rest_console import ConsoleAgent, ConsoleError, ConsoleTurn, ConsoleUser
from antiphon_protocol.rest_sessions import ConfigChange, TimelineTurn
from antiphon_server.call.records import AgentSaid, AnyRecord, Ended, Started, Troubled, UserSaid
from antiphon_server.store.summaries import FAULTS, response_ms
from antiphon_server.store.timeline import timeline

_FAULTS = dict(
    zip(
        FAULTS,
        (
            "The call ended by a fault of the server.",
            "The server's process ended during the call.",
        ),
        strict=True,
    )
)


class Page(Struct, frozen=True):
    """A session's turns, by time, and what belongs to none."""

    turns: tuple[ConsoleTurn, ...]
    errors: tuple[ConsoleError, ...]
    config_changes: tuple[ConfigChange, ...]


def page(records: Iterable[AnyRecord]) -> Page:
    """Of a session's records, in the order of their numbers."""
    told = list(records)
    line = timeline("", told)
    replies = {record.reply_id: record for record in told if isinstance(record, AgentSaid)}
    began = next((record.at for record in told if isinstance(record, Started)), 0.0)
    messages = {
        record.item_id: round(1000 * (record.at - began))
        for record in told
        if isinstance(record, UserSaid)
    }
    errors: dict[str | None, list[ConsoleError]] = {}
    turns = {turn.turn_id for turn in line.turns}
    for record in told:
        if isinstance(record, Troubled):
            whose = record.reply_id if record.reply_id in turns else None
            errors.setdefault(whose, []).append(_error(record))
        elif isinstance(record, Ended) and record.reason in FAULTS:
            errors.setdefault(None, []).append(_fault(record))
    return Page(
        tuple(
            _turn(
                turn,
                replies.get(turn.turn_id),
                messages.get(turn.turn_id, 0),
                tuple(errors.get(turn.turn_id, ())),
            )
            for turn in line.turns
        ),
        tuple(errors.get(None, ())),
        line.config_changes,
    )


def event(record: AnyRecord, began: float) -> dict[str, Any]:
    """A record of a session that began then (Unix seconds), as it is; no secret is in it."""
    told: dict[str, Any] = msgspec.to_builtins(record)
    seq, kind, at = told.pop("seq"), told.pop("kind"), told.pop("at")
    told.pop("webhook", None)
    told.setdefault("at_ms", round(1000 * (at - began)))
    return {"seq": seq, "at_ms": told.pop("at_ms"), "kind": kind, **told}


def _turn(
    turn: TimelineTurn,
    reply: AgentSaid | None,
    message_ms: int,
    errors: tuple[ConsoleError, ...],
) -> ConsoleTurn:
    user = None
    if turn.user_transcript is not None:
        user = ConsoleUser(
            text=turn.user_transcript,
            started_ms=turn.user_speech_started_at_ms,
            ended_ms=turn.user_speech_ended_at_ms,
        )
    return ConsoleTurn(
        turn_id=turn.turn_id,
        trigger=turn.trigger,
        status=turn.status,
        at_ms=_at_ms(turn, reply, message_ms),
        instructions=turn.requested_instructions,
        user=user,
        agent=None if reply is None else _agent(turn, reply),
        response_ms=None if reply is None else response_ms(reply),
        stages={} if reply is None else reply.stages,
        providers={} if reply is None else reply.providers,
        models={} if reply is None else reply.models,
        reasons={} if reply is None else reply.reasons,
        tool_calls=turn.tool_calls,
        errors=errors,
    )


def _at_ms(turn: TimelineTurn, reply: AgentSaid | None, message_ms: int) -> int:
    if turn.user_speech_started_at_ms is not None:
        return turn.user_speech_started_at_ms
    if reply is not None:
        return reply.started_ms
    calls = [call.dispatched_at_ms for call in turn.tool_calls]
    return min(calls, default=message_ms)


def _agent(turn: TimelineTurn, reply: AgentSaid) -> ConsoleAgent:
    return ConsoleAgent(
        heard=reply.text,
        unheard=reply.unheard,
        started_ms=turn.agent_reply_started_at_ms,
        ended_ms=turn.agent_reply_ended_at_ms,
        interrupted_at_ms=turn.interrupted_at_ms,
        method=reply.method,
        words=reply.words,
    )


def _error(record: Troubled) -> ConsoleError:
    return ConsoleError(
        at_ms=record.at_ms,
        source=record.source,
        code=record.code,
        message=record.message,
        stage=record.stage,
        provider=record.provider,
    )


def _fault(record: Ended) -> ConsoleError:
    return ConsoleError(
        at_ms=round(1000 * record.duration_seconds),
        source="server",
        code=record.reason,
        message=_FAULTS[record.reason],
        stage=None,
        provider=None,
    )
