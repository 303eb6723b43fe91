"""Simulated calls whose records go to the real ledger, into a real database."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import cast

import msgspec
import pytest
from structlog.testing import capture_logs

from antiphon_server.call.records import AnyRecord, Record
from antiphon_server.store import past_sessions
from antiphon_server.store.database import Database
from antiphon_server.store.ledger import Ledger
from antiphon_server.store.timeline import timeline
from simulation.call import Outcome, play
from simulation.plans import plan_of
from virtual_time import VirtualTimeLoop, run

CALLS = 60
LIMIT_S = 100_000.0


def made(database: Database, folder: Path) -> list[Outcome]:
    """Calls one after the other, on one server."""

    async def calls() -> list[Outcome]:
        loop = cast("VirtualTimeLoop", asyncio.get_running_loop())
        ledger = Ledger(database, folder, "simulation", lambda _connection, _event: None)
        await ledger.start()

        def keep(session_id: str, record: AnyRecord) -> asyncio.Future[None]:
            future = ledger.record(session_id, record)
            loop.is_elsewhere(future)
            return future

        outcomes = [await play(plan_of(seed), keep) for seed in range(CALLS)]
        await ledger.close()
        return outcomes

    with capture_logs():
        return run(calls(), LIMIT_S)


@pytest.mark.timeout(600)
def test_what_the_client_saw_is_in_the_database(database: Database, tmp_path: Path) -> None:
    """Every record, once and in order; and the transcript that is made of them is the client's,
    or begins with it where the client was not there at the end.
    """
    outcomes = made(database, tmp_path / "spool")
    assert [broken for outcome in outcomes for broken in outcome.broken] == []
    assert sum(outcome.saw_the_end for outcome in outcomes) > CALLS / 2
    for outcome in outcomes:
        session_id = outcome.session_id
        stored = database.now(partial(past_sessions.records, session_id=session_id))
        recorded = [one.what for one in outcome.seen if isinstance(one.what, Record)]
        assert msgspec.json.encode(stored) == msgspec.json.encode(recorded)
        turns = timeline(session_id, stored).turns
        for who, said in (
            ("user", [turn.user_transcript for turn in turns]),
            ("agent", [turn.agent_text for turn in turns]),
        ):
            kept = [text for text in said if text and not text.startswith("m")]
            seen = [text for speaker, text in outcome.lines if speaker == who]
            # What was cut off by the end, or withheld then, was not told any more.
            is_whole = outcome.saw_the_end and outcome.plan.settles
            assert seen == (kept if is_whole else kept[: len(seen)])
