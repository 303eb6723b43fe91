"""What is remembered of created keys, for how long, and what happens without the database."""

from __future__ import annotations

import asyncio
import secrets
import time

import pytest
import structlog

from antiphon_server.security.stored_keys import MOST_ABSENT, StoredKeys
from antiphon_server.store.database import Database, Unreachable
from antiphon_server.store.keys import KeyStore
from server.security.created_keys import (
    Clock,
    asked,
    create,
    found,
    last_used_at,
    revoke,
    unreachable,
)


def _known(database: Database) -> tuple[StoredKeys, Clock]:
    clock = Clock()
    return StoredKeys(KeyStore(database), clock), clock


async def test_a_key_is_asked_for_once_in_5_seconds(database: Database) -> None:
    """However many sessions begin with it."""
    known, clock = _known(database)
    key_id, _ = create(database)
    with asked(database) as statements:
        for _ in range(10):
            assert found(await known.find(key_id)).id == key_id
            clock.now += 0.49
    assert _selects(statements) == 1
    clock.now += 0.2
    with asked(database) as statements:
        await known.find(key_id)
    assert _selects(statements) == 1


async def test_all_who_wait_share_one_question(database: Database) -> None:
    """Also when those who asked first have left; an answer is an answer to all."""
    known, _ = _known(database)
    key_id, _ = create(database)
    with asked(database) as statements:
        first = asyncio.create_task(known.find(key_id))
        others = [asyncio.create_task(known.find(key_id)) for _ in range(50)]
        await asyncio.sleep(0)
        first.cancel()
        keys = await asyncio.gather(*others)
    assert {found(key).id for key in keys} == {key_id}
    assert _selects(statements) == 1


async def test_a_key_revoked_elsewhere_is_so_within_5_seconds(database: Database) -> None:
    """Counted from the question, not from the answer."""
    known, clock = _known(database)
    key_id, _ = create(database)
    assert found(await known.find(key_id)).is_good(time.time())
    revoke(database, key_id)
    clock.now += 5
    assert not found(await known.find(key_id)).is_good(time.time())


async def test_an_id_that_nobody_has_is_remembered_too(database: Database) -> None:
    """As long, and of so many only: who guesses must not fill the memory."""
    known, clock = _known(database)
    with asked(database) as statements:
        assert await known.find("key_0") is None
        assert await known.find("key_0") is None
        clock.now += 5
        assert await known.find("key_0") is None
    assert _selects(statements) == 2
    for _ in range(MOST_ABSENT + 10):
        await known.find(f"key_{secrets.token_hex(8)}")
    assert len(known._absent) == MOST_ABSENT


async def test_without_the_database_a_known_key_counts_for_5_minutes(database: Database) -> None:
    """Calls go on through its restart; then nobody knows any more."""
    known, clock = _known(database)
    key_id, _ = create(database)
    await known.find(key_id)
    with unreachable(database):
        for _ in range(29):
            clock.now += 10
            assert await known.find(key_id) is not None
        with pytest.raises(Unreachable):
            await known.find("key_0")
        clock.now += 10
        with pytest.raises(Unreachable):
            await known.find(key_id)
    clock.now += 1
    assert await known.find(key_id) is not None


async def test_a_dead_database_is_asked_once_a_second(database: Database) -> None:
    """So that a session of a known key does not wait for it; the log is told each time."""
    known, clock = _known(database)
    key_id, _ = create(database)
    await known.find(key_id)
    clock.now += 5
    with unreachable(database), structlog.testing.capture_logs() as lines:
        for _ in range(20):
            await known.find(key_id)
            with pytest.raises(Unreachable):
                await known.find("key_0")
        assert len(lines) == 1
        clock.now += 1
        await known.find(key_id)
        assert len(lines) == 2


async def test_a_database_that_does_not_answer_is_not_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not longer than 2 seconds: its threads are all taken here, and never come back in time."""
    known, clock = _known(database)
    key_id, _ = create(database)
    await known.find(key_id)
    monkeypatch.setattr("antiphon_server.security.stored_keys.ASK_SECONDS", 0.01)
    clock.now += 5
    over = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def never() -> None:
        await over.wait()

    stuck = [
        asyncio.create_task(
            database.read(
                lambda _: asyncio.run_coroutine_threadsafe(never(), loop).result(),
            )
        )
        for _ in range(4)
    ]
    await asyncio.sleep(0)
    assert await known.find(key_id) is not None
    over.set()
    await asyncio.gather(*stuck)


async def test_whether_a_key_was_ever_created_is_asked_until_it_was(database: Database) -> None:
    """At most each 5 seconds, then never again."""
    known, clock = _known(database)
    with asked(database) as statements:
        assert not await known.exist()
        assert not await known.exist()
    assert _selects(statements) == 1
    key_id, _ = create(database)
    assert not await known.exist()
    clock.now += 5
    assert await known.exist()
    revoke(database, key_id)
    with unreachable(database):
        clock.now += 1_000_000
        assert await known.exist()


async def test_a_key_that_is_presented_exists_at_once(database: Database) -> None:
    """Nobody is let in without a key from the moment on in which one was used."""
    known, _ = _known(database)
    assert not await known.exist()
    key_id, _ = create(database)
    await known.find(key_id)
    assert await known.exist()


async def test_without_the_database_it_stays_as_it_was(database: Database) -> None:
    """Where it is not known it is not made up."""
    known, clock = _known(database)
    with unreachable(database), pytest.raises(Unreachable):
        await known.exist()
    clock.now += 1
    assert not await known.exist()
    with unreachable(database):
        clock.now += 299
        assert not await known.exist()
        clock.now += 1
        with pytest.raises(Unreachable):
            await known.exist()


async def test_the_last_use_is_written_once_a_minute(database: Database) -> None:
    """Behind the back of those who use it."""
    known, clock = _known(database)
    key_id, _ = create(database)
    before = time.time()
    with asked(database) as statements:
        for _ in range(12):
            known.used(key_id)
            clock.now += 5
        assert _updates(statements) == 0
        await known.close()
        assert _updates(statements) == 1
        known.used(key_id)
        await known.close()
        assert _updates(statements) == 2
    assert before <= (last_used_at(database, key_id) or 0) <= time.time()


async def test_a_last_use_that_cannot_be_written_harms_nobody(database: Database) -> None:
    """The log has it."""
    known, _ = _known(database)
    key_id, _ = create(database)
    with unreachable(database), structlog.testing.capture_logs() as lines:
        known.used(key_id)
        await known.close()
    assert lines[0]["key"] == key_id
    assert last_used_at(database, key_id) is None


def _selects(statements: list[str]) -> int:
    return sum("SELECT" in statement for statement in statements)


def _updates(statements: list[str]) -> int:
    return sum("UPDATE" in statement for statement in statements)
