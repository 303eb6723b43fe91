"""Sends what is in the outbox: at least once, signed, again until it is taken or given up.

Several nodes may share a database. Nothing is kept in memory that a crash would lose: what was
leased by a process that died is due again when the lease is over. Source: voice agent protocol,
section 6.5; reliability goal R35.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable, Sequence
from functools import partial

import sqlalchemy as sa
import structlog
from msgspec import Struct

from antiphon_server.observe import metrics
from antiphon_server.security.outbound import OutboundResponse
from antiphon_server.security.secrets import Vault
from antiphon_server.store import webhook_deliveries as store
from antiphon_server.store.database import Database, Unreachable
from antiphon_server.store.webhook_deliveries import Asked, Due, Went
from antiphon_server.webhooks.attempt import Attempt, Failure, Fetch, judged, post
from antiphon_server.webhooks.lanes import Lanes, Widths
from antiphon_server.webhooks.schedule import Schedule

log = structlog.get_logger()

COUNT_SECONDS = 10.0
"""Between two readings of the gauge."""

Outcome = tuple[Due, Went]

GONE = "The subscription was disabled or deleted"


class Tempo(Struct, frozen=True):
    """When things are done. ``clock`` gives Unix seconds, ``draw`` random numbers from 0 to 1."""

    schedule: Schedule = Schedule()
    widths: Widths = Widths()
    poll_s: float = 2.0
    """Until the database is asked again when nobody calls ``wake``."""
    attempt_s: float = 10.0
    """Until a receiver must have answered."""
    lease_s: float = 60.0
    """Until another node, or this one after a crash, may try. Beyond an attempt it is for a
    database that cannot be reached for a while.
    """
    clock: Callable[[], float] = time.time
    draw: Callable[[], float] = secrets.SystemRandom().random


class Deliverer:
    """One for each process, in a task that runs ``run``."""

    def __init__(
        self, database: Database, vault: Vault, guard: Fetch, tempo: Tempo | None = None
    ) -> None:
        self._database = database
        self._vault = vault
        self._guard = guard
        self._tempo = Tempo() if tempo is None else tempo
        self._lanes = Lanes(self._tempo.widths)
        self._outcomes: list[Outcome] = []
        """What is not written down yet; it keeps its lanes."""
        self._outage: Unreachable | None = None
        """Why the database cannot be asked, as long as it cannot."""
        self._woken = asyncio.Event()
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Sends what is due until ``stop`` is called; then what runs is brought to its end.

        Cancelled, it makes no more requests; answers that are in are still written down.
        """
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as attempts:
                counting = attempts.create_task(self._count())
                while not self._stopping.is_set():
                    self._woken.clear()
                    taken = await self._turn()
                    for due in taken:
                        attempts.create_task(self._deliver(due))
                    if not taken:
                        await self._wait()
                counting.cancel()
        finally:
            await self._write_down_the_rest()

    def wake(self, in_s: float = 0.0) -> None:
        """Something may be due now, or in so many seconds; from any thread."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        loop.call_soon_threadsafe(loop.call_later, in_s, self._woken.set)

    def stop(self) -> None:
        """Nothing new is begun; on the thread of the event loop."""
        self._stopping.set()
        self._woken.set()

    # --- the database ----------------------------------------------------------------------

    async def _turn(self) -> list[Due]:
        """Writes down what became of attempts, and leases as much as there is room for then.

        One transaction, because each waits for the disk.
        """
        known = tuple(self._outcomes)
        lanes = self._lanes.copy()
        for due, _ in known:
            lanes.leave(due)
        now = self._tempo.clock()
        asked = Asked(
            now=now,
            leased_until=now + self._tempo.lease_s,
            room=lanes.room,
            busy_origins=lanes.busy_origins,
            busy_accounts=lanes.busy_accounts,
        )
        try:
            taken = await self._database.write(lambda found: _turned(found, known, asked, lanes))
        except Unreachable as failure:
            # An outage is told when it begins and when it ends, not at each look.
            if self._outage is None:
                log.warning("webhooks wait for the database", reason=str(failure))
            self._outage = failure
            return []
        except sa.exc.SQLAlchemyError:
            # A fault of our own; the next look may well succeed, and silence would not.
            log.exception("webhooks cannot be looked up")
            return []
        if self._outage is not None:
            log.info("webhooks have their database again")
            self._outage = None
        # Only now: what is not written down yet would be sent again after a crash.
        for outcome in known:
            self._outcomes.remove(outcome)
            self._lanes.leave(outcome[0])
        for due in taken:
            self._lanes.enter(due)
        return taken

    async def _write_down_the_rest(self) -> None:
        known = tuple(self._outcomes)
        try:
            await self._database.write(lambda found: _settle(found, known))
        except Unreachable as failure:
            log.warning("webhook outcomes were not kept", reason=str(failure), count=len(known))

    async def _wait(self) -> None:
        """Until somebody calls ``wake``, an attempt is over, or some seconds are."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._tempo.poll_s):
                await self._woken.wait()

    async def _count(self) -> None:
        """Tells how many wait, again and again."""
        while True:
            # Where the database is away, taking what is due says so.
            with contextlib.suppress(Unreachable):
                metrics.WEBHOOKS_PENDING.set(await self._database.read(store.waiting))
            await asyncio.sleep(COUNT_SECONDS)

    # --- one attempt -----------------------------------------------------------------------

    async def _deliver(self, due: Due) -> None:
        answer = await self._answer(due)
        went = judged(answer, self._tempo.clock(), partial(self._wait_s, due))
        outcome = "retried" if went.status == "pending" else went.status
        metrics.WEBHOOK_ATTEMPTS.labels(outcome).inc()
        self._outcomes.append((due, went))
        self._woken.set()

    def _wait_s(self, due: Due, asked_s: float | None) -> float | None:
        return self._tempo.schedule.wait_s(due.attempts + 1, self._tempo.draw(), asked_s)

    async def _answer(self, due: Due) -> OutboundResponse | Failure:
        try:
            attempt = Attempt(due, self._tempo.clock(), self._tempo.attempt_s)
            return await post(self._guard, self._vault, attempt)
        except Failure as failure:
            return failure
        except Exception:
            log.exception("webhook attempt broke", delivery=due.id)
            return Failure("Internal service error")


def _turned(
    connection: sa.Connection, known: Sequence[Outcome], asked: Asked, lanes: Lanes
) -> list[Due]:
    """What is due and fits into the lanes, leased; what nobody wants any more is given up."""
    _settle(connection, known)
    if asked.room <= 0:
        return []
    found = store.due(connection, asked)
    while any(not due.is_wanted for due in found):
        store.give_up(connection, [due for due in found if not due.is_wanted], GONE)
        found = store.due(connection, asked)
    taken = lanes.fitting(found)
    store.lease(connection, taken, asked.leased_until)
    return taken


def _settle(connection: sa.Connection, known: Sequence[Outcome]) -> None:
    for due, went in known:
        store.settle(connection, due, went)
