"""A server that is killed and started again, for the test of the ledger: many lives in one folder.

Run as `recording_lives.py URL FOLDER`. For each line on standard input it forks a life, which
records from 50 sessions as fast as it can and writes `SESSION SEQ` for each record that is
durable; who kills it reads the `pid`. When it is dead, `dead` is written. What is imported once
need not be imported in every life.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import sqlalchemy as sa

from antiphon_server.call.records import AnyRecord, Started, Used, UserSaid
from antiphon_server.store.database import Database
from antiphon_server.store.ledger import Ledger
from antiphon_server.store.tables import webhook_events
from antiphon_server.store.webhook_outbox import SessionEvent

SESSIONS = 50


def report(connection: sa.Connection, event: SessionEvent) -> None:
    """Writes an event down; a second one of its kind breaks a rule of the table."""
    connection.execute(
        sa.insert(webhook_events).values(
            id=f"{event.session_id} {event.kind}",
            account=event.account,
            session_id=event.session_id,
            kind=event.kind,
            payload={},
            created_at=event.at,
        )
    )


def _record(seq: int) -> AnyRecord:
    at = 1_700_000_000.0 + seq
    if seq == 0:
        return Started(seq=0, at=at, account="acme", key_id=None, agent_id=None, config={})
    if seq % 2:
        return UserSaid(seq=seq, at=at, item_id=f"item_{seq}", text="Hello there. " * 5)
    return Used(seq=seq, at=at, connected_seconds=1.0)


async def _call(ledger: Ledger, session_id: str, out: int) -> None:
    seq = 0
    while True:
        await ledger.record(session_id, _record(seq))
        os.write(out, f"{session_id} {seq}\n".encode())
        seq += 1


async def _live(url: str, folder: Path, out: int) -> None:
    ledger = Ledger(Database(url), folder, "node", report)
    await ledger.start()
    names = [f"sess_{os.getpid()}_{number}" for number in range(SESSIONS)]
    await asyncio.gather(*(_call(ledger, name, out) for name in names))


def main(url: str, folder: str) -> None:
    """Begins a life for each line."""
    out = os.dup(1)
    os.dup2(2, 1)  # The log is for people.
    for _ in sys.stdin:
        life = os.fork()
        if life == 0:
            asyncio.run(_live(url, Path(folder), out))
        os.write(out, f"pid {life}\n".encode())
        os.waitpid(life, 0)
        os.write(out, b"dead\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
