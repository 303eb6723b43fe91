"""A promise ends in time, leaves the event loop to others, and cancels what it began."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress

import pytest

from antiphon_providers.contract import promise
from antiphon_providers.contract.promise import (
    LoopWatch,
    cancel,
    ended,
    nothing_left,
    promised,
)
from antiphon_providers.errors import Unavailable

Body = Callable[[], Awaitable[None]]


class Bounded:
    """A contract class with one promise, whose body a test gives."""

    def __init__(
        self, body: Body, patience_s: float = 60, longest_block_ms: float = 60_000
    ) -> None:
        self.patience_s = patience_s
        self.longest_block_ms = longest_block_ms
        self._body = body

    @promised
    async def promise(self) -> None:
        """The body."""
        await self._body()


async def forever() -> None:
    """What never comes."""
    await asyncio.Event().wait()


async def at_once() -> None:
    """What is there."""


@pytest.fixture
async def working() -> AsyncIterator[asyncio.Task[None]]:
    """A task that goes on until the test is over."""
    task = asyncio.create_task(forever())
    yield task
    task.cancel()


async def test_what_never_comes_is_not_waited_for() -> None:
    """The failure says for how long it was."""
    with pytest.raises(AssertionError, match=r"waited for 0\.01 s in vain"):
        await Bounded(forever, patience_s=0.01).promise()


async def test_a_timeout_of_the_providers_own_is_not_taken_for_ours() -> None:
    """It is a library's error that came out, and is shown as that."""

    async def late() -> None:
        raise TimeoutError("connect")

    with pytest.raises(TimeoutError, match="connect"):
        await Bounded(late).promise()


async def test_who_keeps_the_loop_is_named() -> None:
    """With the line at which it stood."""

    async def blocking() -> None:
        stood.wait()

    stood = threading.Event()
    threading.Timer(0.5, stood.set).start()
    with pytest.raises(AssertionError, match=r"stood still for 20 ms here(.|\n)*stood\.wait\(\)"):
        await Bounded(blocking, longest_block_ms=20).promise()


async def test_waiting_is_no_blocking() -> None:
    """However long it takes."""
    watch = LoopWatch(50_000)
    watch.start()
    await at_once()
    watch.stop()
    assert watch.stood == ""
    await Bounded(at_once).promise()


async def test_a_task_that_had_ended_needs_no_cancelling() -> None:
    """Nor does it fail."""
    task = asyncio.create_task(at_once())
    await task
    await cancel(task)
    assert not task.cancelled()


async def test_a_task_is_cancelled_and_says_so(working: asyncio.Task[None]) -> None:
    """As everything should."""
    await asyncio.sleep(0)
    await cancel(working)
    assert working.cancelled()


async def test_who_goes_on_after_a_cancellation_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether it comes to an end of its own later, or none."""
    monkeypatch.setattr(promise, "LETS_GO_S", 0.01)
    over = asyncio.Event()

    async def stubborn() -> None:
        with suppress(asyncio.CancelledError):
            await forever()
        await over.wait()

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    with pytest.raises(AssertionError, match="it went on for"):
        await cancel(task)
    over.set()
    await task


async def test_a_cancellation_that_is_swallowed_is_found() -> None:
    """Whoever cancelled would wait for an end that is none."""

    async def quiet() -> None:
        with suppress(asyncio.CancelledError):
            await forever()

    task = asyncio.create_task(quiet())
    await asyncio.sleep(0)
    with pytest.raises(AssertionError, match="it swallowed its cancellation"):
        await cancel(task)


async def test_an_end_with_an_error_of_ours_is_an_end() -> None:
    """Any other error is a library's that came out."""

    async def failing(error: Exception) -> None:
        raise error

    await ended(asyncio.create_task(failing(Unavailable("gone"))))
    with pytest.raises(AssertionError, match=r"not one of antiphon_providers\.errors: OSError"):
        await ended(asyncio.create_task(failing(OSError("gone"))))


async def test_what_was_there_before_is_not_left_behind(working: asyncio.Task[None]) -> None:
    """Nor is what ends by itself."""
    before = {working, *asyncio.all_tasks()}
    asyncio.create_task(at_once()).set_name("short")
    await nothing_left(before)
