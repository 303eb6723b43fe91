"""A server that is killed loses nothing that it told."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import pytest

from antiphon_server.store.database import Database
from endurance import kept, recordings
from endurance.counts import count, is_timed
from endurance.figures import show_times
from endurance.live_calls import LiveCalls, Witness
from endurance.processes import CONVERSING, Process, launched

KILLS = count(1, 3, 20)
CALLERS = count(8, 50, 50)
RECORDED_CALLERS = count(8, 20, 20)
"""Opus takes up to 20 ms of a core for a second of a call: two cores record some thirty as they
come, and more with a delay.
"""
LIVES_S = (0.3, count(1, 4, 4))
"""How long calls are under way before the kill."""
READY_S = 3.0
ORPHANS_S = 60.0
UNRECORDED_S = 2.0
RECORDED_S = 3.5
LONG = (100, 100)
"""Turns of calls that are live until the end."""


@pytest.mark.timeout(1800)
async def test_a_killed_server_loses_nothing_that_it_told(
    tmp_path: Path, database_url: str
) -> None:
    """With calls under way, at random moments, again and again: every line of a transcript that
    a client received and all usage that was reported is in the database once; the sessions are
    ended, with a reason, by the next start.
    """
    database = Database(database_url)
    variables = {**CONVERSING, "ANTIPHON_DATABASE_URL": database_url}
    chance = random.Random(database_url)  # noqa: S311 (no secret)
    witnesses: list[Witness] = []
    ready_s: list[float] = []
    ended_s: list[float] = []
    try:
        for number in range(KILLS + 1):
            async with launched(tmp_path, **variables) as server:
                ready_s.append(server.ready_s)
                ended_s.append(await _orphans_ended(database))
                found = kept.read(database)
                assert [kept.differences(found, told, {"lost"}) for told in witnesses] == [
                    [] for _ in witnesses
                ]
                if number < KILLS:
                    witnesses.append(
                        await _killed(server, LiveCalls(server, CALLERS), chance.uniform(*LIVES_S))
                    )
                assert server.complaints() == []
    finally:
        database.dispose()
    lines = sum(len(one.story.agent_lines) + len(one.story.user_lines)
                for told in witnesses for one in told.sessions)  # fmt: skip
    assert lines > KILLS * CALLERS / 2
    assert all(told.live and told.usage for told in witnesses)
    show_times(f"ready again, {lines} lines", ready_s[1:], "s")
    show_times("orphans ended after that", ended_s[1:], "s")
    assert not is_timed() or max(ready_s[1:]) <= READY_S


@pytest.mark.timeout(600)
async def test_recordings_of_a_killed_server_can_be_played(tmp_path: Path) -> None:
    """Of every call, to two seconds before the end."""
    variables = {**CONVERSING, "ANTIPHON_RECORDING": "true"}
    async with launched(tmp_path, **variables) as server:
        calls = LiveCalls(server, RECORDED_CALLERS, turns=LONG)
        witness = await _killed(server, calls, RECORDED_S)
    lives = {known.session_id: witness.gone_at - known.opened_at for known in witness.live}
    assert len(lives) == RECORDED_CALLERS
    missing: list[float] = []
    async with launched(tmp_path, **variables) as server, server.rest() as rest:
        for session, lived in lives.items():
            missing.append(lived - await recordings.playable_s(rest, session))
        assert server.complaints() == []
    show_times("missing at the end of recordings", missing, "s")
    assert not is_timed() or max(missing) <= UNRECORDED_S


async def _killed(server: Process, calls: LiveCalls, after_s: float) -> Witness:
    """What the clients of a server know that was killed while they talked."""
    await calls.under_way()
    await asyncio.sleep(after_s)
    server.process.kill()
    return await calls.stop()


async def _orphans_ended(database: Database) -> float:
    """Seconds until every session has ended."""
    began = time.monotonic()
    async with asyncio.timeout(ORPHANS_S):
        # In another process, so there is nothing to wait for but the next look.
        while await asyncio.to_thread(kept.unfinished, database):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return time.monotonic() - began
