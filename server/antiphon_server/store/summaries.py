"""What a list tells of a session, worked out once from its records: no list reads those.

It is kept when the session ends. The words are there to be searched: in lower case (Unicode's
case folding), because SQLite knows that of ASCII only, and without U+0000, which PostgreSQL does
not take.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy.dialects import postgresql, sqlite

from antiphon_server.call import timeline as t
from antiphon_server.call.records import (
    AgentSaid,
    AnyRecord,
    Ended,
    Started,
    ToolCalled,
    Troubled,
    UserSaid,
)
from antiphon_server.store.stage_times import packed
from antiphon_server.store.tables import session_summaries
from antiphon_server.store.timeline import timeline

KINDS = ("started", "user_said", "agent_said", "tool_called", "troubled", "ended")
"""The records that count."""
FAULTS = ("failed", "lost")
"""Ends that are the server's fault, which count as an error."""
MOST_FIRST_CHARACTERS = 200
MOST_WORDS = 200_000
"""Characters of a session that are searched."""


class Summary(Struct, frozen=True, kw_only=True):
    """One session's."""

    turns: int = 0
    interruptions: int = 0
    tool_calls: int = 0
    errors: int = 0
    response_p50_ms: float | None = None
    """Of replies to speech, from its end to the first audio."""
    response_max_ms: float | None = None
    first_words: str | None = None
    """Of the user."""
    stage_times: bytes = b""
    words: str = ""


def searched(text: str) -> str:
    """A text as it is searched, and searched for."""
    return text.replace("\0", "\ufffd").casefold()


def summary(records: Iterable[AnyRecord]) -> Summary:
    """Of a session's records, in their order; those that do not count may be missing."""
    told = list(records)
    users = [record for record in told if isinstance(record, UserSaid)]
    replies = [record for record in told if isinstance(record, AgentSaid)]
    responses = [ms for reply in replies if (ms := response_ms(reply)) is not None]
    said = [record for record in told if isinstance(record, UserSaid | AgentSaid)]
    faults = [r for r in told if isinstance(r, Ended) and r.reason in FAULTS]
    return Summary(
        turns=len(timeline("", told).turns),
        interruptions=sum(bool(one.text) and one.status == "interrupted" for one in replies),
        tool_calls=sum(isinstance(record, ToolCalled) for record in told),
        errors=len(faults) + sum(isinstance(record, Troubled) for record in told),
        response_p50_ms=round(median(responses), 3) if responses else None,
        response_max_ms=max(responses, default=None),
        first_words=next((one.text[:MOST_FIRST_CHARACTERS] for one in users if one.text), None),
        stage_times=packed(_turns(told, replies)),
        words=searched("\n".join(one.text for one in said))[:MOST_WORDS],
    )


def response_ms(reply: AgentSaid) -> float | None:
    """From the end of the user's speech to the first audio of the reply to it."""
    answers = reply.trigger == "user_speech" and reply.sounded_ms is not None
    return reply.time_to_first_audio_ms if answers else None


def _turns(
    told: list[AnyRecord], replies: list[AgentSaid]
) -> Iterable[tuple[float, dict[str, float]]]:
    """Those that the metrics count, too: of which something was heard."""
    began = next((record.at for record in told if isinstance(record, Started)), None)
    for reply in replies:
        if began is None or reply.sounded_ms is None or not reply.stages:
            continue
        stages = dict(reply.stages)
        if reply.trigger != "user_speech":
            # Nobody waits for a greeting as for an answer.
            stages.pop(t.RESPONSE, None)
        yield reply.started_ms / 1000, stages


def keep(connection: sa.Connection, session_id: str, kept: Summary) -> None:
    """Keeps a session's summary; one that is there stays."""
    is_sqlite = connection.dialect.name == "sqlite"
    insert = (sqlite.insert if is_sqlite else postgresql.insert)(session_summaries)
    row = {"session_id": session_id, **asdict(kept)}
    connection.execute(insert.on_conflict_do_nothing(), [row])


def forget(connection: sa.Connection, ids: list[str]) -> None:
    """Those of sessions that are deleted."""
    gone = sa.delete(session_summaries).where(session_summaries.c.session_id.in_(ids))
    connection.execute(gone)
