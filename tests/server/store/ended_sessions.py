"""Sessions as the ledger puts them into a database, whole."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from antiphon_server.call import records as r
from antiphon_server.store.applying import apply
from antiphon_server.store.artifacts import Recorded
from antiphon_server.store.database import Database
from antiphon_server.store.spool_segment import Line

AT = 1_790_000_000.5


class Told(Struct, frozen=True):
    """What a session is to be like; without an end it is live."""

    id: str
    account: str
    at: float = AT
    seconds: float | None = 12.5
    agent_id: str | None = None
    is_recorded: bool = False

    def recording(self) -> dict[str, Any] | None:
        """What its end tells of its audio."""
        if not self.is_recorded:
            return None
        told: dict[str, Any] = msgspec.to_builtins(Recorded(f"{self.id}.ogg", 250, 0, 12.5))
        return told


def tell(database: Database, *sessions: Told) -> None:
    """Puts sessions into a database: each says one thing, is answered, and used something."""
    for session in sessions:
        lines = [Line(session.id, record) for record in _records(session)]
        database.now(partial(apply, node="n", lines=lines, on_event=_ignore))


def end(database: Database, session: Told) -> None:
    """Ends one that was live, after 12.5 seconds."""
    ended = Line(session.id, _end(session, 12.5))
    database.now(lambda connection: apply(connection, "n", [ended], _ignore))


def count(database: Database, table: sa.Table) -> int:
    """How many rows a table has."""
    query = sa.select(sa.func.count()).select_from(table)
    return database.now(lambda connection: connection.execute(query).scalar_one())


def _ignore(*_: object) -> None:
    """No webhooks."""


def _records(session: Told) -> list[r.AnyRecord]:
    at = session.at
    told: list[r.AnyRecord] = [
        r.Started(
            seq=0, at=at, account=session.account, key_id=None, agent_id=session.agent_id,
            config={"system_prompt": f"Prompt of {session.id}."}, webhook=b"sealed",
        ),
        r.UserSaid(
            seq=1, at=at + 2, item_id=f"item_u_{session.id}", text=f"Words of {session.id}",
            started_ms=1_000, ended_ms=1_900,
        ),
        r.AgentSaid(
            seq=2, at=at + 5, reply_id=f"resp_{session.id}", item_id=f"item_a_{session.id}",
            trigger="user_speech", status="completed", text="Indeed.", method="timed",
            started_ms=2_000, sounded_ms=2_300, ended_ms=3_000, time_to_first_audio_ms=400.0,
        ),
        r.Used(seq=3, at=at + 5, connected_seconds=12.5, characters=7),
    ]  # fmt: skip
    return told if session.seconds is None else [*told, _end(session, session.seconds)]


def _end(session: Told, seconds: float) -> r.Ended:
    return r.Ended(
        seq=4, at=session.at + seconds, reason="client_ended", public_reason="client_end",
        duration_seconds=seconds, audio_seconds=seconds, recording=session.recording(),
    )  # fmt: skip
