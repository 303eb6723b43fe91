"""Sending what is in the outbox, on both databases; the test decides what time it is."""

from __future__ import annotations

import asyncio
import json

import pytest
import sqlalchemy as sa
from prometheus_client import Counter

from antiphon import webhooks
from antiphon_server.observe import metrics
from antiphon_server.security.outbound import OutboundGuard
from antiphon_server.store import webhook_subscriptions
from antiphon_server.store.database import Database
from antiphon_server.webhooks.deliverer import GONE, Deliverer, Tempo
from antiphon_server.webhooks.lanes import Widths
from raw_http import Exchange
from server.webhooks.outbox_rig import (
    ACCOUNT,
    AT,
    SECRET,
    VAULT,
    Clock,
    answering,
    delivering,
    enqueue,
    event,
    receiving,
    rows,
    subscribe,
)

STEPS = (5.0, 60.0, 600.0, 3600.0)
"""The schedule's waits; ``draw`` of these tests takes their middle."""


def _tempo(clock: Clock, **other: object) -> Tempo:
    return Tempo(clock=clock, draw=lambda: 0.5, poll_s=0.01, **other)  # type: ignore[arg-type]


def _count(counter: Counter, outcome: str) -> float:
    return float(counter.labels(outcome)._value.get())


async def test_an_event_is_delivered_once_and_signed(database: Database) -> None:
    """The receiver believes it, and it is written down."""
    clock = Clock()
    async with receiving() as receiver:
        subscribe(database, url=receiver.url)
        enqueue(database, event(kind="session.completed", payload={"duration_seconds": 3.5}))
        async with delivering(database, receiver.host, tempo=_tempo(clock)):
            await receiver.got(1)
        (request,) = receiver.server.requests
    told = webhooks.verify(request.body, request.headers, SECRET, now=AT)
    assert told.session is not None
    assert told.session.duration_seconds == 3.5
    (row,) = rows(database)
    assert (row.status, row.attempt_count, row.http_status_code) == ("delivered", 1, 204)
    assert (row.delivered_at, row.next_retry_at, row.error) == (AT, None, None)


async def test_every_attempt_has_the_same_body_and_a_time_of_its_own(database: Database) -> None:
    """Five attempts at 5 s, 1 min, 10 min and 1 h; then it is given up."""
    clock = Clock()
    given_up = _count(metrics.WEBHOOK_ATTEMPTS, "failed")
    async with receiving(lambda _: 500) as receiver:
        subscribe(database, url=receiver.url)
        enqueue(database, event())
        for attempt, wait in enumerate((*STEPS, None), 1):
            async with delivering(database, receiver.host, tempo=_tempo(clock)):
                await receiver.got(attempt)
            (row,) = rows(database)
            assert row.attempt_count == attempt
            assert row.next_retry_at == (None if wait is None else clock.now + wait)
            clock.now += wait or 1e6
        requests = receiver.server.requests
    assert (row.status, row.error) == ("failed", "HTTP 500: Internal Server Error")
    assert len({request.body for request in requests}) == 1
    assert len({request.headers["webhook-id"] for request in requests}) == 1
    times = [int(request.headers["webhook-timestamp"]) for request in requests]
    assert times == [int(AT + sum(STEPS[:count])) for count in range(5)]
    assert _count(metrics.WEBHOOK_ATTEMPTS, "failed") == given_up + 1


async def test_nothing_is_sent_before_its_time(database: Database) -> None:
    """While others are sent; then at once."""
    clock = Clock()
    async with receiving(lambda _: 503) as receiver:
        subscribe(database, url=receiver.url)
        enqueue(database, event())
        async with delivering(database, receiver.host, tempo=_tempo(clock)):
            await receiver.got(1)
        clock.now += 4.9
        enqueue(database, event("sess_2", at=clock.now))
        async with delivering(database, receiver.host, tempo=_tempo(clock)):
            await receiver.got(2)
        assert set(receiver.arrived.values()) == {1}
        async with delivering(database, receiver.host, tempo=_tempo(clock)):
            clock.now += 0.2
            await receiver.got(3)
        assert sorted(receiver.arrived.values()) == [1, 2]


async def test_a_receiver_that_asks_to_wait_is_left_alone(database: Database) -> None:
    """For an hour at most (``Retry-After`` with 429 and 503)."""

    async def refuse(exchange: Exchange) -> None:
        answered.set()
        await exchange.respond(429, b"slow down", "retry-after: 86400")

    answered = asyncio.Event()
    async with answering(refuse) as server:
        subscribe(database, url=server.url)
        enqueue(database, event())
        host = server.url.removeprefix("http://")
        async with delivering(database, host, tempo=_tempo(Clock())):
            await answered.wait()
    (row,) = rows(database)
    assert (row.next_retry_at, row.error) == (AT + 3600, "HTTP 429: slow down")


async def test_a_new_event_goes_out_at_once_when_somebody_says_so(database: Database) -> None:
    """From any thread, now or in a moment, without waiting for the next look at the database."""
    async with receiving() as receiver:
        subscribe(database, url=receiver.url)
        tempo = Tempo(clock=Clock(), poll_s=3_600)
        async with delivering(database, receiver.host, tempo=tempo) as deliverer:
            for number in range(3):
                await asyncio.to_thread(enqueue, database, event(f"sess_{number}"))
                await asyncio.to_thread(deliverer.wake, 0.01 * number)
                await receiver.got(number + 1)


async def test_waking_one_that_does_not_run_is_nothing(database: Database) -> None:
    """Before it runs, it will look anyway; after, nobody listens."""
    guard = OutboundGuard()
    deliverer = Deliverer(database, VAULT, guard)
    deliverer.wake()
    deliverer.stop()
    await deliverer.run()
    deliverer.wake()
    await guard.close()


async def test_the_end_comes_after_the_first_attempt_at_the_beginning(
    database: Database,
) -> None:
    """Also where that one fails: what is late does not hold up the rest for an hour."""
    kinds: list[str] = []

    def status(exchange: Exchange) -> int:
        kinds.append(exchange.request.json["event"])
        return 500 if kinds == ["session.started"] else 200

    async with receiving(status) as receiver:
        subscribe(database, url=receiver.url)
        enqueue(database, event(kind="session.completed"), event())
        async with delivering(database, receiver.host):
            await receiver.got(2)
    assert kinds == ["session.started", "session.completed"]


async def test_a_receiver_that_does_not_answer_holds_up_nobody_else(database: Database) -> None:
    """It has its lanes; what goes to others passes by, however much waits for it."""
    silent = asyncio.Event()

    async def never(exchange: Exchange) -> None:
        silent.set()
        await exchange.until_left()

    tempo = Tempo(clock=Clock(), poll_s=0.01, attempt_s=30, widths=Widths(in_all=4, to_an_origin=2))
    async with answering(never) as slow, receiving() as receiver:
        subscribe(database, url=slow.url, events=("session.started",))
        enqueue(database, *(event(f"sess_{n}", at=AT - 1) for n in range(20)))
        subscribe(database, "whs_2", receiver.url, events=("session.completed",))
        enqueue(database, *(event(f"sess_{n}", kind="session.completed") for n in range(20)))
        hosts = (slow.url.removeprefix("http://"), receiver.host)
        async with delivering(database, *hosts, tempo=tempo):
            await silent.wait()
            await receiver.got(20)
            assert slow.connections == 2
            await slow.stop()


async def test_a_subscription_that_comes_or_goes_meanwhile(database: Database) -> None:
    """Hears of what happens while it is there and enabled; what waits then is given up."""
    clock = Clock()

    async with receiving(lambda _: 500) as receiver:
        enqueue(database, event("sess_before"))
        subscribe(database, url=receiver.url)
        enqueue(database, event("sess_during"), event("sess_other"))
        async with delivering(database, receiver.host, tempo=_tempo(clock)):
            await receiver.got(2)
        database.now(
            lambda found: webhook_subscriptions.change(found, ACCOUNT, "whs_1", {"enabled": False})
        )
        enqueue(database, event("sess_after"))
        clock.now += 6
        subscribe(database, "whs_2", f"{receiver.url}/2")
        enqueue(database, event("sess_last", at=clock.now))
        async with delivering(database, receiver.host, tempo=_tempo(clock)):
            await receiver.got(3)
        paths = [request.path for request in receiver.server.requests]
    assert paths == ["/hook", "/hook", "/hook/2"]
    told = {row.session_id: (row.status, row.error) for row in rows(database)}
    assert told == {
        "sess_during": ("failed", GONE),
        "sess_other": ("failed", GONE),
        "sess_last": ("pending", "HTTP 500: Internal Server Error"),
    }


async def test_a_new_secret_signs_what_waits(database: Database) -> None:
    """The receiver may forget the old one at once."""
    clock = Clock()
    new = SECRET[::-1]
    sealed = VAULT.seal(new.encode(), webhook_subscriptions.secret_context("whs_1"))
    async with receiving(lambda _: 401) as receiver:
        subscribe(database, url=receiver.url)
        enqueue(database, event())
        async with delivering(database, receiver.host, tempo=_tempo(clock)):
            await receiver.got(1)
        database.now(
            lambda found: webhook_subscriptions.change(found, ACCOUNT, "whs_1", {"secret": sealed})
        )
        clock.now += 5
        async with delivering(database, receiver.host, tempo=_tempo(clock)):
            await receiver.got(2)
        first, second = receiver.server.requests
    webhooks.verify(first.body, first.headers, SECRET, now=AT)
    webhooks.verify(second.body, second.headers, new, now=AT + 5)


async def test_several_nodes_share_the_work(database: Database) -> None:
    """Each event arrives once."""
    async with receiving() as receiver:
        subscribe(database, url=receiver.url)
        enqueue(database, *(event(f"sess_{n}") for n in range(60)))
        async with (
            delivering(database, receiver.host),
            delivering(database, receiver.host),
            delivering(database, receiver.host),
        ):
            await receiver.got(60)
    assert set(receiver.taken.values()) == {1}
    assert {row.status for row in rows(database)} == {"delivered"}


async def test_what_waits_is_told_in_the_metrics(database: Database) -> None:
    """And how attempts went."""
    before = _count(metrics.WEBHOOK_ATTEMPTS, "delivered")
    async with receiving() as receiver:
        subscribe(database, url=receiver.url)
        enqueue(database, event(), event("sess_later", at=AT + 1_000))
        async with delivering(database, receiver.host):
            await receiver.got(1)
        async with delivering(database) as deliverer:
            counting = asyncio.create_task(deliverer._count())
            while metrics.WEBHOOKS_PENDING._value.get() != 1:  # noqa: ASYNC110 - it has no event
                await asyncio.sleep(0)
            counting.cancel()
    assert _count(metrics.WEBHOOK_ATTEMPTS, "delivered") == before + 1


async def test_an_attempt_that_breaks_counts_as_one(database: Database) -> None:
    """A fault of our own ends neither the deliverer nor the delivery."""
    clock = Clock()
    async with receiving() as receiver:
        subscribe(database, url=receiver.url)
        enqueue(database, event())
        broken = sa.text("UPDATE webhook_subscriptions SET secret = :secret")
        sealed = VAULT.seal(b"\xff", webhook_subscriptions.secret_context("whs_1"))
        database.now(lambda found: found.execute(broken, {"secret": sealed}))
        async with delivering(database, receiver.host, tempo=_tempo(clock)) as deliverer:
            while not rows(database)[0].attempt_count:  # noqa: ASYNC110 - the database has no event
                await asyncio.sleep(0.01)
            subscribe(database, "whs_2", f"{receiver.url}/2")
            enqueue(database, event("sess_2"))
            deliverer.wake()
            await receiver.got(1)
    first = rows(database)[0]
    assert (first.status, first.error) == ("pending", "Internal service error")


@pytest.mark.parametrize(
    ("pieces", "error"),
    [
        ((), "the request failed: RemoteProtocolError"),
        ((b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",), "the request failed"),
        ((b"220 mail.example ESMTP\r\n",), "the request failed: RemoteProtocolError"),
        (
            tuple(
                b"HTTP/1.1 200 OK\r\n" * (n == 0) + b"x: " + b"y" * 60_000 + b"\r\n"
                for n in range(9)
            ),
            "the head of the answer is too large",
        ),
        (
            (b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",),
            "HTTP 302: Found",
        ),
        (
            (b"HTTP/1.1 500 No\r\ncontent-length: 9999999\r\n\r\n", b"z" * 200_000),
            f"HTTP 500: {'z' * 190}",
        ),
    ],
    ids=["hangs up", "half", "no HTTP", "endless headers", "redirect", "huge refusal"],
)
async def test_a_hostile_receiver_gets_its_next_attempt_later(
    database: Database, pieces: tuple[bytes, ...], error: str
) -> None:
    """Nothing is followed, nothing huge is read, nothing else is disturbed."""
    answered = asyncio.Event()

    async def hostile(exchange: Exchange) -> None:
        answered.set()
        await exchange.send(*pieces)
        exchange.reset() if not pieces else exchange.writer.close()

    async with answering(hostile) as server, receiving() as receiver:
        subscribe(database, url=server.url, events=("session.started",))
        subscribe(database, "whs_2", receiver.url, events=("session.completed",))
        enqueue(database, event(), event("sess_2", kind="session.completed"))
        hosts = (server.url.removeprefix("http://"), receiver.host)
        async with delivering(database, *hosts):
            await answered.wait()
            await receiver.got(1)
    first, second = rows(database)
    assert (first.status, first.attempt_count, second.status) == ("pending", 1, "delivered")
    assert first.error.startswith(error)


async def test_a_huge_answer_of_success_is_a_success(database: Database) -> None:
    """Its body is nobody's business; a few kilobytes are read."""

    async def chatter(exchange: Exchange) -> None:
        await exchange.send(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n")
        while True:
            await exchange.send(b"x" * 65_536)

    async with answering(chatter) as server, receiving() as receiver:
        subscribe(database, url=server.url)
        subscribe(database, "whs_2", receiver.url)
        enqueue(database, event())
        async with delivering(database, server.url.removeprefix("http://"), receiver.host):
            await receiver.got(1)
    assert {row.status for row in rows(database)} == {"delivered"}


async def test_a_receiver_that_never_answers_is_left_in_the_end(database: Database) -> None:
    """Ten seconds, here a fraction of one."""

    async def never(exchange: Exchange) -> None:
        await exchange.until_left()
        left.set()

    left = asyncio.Event()
    async with answering(never) as server:
        subscribe(database, url=server.url)
        enqueue(database, event())
        tempo = Tempo(clock=Clock(), poll_s=0.01, attempt_s=0.2)
        async with delivering(database, server.url.removeprefix("http://"), tempo=tempo):
            await left.wait()
    (row,) = rows(database)
    assert (row.error, row.http_status_code) == ("no whole answer within 0.2 s", None)


async def test_the_body_is_that_of_the_event(database: Database) -> None:
    """Byte for byte what the outbox wrote."""
    async with receiving() as receiver:
        subscribe(database, url=receiver.url)
        enqueue(database, event(payload={"close_reason": "é\x00"}))
        async with delivering(database, receiver.host):
            await receiver.got(1)
        (request,) = receiver.server.requests
    assert json.loads(request.body)["session"]["close_reason"] == "é\x00"
    assert request.headers["content-length"] == str(len(request.body))
