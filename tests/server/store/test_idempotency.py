"""Claims of keys, on both databases."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from antiphon_server.store.database import Database
from antiphon_server.store.idempotency import (
    ABANDONED_SECONDS,
    KEPT_SECONDS,
    Claim,
    Claims,
    InProgress,
    Kept,
    Reused,
)

CLAIM = Claim("account-1", "key-1", "POST /v1/agents", b"digest")
KEPT = Kept(201, b'{"id":"\x00\xff"}')


class _Clock:
    """Unix seconds, as a test sets them."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


async def _taken(claims: Claims, claim: Claim = CLAIM) -> float:
    taken = await claims.take(claim)
    assert isinstance(taken, float)
    return taken


async def test_the_answer_is_given_again_for_a_day(database: Database) -> None:
    """To the byte; then the key is as good as new."""
    clock = _Clock()
    claims = Claims(database, clock)
    at = await _taken(claims)
    await claims.keep(CLAIM, at, KEPT)
    clock.now += KEPT_SECONDS - 1
    assert await claims.take(CLAIM) == KEPT
    clock.now += 1
    assert await _taken(claims) == clock.now


async def test_while_it_is_carried_out_nobody_else_may(database: Database) -> None:
    """Of many at once one is first; the key may be given up again."""
    claims = Claims(database, _Clock())
    results = await asyncio.gather(*(claims.take(CLAIM) for _ in range(12)), return_exceptions=True)
    (at,) = (result for result in results if isinstance(result, float))
    assert sum(isinstance(result, InProgress) for result in results) == 11
    await claims.give_up(CLAIM, at)
    assert isinstance(await claims.take(CLAIM), float)


async def test_another_body_is_told_at_once(database: Database) -> None:
    """Also while the first is being carried out."""
    claims = Claims(database, _Clock())
    other = replace(CLAIM, digest=b"other")
    at = await _taken(claims)
    with pytest.raises(Reused):
        await claims.take(other)
    await claims.keep(CLAIM, at, KEPT)
    with pytest.raises(Reused):
        await claims.take(other)


async def test_a_claim_of_a_process_that_died_can_be_taken_over(database: Database) -> None:
    """After a minute; what the first one says then, should it live, changes nothing."""
    clock = _Clock()
    claims = Claims(database, clock)
    first = await _taken(claims)
    clock.now += ABANDONED_SECONDS - 1
    with pytest.raises(InProgress):
        await claims.take(CLAIM)
    clock.now += 1
    second = await _taken(claims)
    await claims.keep(CLAIM, first, KEPT)
    await claims.give_up(CLAIM, first)
    with pytest.raises(InProgress):
        await claims.take(CLAIM)
    await claims.keep(CLAIM, second, KEPT)
    assert await claims.take(CLAIM) == KEPT


@pytest.mark.parametrize(
    "other",
    [
        replace(CLAIM, account="account-2"),
        replace(CLAIM, key="key-2"),
        replace(CLAIM, operation="POST /v1/webhook-subscriptions"),
    ],
    ids=["account", "key", "operation"],
)
async def test_a_key_is_one_accounts_for_one_operation(database: Database, other: Claim) -> None:
    """Elsewhere it is another key, also when its day is over there."""
    clock = _Clock()
    claims = Claims(database, clock)
    await claims.keep(CLAIM, await _taken(claims), KEPT)
    assert isinstance(await claims.take(other), float)
    assert await claims.take(CLAIM) == KEPT
