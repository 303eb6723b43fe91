"""Records of sessions, for tests of what is done with them."""

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from antiphon_server.call.records import AgentSaid, AnyRecord, Ended, Started, Used, UserSaid
from antiphon_server.store.database import Database
from antiphon_server.store.tables import session_records, usage
from antiphon_server.store.webhook_outbox import SessionEvent

NOON = 1_700_000_000.0


def started(**fields: Any) -> Started:
    """The first record of a session."""
    told: dict[str, Any] = {"account": "acme", "key_id": "key_1", "agent_id": None, "config": {}}
    return Started(**{"seq": 0, "at": NOON, **told, **fields})


def said(seq: int, text: str = "Hello.") -> UserSaid:
    """A turn of the user, `seq` seconds after the start."""
    return UserSaid(seq=seq, at=NOON + seq, item_id=f"item_{seq}", text=text)


def answered(seq: int, text: str = "Hi.") -> AgentSaid:
    """A reply."""
    return AgentSaid(
        seq=seq,
        at=NOON + seq,
        reply_id=f"reply_{seq}",
        item_id=f"item_{seq}",
        trigger="user_speech",
        status="completed",
        text=text,
        method="timed",
        started_ms=1,
        ended_ms=2,
    )


def used(seq: int, tokens: int = 7) -> Used:
    """Ten seconds and a few tokens."""
    return Used(seq=seq, at=NOON + seq, connected_seconds=10.0, prompt_tokens=tokens)


def ended(seq: int, **fields: Any) -> Ended:
    """The last record of a session."""
    told: dict[str, Any] = {
        "reason": "client_ended",
        "public_reason": "client_end",
        "duration_seconds": float(seq),
        "audio_seconds": 1.5,
    }
    return Ended(**{"seq": seq, "at": NOON + seq, **told, **fields})


def whole(last: int = 4) -> list[AnyRecord]:
    """A session from its start to its end."""
    middle: list[AnyRecord] = [said(seq) if seq % 2 else used(seq) for seq in range(1, last)]
    return [started(), *middle, ended(last)]


class Events:
    """What was to be reported, in order."""

    def __init__(self) -> None:
        self.seen: list[SessionEvent] = []

    def __call__(self, _connection: sa.Connection, event: SessionEvent) -> None:
        """Takes an event, as the webhook outbox does."""
        self.seen.append(event)

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """The session and the kind of each."""
        return [(event.session_id, event.kind) for event in self.seen]


def stored(database: Database) -> list[tuple[str, int, str]]:
    """Session, number and kind of every record in the database, sorted."""
    columns = session_records.c
    query = sa.select(columns.session_id, columns.seq, columns.kind)
    query = query.order_by(columns.session_id, columns.seq)
    return database.now(lambda connection: [tuple(row) for row in connection.execute(query)])


def counted(database: Database) -> list[tuple[str, int]]:
    """Session and number of every usage row, sorted."""
    query = sa.select(usage.c.session_id, usage.c.seq).order_by(usage.c.session_id, usage.c.seq)
    return database.now(lambda connection: [tuple(row) for row in connection.execute(query)])


def as_stored(session_id: str, records: Sequence[AnyRecord]) -> list[tuple[str, int, str]]:
    """What `stored` says of records that were all applied."""
    kinds = [msgspec.to_builtins(record)["kind"] for record in records]
    return [(session_id, record.seq, kind) for record, kind in zip(records, kinds, strict=True)]
