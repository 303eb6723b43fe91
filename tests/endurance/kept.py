"""What the database has of sessions, against what their clients were told."""

from __future__ import annotations

from collections import Counter
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, field

from antiphon_server.store.database import Database
from antiphon_server.store.tables import session_records, sessions, usage
from endurance.live_calls import Known, Witness

ROUNDING_S = 0.01
SLACK_S = 1.0
"""Between a client's clock and the server's."""


class Kept(Struct):
    """Everything about the sessions, read in one transaction."""

    status: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """Status and reason, by session."""
    records: dict[str, list[tuple[int, str, dict[str, Any]]]] = field(default_factory=dict)
    """Number, kind and body of each record in order, by session."""
    used: dict[str, dict[str, float]] = field(default_factory=dict)
    """Sums by session."""
    used_rows: Counter[tuple[str, int]] = field(default_factory=Counter)


COUNTED = ("connected_seconds", "prompt_tokens", "completion_tokens", "characters")


def read(database: Database) -> Kept:
    """All sessions."""
    return database.now(_read, writes=False)


def unfinished(database: Database) -> int:
    """How many sessions have not ended."""
    query = sa.select(sa.func.count()).where(sessions.c.status == "created")
    return database.now(lambda connection: connection.execute(query).scalar_one(), writes=False)


def _read(connection: sa.Connection) -> Kept:
    kept = Kept()
    for row in connection.execute(sa.select(sessions)):
        kept.status[row.id] = (row.status, row.close_reason)
    ordered = sa.select(session_records).order_by(session_records.c.seq)
    for row in connection.execute(ordered):
        kept.records.setdefault(row.session_id, []).append((row.seq, row.kind, row.body))
    for row in connection.execute(sa.select(usage)):
        sums = kept.used.setdefault(row.session_id, dict.fromkeys(COUNTED, 0.0))
        for name in COUNTED:
            sums[name] += getattr(row, name)
        kept.used_rows[row.session_id, row.seq] += 1
    return kept


def differences(kept: Kept, witness: Witness, reasons: set[str]) -> list[str]:
    """What is missing, doubled or impossible; ``reasons`` are those of sessions that were live."""
    return [
        f"{known.session_id}: {wrong}"
        for known in witness.sessions
        for wrong in _of_session(kept, known, witness, reasons)
    ]


def _of_session(kept: Kept, known: Known, witness: Witness, reasons: set[str]) -> list[str]:
    records = kept.records.get(known.session_id, [])
    if not records:
        return ["nothing is known of it"]
    status, reason = kept.status[known.session_id]
    allowed = reasons if known.over_at is None else set()
    if known.asked_to_end:
        allowed = allowed | {"client_ended"}
    return [
        *known.story.faults,
        *([] if status == "completed" and reason in allowed else [f"it is {status}: {reason}"]),
        *_gaps([seq for seq, _, _ in records]),
        *_lines(records, known),
        *_usage(kept, records, known, witness),
    ]


def _gaps(numbers: list[int]) -> list[str]:
    return [] if numbers == list(range(len(numbers))) else [f"its records are {numbers}"]


def _lines(records: list[tuple[int, str, dict[str, Any]]], known: Known) -> list[str]:
    users = Counter((body["item_id"], body["text"]) for _, kind, body in records
                    if kind == "user_said")  # fmt: skip
    agents = Counter((body["reply_id"], body["text"]) for _, kind, body in records
                     if kind == "agent_said")  # fmt: skip
    told = [*((line, users) for line in known.story.user_lines),
            *((line, agents) for line in known.story.agent_lines)]  # fmt: skip
    return [
        *(f"{line} is there {there[line]} times" for line, there in told if there[line] != 1),
        *(f"{line} is doubled" for there in (users, agents) for line, n in there.items() if n > 1),
    ]


def _usage(
    kept: Kept,
    records: list[tuple[int, str, dict[str, Any]]],
    known: Known,
    witness: Witness,
) -> list[str]:
    """What was told is there, and nothing is there twice."""
    used = kept.used.get(known.session_id, dict.fromkeys(COUNTED, 0.0))
    told = witness.usage.get(known.session_id, {})
    recorded = [(seq, body) for seq, kind, body in records if kind == "used"]
    sums = {name: sum(body[name] for _, body in recorded) for name in COUNTED}
    lived = (known.over_at or witness.gone_at) - known.opened_at
    spoken = sum(len(text) for _, text in known.story.agent_lines)
    return [
        *(f"{name} was told to be {told[name]} and is {used[name]}" for name in COUNTED
          if used[name] < told.get(name, 0.0) - ROUNDING_S),
        *(f"{name} is {used[name]}, and its records say {sums[name]}" for name in COUNTED
          if abs(used[name] - sums[name]) > ROUNDING_S),
        *(f"usage {seq} is there {kept.used_rows[known.session_id, seq]} times"
          for seq, _ in recorded if kept.used_rows[known.session_id, seq] != 1),
        *([f"connected for {used['connected_seconds']} s, and lived {lived:.3f} s"]
          if used["connected_seconds"] > lived + SLACK_S else []),
        *([f"{used['characters']} characters are fewer than {spoken}, which were heard"]
          if used["characters"] < spoken else []),
    ]  # fmt: skip
