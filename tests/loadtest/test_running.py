"""One run."""

from __future__ import annotations

import asyncio
import os
from itertools import cycle

from antiphon_loadtest.record import Record
from antiphon_loadtest.running import Run, run
from antiphon_loadtest.server_watch import process
from antiphon_loadtest.workers import Workers
from clients.fake_agent import FakeAgent
from clients.fake_server import serving
from loadtest.loading import plan
from loadtest.measuring import answering


async def test_a_run_that_is_cancelled_gives_what_there_is() -> None:
    """As Ctrl-C does: marked, with the calls until then."""
    begun = asyncio.Event()

    def progress(record: Record) -> None:
        if record.moments[-1].callers:
            begun.set()

    async with serving(answering(lambda: FakeAgent(cycle(["yes"])))) as server:
        with Workers(1) as workers:
            made = Run(
                plan(server.url, duration_s=600.0), "steady", 1, 0.0, progress, process(os.getpid())
            )
            running = asyncio.create_task(run(made, workers))
            async with asyncio.timeout(30):
                await begun.wait()
                running.cancel()
                record = await running
    assert record.interrupted
    assert record.counts["calls"] >= 1
    assert record.idle is not None
    assert record.spent
