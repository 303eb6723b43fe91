"""Nothing is lost and next to nothing is sent twice, whatever dies (reliability goal R35)."""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from structlog.testing import capture_logs

from antiphon_server.store.database import Database
from antiphon_server.store.migrate import upgrade
from antiphon_server.store.tables import webhook_deliveries as deliveries
from antiphon_server.webhooks.deliverer import Deliverer, Tempo
from outbound_peer import guarded
from postgres import Postgres
from raw_http import Exchange, RawServer
from server.webhooks.deliverer_process import LANES, LEASE_S, tempo_of
from server.webhooks.outbox_rig import (
    AT,
    VAULT,
    Clock,
    Receiver,
    answering,
    delivering,
    enqueue,
    event,
    receiving,
    rows,
    subscribe,
)

SESSIONS = 500
EVENTS = 2 * SESSIONS
FAILING = 0.3
CRASHES = 5


def _unreliable(seed: int) -> Callable[[Exchange], int]:
    """Refuses three requests in ten, but no event five times: that one would be given up."""
    chance = random.Random(seed)  # noqa: S311 - so that a failure can be repeated
    refusals: dict[str, int] = {}

    def status(exchange: Exchange) -> int:
        name = exchange.request.headers["webhook-id"]
        if chance.random() < FAILING and refusals.get(name, 0) < 4:
            refusals[name] = refusals.get(name, 0) + 1
            return chance.choice((500, 503, 429, 404))
        return 204

    return status


@asynccontextmanager
async def _receiving(seed: int) -> AsyncIterator[Receiver]:
    """An unreliable receiver that looks at an event for 5 ms before it takes it."""
    async with receiving(_unreliable(seed)) as receiver:

        async def after_a_while(exchange: Exchange) -> None:
            await asyncio.sleep(0.005)
            await receiver.answer(exchange)

        receiver.server.answer = after_a_while
        yield receiver


def _fill(database: Database, url: str) -> None:
    subscribe(database, url=url)
    names = [f"sess_{number:03}" for number in range(SESSIONS)]
    enqueue(database, *(event(name) for name in names))
    enqueue(database, *(event(name, kind="session.completed") for name in names))


def _pending(connection: sa.Connection) -> list[float]:
    """When what is pending will be due, or its lease over."""
    query = sa.select(deliveries.c.next_retry_at).where(deliveries.c.status == "pending")
    return sorted(row.next_retry_at for row in connection.execute(query))


class _Time:
    """A file with the time, which goes on when nothing else can happen."""

    def __init__(self, file: Path, database: Database) -> None:
        self._file = file
        self._database = database
        self.now = AT
        self.go(0)

    def go(self, seconds: float) -> None:
        """Lets time pass. The file is replaced whole: it is read meanwhile."""
        self.now += seconds
        draft = self._file.with_suffix(".new")
        draft.write_text(repr(self.now))
        draft.replace(self._file)

    async def until_all_is_over(self) -> None:
        """Goes on to when half of what waits is due, until nothing is pending."""
        while moments := await self._database.read(_pending):
            is_leased = moments[-1] > self.now + LEASE_S / 2
            if not is_leased and moments[0] > self.now:
                self.go(moments[len(moments) // 2] - self.now)
            await asyncio.sleep(0.02)


def _judge(database: Database, receiver: Receiver) -> None:
    """At least once each; twice at most what was under way in a crash: one in a hundred."""
    assert {row.status for row in rows(database)} == {"delivered"}
    assert len(receiver.taken) == EVENTS
    assert min(receiver.taken.values()) >= 1
    twice = receiver.taken.total() - EVENTS
    assert twice <= CRASHES * LANES == EVENTS // 100, f"{twice} were taken twice"
    bodies: dict[str, set[bytes]] = {}
    for request in receiver.server.requests:
        bodies.setdefault(request.headers["webhook-id"], set()).add(request.body)
    assert all(len(found) == 1 for found in bodies.values())


async def _cancelled(work: Coroutine[Any, Any, None], until: Awaitable[None]) -> None:
    """Runs until then, and is cancelled in the middle of attempts."""
    running = asyncio.create_task(work)
    await until
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert running.cancelled()


async def _killed(arguments: tuple[str, ...], until: Awaitable[None]) -> None:
    """A process that delivers until then, and is killed in the middle of attempts."""
    program = str(Path(__file__).with_name("deliverer_process.py"))
    process = await asyncio.create_subprocess_exec(sys.executable, program, *arguments)
    await until
    process.kill()
    await process.wait()


@pytest.mark.timeout(300)
async def test_a_thousand_events_survive_three_kills_and_two_cancellations(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """Of a process with SIGKILL, and of a task."""
    clock = tmp_path / "clock"
    time = _Time(clock, database)
    async with _receiving(2) as receiver, guarded(receiver.host) as guard:
        _fill(database, receiver.url)
        for crash in range(1, CRASHES + 1):
            if crash <= 3:
                arguments = (database_url, str(clock), receiver.host)
                await _killed(arguments, receiver.got(200 * crash))
            else:
                deliverer = Deliverer(database, VAULT, guard, tempo_of(clock))
                await _cancelled(deliverer.run(), receiver.got(200 * crash))
            time.go(LEASE_S + 1)
        async with delivering(database, receiver.host, tempo=tempo_of(clock)):
            await time.until_all_is_over()
        _judge(database, receiver)


@pytest.fixture
def leaving() -> Iterator[Postgres]:
    """A PostgreSQL that other tests do not miss while it is away."""
    server = Postgres()
    server.start()
    yield server
    server.remove()


@asynccontextmanager
async def _away(leaving: Postgres) -> AsyncIterator[tuple[Database, RawServer, asyncio.Event]]:
    """A database that goes away before the first event is taken, and when that was."""
    database = Database(leaving.create("webhooks"))
    upgrade(database)
    answered = asyncio.Event()

    async def take(exchange: Exchange) -> None:
        if not answered.is_set():
            await asyncio.to_thread(leaving.stop)
        await exchange.respond(204, b"")
        answered.set()

    async with answering(take) as server:
        subscribe(database, url=server.url)
        enqueue(database, event())
        yield database, server, answered
    await database.close()


async def _delivered(database: Database) -> None:
    while rows(database)[0].status == "pending":  # noqa: ASYNC110 - the database has no event
        await asyncio.sleep(0.02)


async def test_what_was_taken_while_the_database_was_away_is_not_sent_again(
    leaving: Postgres,
) -> None:
    """The outcome is written down once the database is back; the log tells both ends of the
    outage once, however often the database was asked in between.
    """
    async with _away(leaving) as (database, server, answered):
        tempo = Tempo(clock=Clock(), poll_s=0.01)
        with capture_logs() as lines:
            async with delivering(database, server.url.removeprefix("http://"), tempo=tempo):
                await answered.wait()
                await asyncio.to_thread(leaving.start)
                await _delivered(database)
        assert len(server.requests) == 1
    told = [line["event"] for line in lines if "database" in line["event"]]
    assert told == ["webhooks wait for the database", "webhooks have their database again"]


async def test_what_could_not_be_written_down_is_sent_again(leaving: Postgres) -> None:
    """When the server stopped while the database was away: at least once, after the lease."""
    clock = Clock()
    async with _away(leaving) as (database, server, answered):
        host = server.url.removeprefix("http://")
        tempo = Tempo(clock=clock, poll_s=0.05)
        async with delivering(database, host, tempo=tempo):
            await answered.wait()
        await asyncio.to_thread(leaving.start)
        assert rows(database)[0].attempt_count == 0
        clock.now += tempo.lease_s
        async with delivering(database, host, tempo=tempo):
            await _delivered(database)
        first, second = server.requests
    assert first.body == second.body
