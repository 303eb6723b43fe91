"""Several processes of callers."""

from __future__ import annotations

import asyncio
import time
from itertools import cycle

from antiphon_loadtest.notes import Batch
from antiphon_loadtest.workers import Workers
from clients.fake_agent import FakeAgent
from clients.fake_server import serving
from loadtest.loading import plan
from loadtest.measuring import answering


async def test_workers_share_the_callers_and_can_be_stopped_and_used_again() -> None:
    """Both tell of theirs; a run that is told to end does so long before its time."""
    told: list[Batch] = []

    def tell(batch: Batch) -> bool:
        told.append(batch)
        return {one.worker for one in told if one.in_call} == {0, 1}

    async with serving(answering(lambda: FakeAgent(cycle(["yes"])))) as server:
        with Workers(2) as workers:
            for _ in range(2):
                told.clear()
                long = plan(server.url, began_at=time.monotonic(), duration_s=600.0)
                async with asyncio.timeout(30):
                    await workers.run(long, [0.0, 0.0], tell)
                assert {batch.worker for batch in told} == {0, 1}
                assert sum(batch.counts["calls"] for batch in told) >= 2
