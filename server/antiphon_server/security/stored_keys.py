"""The created keys as admission sees them: remembered, so that a session rarely asks for one.

What the database said counts for 5 seconds, so that a key revoked elsewhere ends within them.
When the database cannot be used, what it said last counts for 5 minutes.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from msgspec import Struct

from antiphon_server.store.database import Unreachable
from antiphon_server.store.keys import KeyStore, StoredKey

log = structlog.get_logger()

FRESH_SECONDS = 5.0
STALE_SECONDS = 300.0
ASK_SECONDS = 2.0
"""A client would rather hear that the database is away than wait longer."""
PAUSE_SECONDS = 1.0
"""After a failure nobody asks for so long: a dead database must not hold up every session."""
MOST_ABSENT = 1_000
"""Ids nobody has, which cost a guesser nothing to invent."""
USED_SECONDS = 60.0


class _Known(Struct, frozen=True):
    key: StoredKey
    at: float


class StoredKeys:
    """What is known of the keys of a store. ``clock`` gives seconds that never run backwards."""

    def __init__(self, store: KeyStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._absent: OrderedDict[str, float] = OrderedDict()
        self._asking: dict[str, asyncio.Task[StoredKey | None]] = {}
        self._exists = False
        self._none_at = float("-inf")
        self._paused_until = float("-inf")
        self._written: dict[str, float] = {}
        self._writing: set[asyncio.Task[None]] = set()

    async def find(self, key_id: str) -> StoredKey | None:
        """The key of an id, also a revoked one. Raises ``Unreachable``."""
        known = self._known.get(key_id)
        if known is not None and self._is_within(known.at, FRESH_SECONDS):
            return known.key
        if self._is_within(self._absent.get(key_id, float("-inf")), FRESH_SECONDS):
            return None
        try:
            return await self._asked_once(key_id)
        except Unreachable:
            if known is None or not self._is_within(known.at, STALE_SECONDS):
                raise
            return known.key

    async def exist(self) -> bool:
        """Whether a key was ever created, which stays true. Raises ``Unreachable``."""
        if self._exists or self._is_within(self._none_at, FRESH_SECONDS):
            return self._exists
        try:
            self._exists = await self._ask(self._store.exists())
        except Unreachable:
            if not self._is_within(self._none_at, STALE_SECONDS):
                raise
        else:
            self._none_at = self._clock()
        return self._exists

    def used(self, key_id: str) -> None:
        """A key was used now: it is written down, once a minute, while nobody waits."""
        if self._is_within(self._written.get(key_id, float("-inf")), USED_SECONDS):
            return
        self._written[key_id] = self._clock()
        task = asyncio.create_task(self._write_used(key_id, time.time()))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def close(self) -> None:
        """Returns once nothing is asked or written any more."""
        await asyncio.gather(*self._writing, *self._asking.values(), return_exceptions=True)

    def _is_within(self, at: float, seconds: float) -> bool:
        return self._clock() - at < seconds

    async def _asked_once(self, key_id: str) -> StoredKey | None:
        """One question for all who wait; it goes on when one of them leaves."""
        task = self._asking.get(key_id)
        if task is None:
            task = asyncio.create_task(self._ask(self._store.find(key_id)))
            self._asking[key_id] = task
            at = self._clock()
            task.add_done_callback(lambda done: self._answered(key_id, at, done))
        return await asyncio.shield(task)

    def _answered(self, key_id: str, at: float, task: asyncio.Task[StoredKey | None]) -> None:
        del self._asking[key_id]
        if task.cancelled() or task.exception() is not None:
            return
        key = task.result()
        if key is not None:
            self._exists = True
            self._known[key_id] = _Known(key, at)
            return
        self._known.pop(key_id, None)
        self._absent[key_id] = at
        if len(self._absent) > MOST_ABSENT:
            self._absent.popitem(last=False)

    async def _ask(self, question: Coroutine[Any, Any, Any]) -> Any:
        """The store's answer. Raises ``Unreachable``, also when it takes too long."""
        if self._clock() < self._paused_until:
            question.close()
            raise Unreachable("the database did not answer a moment ago")
        try:
            async with asyncio.timeout(ASK_SECONDS):
                return await question
        except (TimeoutError, Unreachable) as failure:
            self._paused_until = self._clock() + PAUSE_SECONDS
            reason = str(failure) or f"no answer in {ASK_SECONDS:g} s"
            log.warning("keys cannot be looked up", reason=reason)
            raise Unreachable(reason) from failure

    async def _write_used(self, key_id: str, at: float) -> None:
        try:
            await self._store.used(key_id, at)
        except Unreachable as failure:
            log.warning("last use of a key was not written", key=key_id, reason=str(failure))
