"""An outbox with something in it, a receiver, and a deliverer whose time a test decides."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from antiphon_server.security.outbound import OutboundGuard
from antiphon_server.security.secrets import Vault
from antiphon_server.store import webhook_deliveries
from antiphon_server.store.database import Database
from antiphon_server.store.tables import webhook_deliveries as deliveries
from antiphon_server.store.webhook_deliveries import Asked, Due
from antiphon_server.store.webhook_outbox import Outbox, SessionEvent
from antiphon_server.store.webhook_subscriptions import Subscription, insert, secret_context
from antiphon_server.webhooks.deliverer import Deliverer, Tempo
from raw_http import Answer, Exchange, RawServer, raw_server

VAULT = Vault((bytes(32),))
SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of no server
ACCOUNT = "account-1"
AT = 1_790_000_000.25
"""When the events of these tests happen, in Unix seconds."""


def event(session_id: str = "sess_1", kind: str = "session.started", **other: Any) -> SessionEvent:
    """An event of a session without an agent."""
    told = {"account": ACCOUNT, "agent_id": None, "payload": {}, "at": AT} | other
    return SessionEvent(session_id=session_id, kind=kind, **told)  # type: ignore[arg-type]


def enqueue(database: Database, *events: SessionEvent) -> None:
    """Writes events in one transaction."""
    outbox = Outbox(VAULT)

    def work(connection: sa.Connection) -> None:
        for one in events:
            outbox.enqueue(connection, one)

    database.now(work)


def subscribe(
    database: Database, name: str = "whs_1", url: str = "https://a.example/", **other: Any
) -> Subscription:
    """A subscription to both events of a session, for every agent."""
    told = {
        "account": ACCOUNT,
        "agent_id": None,
        "events": ("session.started", "session.completed"),
        "enabled": True,
    } | other
    new = Subscription(
        id=name,
        url=url,
        secret=VAULT.seal(SECRET.encode(), secret_context(name)),
        created_at=AT,
        updated_at=AT,
        **told,
    )
    database.now(lambda connection: insert(connection, new))
    return new


def rows(database: Database) -> list[Any]:
    """Every delivery, by session and time."""
    query = sa.select(deliveries).order_by(deliveries.c.session_id, deliveries.c.created_at)
    return list(database.now(lambda connection: connection.execute(query).all(), writes=False))


def due(database: Database, now: float = AT, room: int = 1000, **other: Any) -> list[Due]:
    """What is due, without taking it."""
    asked = Asked(now=now, leased_until=now + 60, room=room, **other)
    return database.now(lambda connection: webhook_deliveries.due(connection, asked))


@dataclass
class Clock:
    """Unix seconds that pass when a test says so."""

    now: float = AT

    def __call__(self) -> float:
        """The time."""
        return self.now


@dataclass
class Receiver:
    """A web server that takes events, or not, as ``status_of`` says."""

    server: RawServer
    status_of: Callable[[Exchange], int] = lambda _: 204
    arrived: Counter[str] = field(default_factory=Counter)
    """How many attempts there were, by event id."""
    taken: Counter[str] = field(default_factory=Counter)
    """How many of them were answered with success."""
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        """Where to."""
        return f"{self.server.url}/hook"

    @property
    def host(self) -> str:
        """For the guard's allow-list."""
        return self.server.url.removeprefix("http://")

    async def answer(self, exchange: Exchange) -> None:
        """One attempt; it counts before its answer leaves."""
        name = exchange.request.json["event_id"]
        status = self.status_of(exchange)
        async with self._changed:
            self.arrived[name] += 1
            self.taken[name] += status < 300
            self._changed.notify_all()
        await exchange.respond(status, b"")

    async def got(self, attempts: int) -> None:
        """Returns once there were that many attempts."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.arrived.total() >= attempts)


@asynccontextmanager
async def receiving(
    status_of: Callable[[Exchange], int] = lambda _: 204,
) -> AsyncIterator[Receiver]:
    """A receiver on this machine."""

    async def unset(exchange: Exchange) -> None:
        raise AssertionError(exchange)

    async with raw_server(unset) as server:
        receiver = Receiver(server, status_of)
        server.answer = receiver.answer
        yield receiver


@asynccontextmanager
async def answering(answer: Answer) -> AsyncIterator[RawServer]:
    """A receiver that says what a test wants, byte for byte."""
    async with raw_server(answer) as server:
        yield server


@asynccontextmanager
async def delivering(
    database: Database, *hosts: str, tempo: Tempo | None = None
) -> AsyncIterator[Deliverer]:
    """A deliverer that runs; at the end it is stopped, and what it began is finished."""
    guard = OutboundGuard(hosts)
    chosen = tempo or Tempo(clock=Clock(), poll_s=0.01)
    deliverer = Deliverer(database, VAULT, guard, chosen)
    running = asyncio.create_task(deliverer.run())
    try:
        yield deliverer
    finally:
        deliverer.stop()
        await asyncio.gather(running, return_exceptions=True)
        await guard.close()
    if not running.cancelled():
        running.result()
