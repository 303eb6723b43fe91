"""What is tidied up each hour, whatever went wrong the hour before."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from antiphon_server.edge import backstage
from antiphon_server.store.tables import session_summaries, sessions
from server.edge.test_backstage import WAIT_SECONDS, made
from server.store.ended_sessions import Told, tell

ASIDE = "ALTER TABLE webhook_deliveries RENAME TO aside"
BACK = "ALTER TABLE aside RENAME TO webhook_deliveries"
DAY = 86_400


async def test_a_tidying_that_broke_off_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that is not there is no outage but a fault; what is old is deleted all the same
    once it is there.
    """
    monkeypatch.setattr(backstage, "TIDY_SECONDS", 0.05)
    stage = made(tmp_path, RETENTION_DAYS="1")
    at = time.time() - 10 * DAY
    tell(stage.database, Told("sess_old", "mine", at=at))
    stage.database.now(lambda connection: connection.execute(sa.text(ASIDE)))
    try:
        await stage.start()
        await _until_deleted(stage, "sess_old")
        tell(stage.database, Told("sess_older", "mine", at=at - DAY))
        stage.database.now(lambda connection: connection.execute(sa.text(BACK)))
        await _until_deleted(stage, "sess_older")
    finally:
        await stage.close()


async def test_a_long_session_of_another_node_is_left_alone(tmp_path: Path) -> None:
    """However short the sessions of this node are: the database may be shared."""
    stage = made(tmp_path, MAX_SESSION_SECONDS="60")
    now = time.time()
    tell(
        stage.database,
        Told("sess_long", "mine", at=now - 10_000, seconds=None),
        Told("sess_lost", "mine", at=now - 20_000, seconds=None),
    )
    await stage.start()
    try:
        await _until(stage, sessions.c.id == "sess_lost", sessions.c.ended_at.is_not(None))
        await _until(stage, sessions.c.id == "sess_long", sessions.c.ended_at.is_(None))
    finally:
        await stage.close()


async def test_sessions_of_an_older_version_get_their_summaries(tmp_path: Path) -> None:
    """While the server runs; nobody waits for it."""
    stage = made(tmp_path)
    tell(stage.database, Told("sess_old", "mine", at=time.time()))
    summaries = session_summaries
    stage.database.now(lambda connection: connection.execute(sa.delete(summaries)))
    await stage.start()
    try:
        await _until(stage, sessions.c.id.in_(sa.select(summaries.c.session_id)))
    finally:
        await stage.close()


async def _until_deleted(stage: backstage.Backstage, session_id: str) -> None:
    await _until(stage, sessions.c.id == session_id, sessions.c.deleted_at.is_not(None))


async def _until(stage: backstage.Backstage, *conditions: sa.ColumnElement[bool]) -> None:
    """Waits until there is a session of which all that holds."""
    query = sa.select(sessions.c.id).where(*conditions)
    async with asyncio.timeout(WAIT_SECONDS):
        while not await stage.database.read(lambda connection: connection.execute(query).first()):
            await stage.ledger.settled(0.05)
