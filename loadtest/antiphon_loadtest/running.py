"""One run: callers begin, talk, and what they note becomes a record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct, structs

from antiphon_loadtest.notes import Batch
from antiphon_loadtest.plan import Plan
from antiphon_loadtest.profiles import PROFILES
from antiphon_loadtest.record import Record
from antiphon_loadtest.server_watch import Spent, Unwatchable, Watch
from antiphon_loadtest.workers import Workers

WATCH_S = 1.0
LEAD_S = 0.3
"""From now to second 0, so that every worker has its plan by then."""


class Run(Struct, frozen=True):
    """What is to be run: so many callers of a profile. What happens before ``measure_from_s``
    is not measured. ``fails`` says when there is no sense in going on.
    """

    plan: Plan
    profile: str
    callers: int
    measure_from_s: float
    progress: Callable[[Record], None]
    watch: Watch | None = None
    fails: Callable[[Record], bool] = lambda _: False


async def run(one: Run, workers: Workers) -> Record:
    """Carries it out. Cancelled, it returns what there is, marked ``interrupted``."""
    profile = PROFILES[one.profile]
    plan = structs.replace(
        one.plan,
        began_at=time.monotonic() + LEAD_S,
        behaviour=profile.behaves(one.plan.behaviour),
    )
    record = Record(one.callers, workers.count, plan.began_at, one.measure_from_s)
    if one.watch is not None:
        record.idle = await asyncio.to_thread(one.watch)

    def tell(batch: Batch) -> bool:
        record.add(batch)
        one.progress(record)
        return one.fails(record)

    starts = profile.starts(one.callers, plan.duration_s)
    watching = asyncio.create_task(_watched(one.watch, record.spent))
    try:
        await workers.run(plan, starts, tell)
    except asyncio.CancelledError:
        record.interrupted = True
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return record


async def _watched(watch: Watch | None, spent: list[Spent]) -> None:
    while watch is not None:
        with suppress(Unwatchable):
            spent.append(await asyncio.to_thread(watch))
        await asyncio.sleep(WATCH_S)
