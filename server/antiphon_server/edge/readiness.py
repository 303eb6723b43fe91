"""What keeps this server from taking a call: asked in the background, answered at once.

Databases and disks hang. So each is asked on a thread of its own, one question at a time, and
one that has not answered in time counts as away until it does. Providers are not asked: one that
fails is apologised for, and only calls show that it is back.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

import structlog

from antiphon_server.observe import metrics

log = structlog.get_logger()

EACH_SECONDS = 2.0
"""From an answer to the next question."""
PATIENCE_SECONDS = 3.0
"""A busy SQLite file has its writers wait in a row; longer than this nobody who calls would."""


class Part(Protocol):
    """Something without which no call can be kept."""

    @property
    def code(self) -> str:
        """What it is called in metrics."""

    @property
    def trouble(self) -> str | None:
        """What is wrong with it, in words for everybody; None where nothing is."""

    def ask(self) -> None:
        """Finds out; may take for ever."""

    def silent(self) -> None:
        """It has not answered in time."""


Run = Callable[[Callable[[], None]], Awaitable[None]]


async def on_a_thread(work: Callable[[], None]) -> None:
    """Runs work on a thread of its own, for which the end of the process does not wait."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(failure: Exception | None) -> None:
        if done.done():
            return
        if failure is None:
            done.set_result(None)
        else:
            done.set_exception(failure)

    def run() -> None:
        failure: Exception | None = None
        try:
            work()
        except Exception as raised:  # noqa: BLE001
            failure = raised
        with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
            loop.call_soon_threadsafe(settle, failure)

    threading.Thread(target=run, name="readiness", daemon=True).start()
    await done


class Readiness:
    """The parts, and what they have told last."""

    def __init__(self, parts: Sequence[Part], run: Run = on_a_thread) -> None:
        self._parts = parts
        self._run = run
        self._asking: set[asyncio.Future[None]] = set()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def troubles(self) -> list[str]:
        """Why no call can be kept now; costs nothing."""
        return [part.trouble for part in self._parts if part.trouble is not None]

    async def start(self) -> None:
        """Asks each, and goes on asking."""
        loop = asyncio.get_running_loop()
        asked = [asyncio.Event() for _ in self._parts]
        for part, first in zip(self._parts, asked, strict=True):
            task = loop.create_task(self._watch(part, first), name=f"readiness-{part.code}")
            self._tasks.append(task)
        for first in asked:
            await first.wait()

    async def close(self) -> None:
        """Asks no more. One that hangs is not waited for."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        if self._asking:
            await asyncio.wait(self._asking, timeout=PATIENCE_SECONDS)

    async def _watch(self, part: Part, first: asyncio.Event) -> None:
        while True:
            asking = asyncio.ensure_future(self._ask(part))
            self._asking.add(asking)
            asking.add_done_callback(self._asking.discard)
            done, _ = await asyncio.wait({asking}, timeout=PATIENCE_SECONDS)
            if not done:
                part.silent()
            _tell(part)
            first.set()
            if not done:
                # A second question would hang as the first one does.
                await asyncio.wait({asking})
                _tell(part)
            await asyncio.sleep(EACH_SECONDS)

    async def _ask(self, part: Part) -> None:
        try:
            await self._run(part.ask)
        except Exception:
            if part.trouble is None:
                log.exception("it cannot be asked", part=part.code)
            part.silent()


def _tell(part: Part) -> None:
    metrics.NOT_READY.labels(part.code).set(part.trouble is not None)
