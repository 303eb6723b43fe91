"""How a promise is tested: with an end to patience, and with an eye on the event loop."""

# ruff: noqa: S101 -- to assert is what a contract does.

from __future__ import annotations

import asyncio
import functools
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import pytest

from antiphon_providers.errors import ProviderError

PATIENCE_S = 60.0
"""For one test: the largest local models answer within it on the slowest machine."""
LONGEST_BLOCK_MS = 250.0
"""The loop may stand still for so long; far more than a call can bear, and far less than any
work that was meant to be done elsewhere takes on a busy machine."""
LETS_GO_S = 1.0
"""From a cancellation to the end of what was cancelled. The rule is 20 ms (``interfaces``); a
busy machine may take longer, one that goes on with its work takes longer still."""
_TICK_S = 0.01
_FRAMES = 4


class Bounds(Protocol):
    """What each contract class has, and a test class may set."""

    patience_s: float
    longest_block_ms: float


_Self = TypeVar("_Self", bound=Bounds)
_Rest = ParamSpec("_Rest")
_Test = Callable[Concatenate[_Self, _Rest], Coroutine[Any, Any, None]]


def promised(test: _Test[_Self, _Rest]) -> _Test[_Self, _Rest]:
    """An asynchronous test that ends: it fails after ``patience_s`` seconds, and when the event
    loop stood still for more than ``longest_block_ms``.
    """

    @functools.wraps(test)
    async def bounded(self: _Self, /, *args: _Rest.args, **kwargs: _Rest.kwargs) -> None:
        watch = LoopWatch(self.longest_block_ms)
        watch.start()
        try:
            async with asyncio.timeout(self.patience_s) as patience:
                await test(self, *args, **kwargs)
        except TimeoutError as late:
            if not patience.expired():
                raise
            raise AssertionError(f"waited for {self.patience_s:g} s in vain") from late
        finally:
            watch.stop()
        assert not watch.stood, (
            f"the event loop stood still for {self.longest_block_ms:g} ms here:\n{watch.stood}"
        )

    return pytest.mark.asyncio(loop_scope="function")(bounded)


class LoopWatch:
    """Notices from a thread of its own that the running event loop stands still.

    It counts its own turns, not seconds: where the whole machine is busy, the watch gets few
    turns too. ``stood`` is where the loop was, as lines of a traceback; empty if it never was.
    """

    def __init__(self, longest_ms: float) -> None:
        self.stood = ""
        self._turns = max(1, round(longest_ms / 1000 / _TICK_S))
        self._loop = asyncio.get_running_loop()
        self._watched = threading.get_ident()
        self._beats = 0
        self._timer: asyncio.TimerHandle | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Begins to watch."""
        self._beat()
        self._thread.start()

    def stop(self) -> None:
        """Ends it; ``stood`` is final."""
        self._over.set()
        self._thread.join()
        if self._timer is not None:
            self._timer.cancel()

    def _beat(self) -> None:
        self._beats += 1
        self._timer = self._loop.call_later(_TICK_S, self._beat)

    def _watch(self) -> None:
        seen, still = 0, 0
        while not self._over.wait(_TICK_S):
            seen, still = (seen, still + 1) if self._beats == seen else (self._beats, 0)
            if still == self._turns and not self.stood:
                self.stood = self._whereabouts()

    def _whereabouts(self) -> str:
        # There is no other way to see another thread's frame.
        frame = sys._current_frames()[self._watched]  # noqa: SLF001
        return "".join(traceback.format_stack(frame)[-_FRAMES:])


async def cancel(task: asyncio.Task[Any]) -> None:
    """Cancels a task and sees that it ends, cancelled; one that had ended is left alone."""
    if not task.cancel():
        return
    await asyncio.wait({task}, timeout=LETS_GO_S)
    assert task.done(), f"it went on for {LETS_GO_S:g} s after it was cancelled"
    assert task.cancelled(), f"it swallowed its cancellation; its end: {task.exception()!r}"


async def ended(task: asyncio.Task[Any]) -> None:
    """Waits for a task, and sees that it ended well or with an error that is ours."""
    await asyncio.wait({task})
    failure = task.exception()
    assert failure is None or isinstance(failure, ProviderError), (
        f"not one of antiphon_providers.errors: {failure!r}"
    )


async def nothing_left(before: set[asyncio.Task[Any]]) -> None:
    """Sees that no task runs that was not there ``before``."""
    new = asyncio.all_tasks() - before
    if new:
        await asyncio.wait(new, timeout=LETS_GO_S)
    left = [task for task in new if not task.done()]
    assert not left, f"still running after close: {left}"
