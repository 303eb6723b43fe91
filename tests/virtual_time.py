"""An event loop in which waiting costs nothing.

When nothing is ready, its clock jumps to the next timer instead of sleeping; when no timer is
left either, nothing can ever happen again and ``Deadlock`` is raised, naming who waits for
what. Work given to threads is waited for in real time, and the clock stands still meanwhile.
Sockets are served while there are timers, but their peers live in real time: do not mix them.
"""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

Result = TypeVar("Result")

LIMIT_S = 3600.0
"""Virtual seconds after which a run is taken for endless (a heartbeat that outlived its call)."""


class Deadlock(RuntimeError):
    """Nothing is ready and nothing is scheduled, or the run went on beyond its limit."""


class _JumpingSelector(selectors.DefaultSelector):
    """A selector that advances ``now`` where others would wait.

    ``elsewhere`` counts the work that threads have not given back yet.
    """

    def __init__(self, limit_s: float) -> None:
        super().__init__()
        self.now = 0.0
        self.limit_s = limit_s
        self.elsewhere = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        waits = timeout is None or timeout > 0
        ready = super().select(None if waits and self.elsewhere else 0)
        if ready or self.elsewhere or not waits:
            return ready
        if timeout is None:
            raise Deadlock(f"nothing can happen any more; waiting: {_waiting()}")
        self.now += timeout
        if self.now > self.limit_s:
            raise Deadlock(f"{self.limit_s:g} virtual seconds passed; waiting: {_waiting()}")
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """The loop; its ``time`` begins at 0 and moves by jumps."""

    def __init__(self, limit_s: float = LIMIT_S) -> None:
        self._jumping = _JumpingSelector(limit_s)
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._jumping.now

    def is_busy(self, seconds: float) -> None:
        """So long nothing else runs: what was due meanwhile is late."""
        self._jumping.now += seconds

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """As ever; remembers that the work is elsewhere until its future is done."""
        future = super().run_in_executor(executor, func, *args)
        self.is_elsewhere(future)
        return future

    def is_elsewhere(self, future: asyncio.Future[Any]) -> None:
        """The clock stands still until it is done: a thread that is not ours works on it."""
        self._jumping.elsewhere += 1
        future.add_done_callback(self._came_back)

    async def shutdown_default_executor(self, *args: Any) -> None:
        """As ever; it is a thread that says when the threads have ended."""
        self._jumping.elsewhere += 1
        self._jumping.limit_s = float("inf")
        try:
            await super().shutdown_default_executor(*args)
        finally:
            self._jumping.elsewhere -= 1

    def _came_back(self, _: asyncio.Future[Any]) -> None:
        self._jumping.elsewhere -= 1


def _waiting() -> str:
    """The tasks that are left, each with the line at which it waits."""
    loop = asyncio.get_running_loop()
    places = []
    for task in asyncio.all_tasks(loop):
        frames = task.get_stack(limit=1)
        where = f"{frames[0].f_code.co_qualname}:{frames[0].f_lineno}" if frames else "?"
        places.append(f"{task.get_name()} at {where}")
    return ", ".join(sorted(places)) or "nobody"


def run(main: Coroutine[Any, Any, Result], limit_s: float = LIMIT_S) -> Result:
    """What ``main`` returns, in a new loop whose time costs nothing; raises ``Deadlock``."""
    with asyncio.Runner(loop_factory=functools.partial(VirtualTimeLoop, limit_s)) as runner:
        return runner.run(main)


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A decorator: the test runs in virtual time."""

    @functools.wraps(test)
    def in_its_own_loop(*args: Any, **kwargs: Any) -> None:
        run(test(*args, **kwargs))

    return in_its_own_loop
