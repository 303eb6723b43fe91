"""Requests that must not be carried out twice: who claimed a key, and what was answered.

A claim is a row without an answer. It is the database that decides who claims first, so it
holds between processes too.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa
from msgspec import Struct

from antiphon_server.store.database import Database
from antiphon_server.store.tables import idempotency as table

KEPT_SECONDS = 24 * 3600
"""How long an answer can be asked for again."""
ABANDONED_SECONDS = 60
"""A claim without an answer for so long belongs to a process that died: longer than any
request takes.
"""


class InProgress(Exception):
    """The same request is being carried out now."""


class Reused(Exception):
    """The key was used with another body."""


class Claim(Struct, frozen=True):
    """One request under one key; ``digest`` is of its body."""

    account: str
    key: str
    operation: str
    digest: bytes


class Kept(Struct, frozen=True):
    """The answer of a request that was carried out."""

    status: int
    body: bytes


class Claims:
    """The claims of all accounts. ``clock`` gives Unix seconds."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def take(self, claim: Claim) -> Kept | float:
        """The answer that was given before; or, when the request is to be carried out now, when
        it was claimed, which ``keep`` and ``give_up`` take.

        Raises ``InProgress``, ``Reused`` and ``Unreachable``.
        """
        now = self._clock()

        def work(connection: sa.Connection) -> Kept | float:
            connection.execute(
                sa.delete(table).where(
                    table.c.account == claim.account, table.c.created_at <= now - KEPT_SECONDS
                )
            )
            row = connection.execute(sa.select(table).where(_is(claim))).one_or_none()
            if row is not None and row.status is None and row.created_at <= now - ABANDONED_SECONDS:
                connection.execute(sa.delete(table).where(_is(claim)))
            elif row is not None:
                return _given(row, claim)
            _insert(connection, claim, now)
            return now

        return await self._database.write(work)

    async def keep(self, claim: Claim, claimed_at: float, kept: Kept) -> None:
        """It was carried out. Raises ``Unreachable``."""
        ours = sa.and_(_is(claim), table.c.created_at == claimed_at)
        change = sa.update(table).where(ours).values(status=kept.status, body=kept.body)
        await self._database.write(lambda connection: connection.execute(change))

    async def give_up(self, claim: Claim, claimed_at: float) -> None:
        """Nothing came of it: the key is free again. Raises ``Unreachable``."""
        ours = sa.and_(_is(claim), table.c.created_at == claimed_at)
        await self._database.write(
            lambda connection: connection.execute(sa.delete(table).where(ours))
        )


def _is(claim: Claim) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.account == claim.account,
        table.c.key == claim.key,
        table.c.operation == claim.operation,
    )


def _given(row: sa.Row[tuple[object, ...]], claim: Claim) -> Kept:
    if row.request_digest != claim.digest:
        raise Reused
    if row.status is None:
        raise InProgress
    return Kept(row.status, row.body)


def _insert(connection: sa.Connection, claim: Claim, now: float) -> None:
    try:
        connection.execute(
            sa.insert(table).values(
                account=claim.account,
                key=claim.key,
                operation=claim.operation,
                request_digest=claim.digest,
                created_at=now,
            )
        )
    except sa.exc.IntegrityError:
        # Another process claimed it since this transaction looked.
        raise InProgress from None
