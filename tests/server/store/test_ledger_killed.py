"""A server that is killed at any moment has lost nothing that was durable, and doubles nothing."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from antiphon_server.store.applier import REJECTED
from antiphon_server.store.database import Database
from antiphon_server.store.ledger import Ledger
from antiphon_server.store.tables import sessions, webhook_events
from server.store import recording_lives
from server.store.talk import counted, stored

LIVES = 20
RECORDS = (50, 800)
"""How many records a life makes durable before it is killed."""


@contextmanager
def _server(url: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, recording_lives.__file__, url, str(folder)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # A group of its own, which can be killed with the last life.
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _live(server: subprocess.Popen[str], records: int) -> set[tuple[str, int]]:
    """One life, killed after so many records: those of which it said that they are durable."""
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write("live\n")
    server.stdin.flush()
    told: set[tuple[str, int]] = set()
    pid, is_killed = 0, False
    for line in server.stdout:
        name, _, number = line.strip().partition(" ")
        if name == "dead":
            return told
        if name == "pid":
            pid = int(number)
        else:
            told.add((name, int(number)))
        if pid and len(told) >= records and not is_killed:
            os.kill(pid, signal.SIGKILL)
            is_killed = True
    raise AssertionError("the server ended by itself")


async def test_nothing_that_was_durable_is_lost_or_doubled_by_kills(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """Twenty lives, each killed with 50 calls under way after a number of records that is drawn.

    Afterwards every session is over, with one start and one end to be reported, and its records
    have no gap: the last is the end that the next life gave it.
    """
    drawn = random.Random(20)  # noqa: S311 - when to kill is no secret.
    told: set[tuple[str, int]] = set()
    with _server(database_url, tmp_path / "spool") as server:
        for _ in range(LIVES):
            told |= _live(server, drawn.randint(*RECORDS))
    ledger = Ledger(database, tmp_path / "spool", "node", recording_lives.report)
    await ledger.start()
    await ledger.close()

    records = stored(database)
    # An end that was given to a session has the number that a lost record would have.
    assert told <= {(session, seq) for session, seq, kind in records if kind != "ended"}
    seqs: dict[str, list[int]] = {}
    for session, seq, _ in records:
        seqs.setdefault(session, []).append(seq)
    assert all(found == list(range(len(found))) for found in seqs.values())
    lasts = {session: kind for session, _, kind in records}
    assert set(lasts.values()) == {"ended"}
    assert counted(database) == [(session, seq) for session, seq, kind in records if kind == "used"]
    assert _count(database, sa.select(sessions.c.id).where(sessions.c.ended_at.is_(None))) == 0
    assert _count(database, sa.select(webhook_events.c.id)) == 2 * len(seqs)
    assert not (tmp_path / "spool" / REJECTED).exists()
    assert {path.name for path in (tmp_path / "spool").iterdir()} == {"gate"}


def _count(database: Database, query: sa.Select[tuple[str]]) -> int:
    return len(database.now(lambda connection: connection.execute(query).all()))
