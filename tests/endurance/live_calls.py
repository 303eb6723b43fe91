"""Calls that go on until the server is gone, and what their clients know by then."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import Any

import httpx
from msgspec import Struct, field

from endurance.caller import Caller, calling
from endurance.processes import Process
from endurance.story import Story

NUMBERS_FROM = 0
ASK_S = 0.3
"""How often the REST API is asked what was used."""


class Known(Struct):
    """What a client knows of a session."""

    session_id: str
    story: Story
    opened_at: float
    """Seconds of the monotonic clock."""
    asked_to_end: bool = False
    over_at: float | None = None
    """The same as ``opened_at``, of an end that the client was told."""


class Witness(Struct):
    """What all clients of one run know."""

    sessions: list[Known] = field(default_factory=list)
    usage: dict[str, dict[str, float]] = field(default_factory=dict)
    """What REST last told of each session."""
    gone_at: float = 0.0
    """When the server was gone, of the monotonic clock."""

    @property
    def live(self) -> list[Known]:
        """Sessions that had not ended."""
        return [known for known in self.sessions if known.over_at is None]


class LiveCalls:
    """So many callers at once, each in one session after the other, of so many turns."""

    def __init__(self, server: Process, callers: int, turns: tuple[int, int] = (1, 8)) -> None:
        self.witness = Witness()
        self._server = server
        self._turns = turns
        self._chance = random.Random(server.port)  # noqa: S311 (no secret)
        self._tasks = [
            asyncio.create_task(self._call(number), name=f"caller-{number}")
            for number in range(callers)
        ]
        self._tasks.append(asyncio.create_task(self._ask()))
        self._callers = callers

    async def under_way(self) -> None:
        """Returns once every caller is in a session, and something was said in most."""
        async with asyncio.timeout(60):
            while len(self.witness.live) < self._callers or self._silent() > self._callers / 2:
                self._raise_failures()
                await asyncio.sleep(0.05)

    def _silent(self) -> int:
        return sum(not known.story.user_lines for known in self.witness.sessions)

    async def stop(self) -> Witness:
        """To be called when the server is gone: what came until then has been read."""
        self.witness.gone_at = time.monotonic()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._raise_failures()
        return self.witness

    def _raise_failures(self) -> None:
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    async def _call(self, number: int) -> None:
        async with calling(self._server.port, number) as caller:
            try:
                while True:
                    await self._session(caller)
            except asyncio.CancelledError:
                # All that the server had sent is here before the socket's end is.
                await caller.until_lost()
                raise

    async def _session(self, caller: Caller) -> None:
        caller.story = Story(told_last_seq=True)
        await caller.open()
        known = Known(caller.session_id, caller.story, time.monotonic())
        self.witness.sessions.append(known)
        await caller.until_greeted()
        for _ in range(self._chance.randint(*self._turns)):
            await caller.speak()
            await caller.pause()
            await caller.until_answered()
        known.asked_to_end = True
        await caller.end()
        known.over_at = time.monotonic()

    async def _ask(self) -> None:
        async with self._server.rest() as rest:
            with contextlib.suppress(httpx.HTTPError):
                while True:
                    self.witness.usage |= await usage_of(rest)
                    await asyncio.sleep(ASK_S)


async def usage_of(rest: httpx.AsyncClient) -> dict[str, dict[str, float]]:
    """What each session of the account used, so far."""
    told: dict[str, dict[str, float]] = {}
    query: dict[str, Any] = {"group_by": "session", "limit": 200}
    while True:
        page = (await rest.get("/v1/usage", params=query)).raise_for_status().json()
        told |= {one.pop("session_id"): one for one in page["usage"]}
        if not page["has_more"]:
            return told
        query["cursor"] = page["response_metadata"]["next_cursor"]
