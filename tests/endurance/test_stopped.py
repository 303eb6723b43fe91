"""A server that is told to stop ends its calls in order, soon."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest

from antiphon_server.store.database import Database
from endurance import kept
from endurance.counts import count
from endurance.figures import show
from endurance.live_calls import LiveCalls
from endurance.processes import CONVERSING, launched

CALLERS = count(8, 50, 50)
STOP_S = 10.0


@pytest.mark.timeout(300)
async def test_a_server_that_is_told_to_stop_records_the_end_of_every_call(
    tmp_path: Path, database_url: str
) -> None:
    """SIGTERM in the middle of calls: exit code 0 within ten seconds, and in the database all
    sessions are ended, with every line that a client received and all usage that was reported,
    without another start.
    """
    database = Database(database_url)
    async with launched(tmp_path, **CONVERSING, ANTIPHON_DATABASE_URL=database_url) as server:
        calls = LiveCalls(server, CALLERS)
        await calls.under_way()
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        status = await asyncio.to_thread(server.process.wait, STOP_S)
        took = time.monotonic() - began
        witness = await calls.stop()
        assert (status, server.complaints()) == (0, [])
    found = kept.read(database)
    database.dispose()
    show("stopped", after_s=took, calls=str(len(witness.live)))
    assert witness.live
    assert kept.differences(found, witness, {"failed"}) == []
    assert {status for status, _ in found.status.values()} == {"completed"}
    assert took <= STOP_S
