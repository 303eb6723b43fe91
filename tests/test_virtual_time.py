"""What the virtual clock promises to the tests that rest on it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from virtual_time import Deadlock, VirtualTimeLoop, in_virtual_time, run


def test_an_hour_of_sleep_takes_no_time() -> None:
    """The clock jumps to the timer: were it to wait, the test's own time limit would end it."""

    async def sleeper() -> float:
        await asyncio.sleep(3000)
        return asyncio.get_running_loop().time()

    assert run(sleeper()) == pytest.approx(3000)


def test_timers_fire_in_the_order_of_their_times() -> None:
    """Sleepers started in any order wake in the order of their deadlines, at those times."""

    async def scenario() -> list[tuple[str, float]]:
        woken: list[tuple[str, float]] = []
        loop = asyncio.get_running_loop()

        async def sleeper(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            woken.append((name, round(loop.time(), 6)))

        async with asyncio.TaskGroup() as group:
            group.create_task(sleeper("late", 0.3))
            group.create_task(sleeper("early", 0.1))
            group.create_task(sleeper("middle", 0.2))
        return woken

    assert run(scenario()) == [("early", 0.1), ("middle", 0.2), ("late", 0.3)]


def test_what_is_ready_runs_before_the_clock_moves() -> None:
    """A chain of immediate steps finishes at time 0 although a timer waits."""

    async def scenario() -> float:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[float] = loop.create_future()

        def step(left: int) -> None:
            if left:
                loop.call_soon(step, left - 1)
            else:
                done.set_result(loop.time())

        timer = loop.call_later(1, done.set_result, -1.0)
        step(100)
        try:
            return await done
        finally:
            timer.cancel()

    assert run(scenario()) == 0.0


def test_timeouts_expire_at_their_time() -> None:
    """``asyncio.timeout`` ends a wait that nothing else would end."""

    async def scenario() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run(scenario()) == pytest.approx(5)


def test_waiting_for_what_cannot_come_is_a_deadlock_that_names_the_waiter() -> None:
    """With no timer left, a wait raises, saying which task waits and where."""

    async def forgotten() -> None:
        await asyncio.Event().wait()

    async def scenario() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(forgotten(), name="forgotten one")

    with pytest.raises(Deadlock, match=r"forgotten one at .*forgotten"):
        run(scenario())


def test_a_heartbeat_that_outlives_its_purpose_is_a_deadlock() -> None:
    """Timers that renew themselves for ever do not hang the test: the run has a limit."""

    async def scenario() -> None:
        loop = asyncio.get_running_loop()

        def beat() -> None:
            loop.call_later(1, beat)

        beat()
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="20 virtual seconds passed"):
        run(scenario(), limit_s=20)


def test_after_a_deadlock_the_tasks_are_cleaned_up() -> None:
    """Tasks that were left are cancelled, so that their ``finally`` blocks have run."""
    cleaned = []

    async def scenario() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(True)

    with pytest.raises(Deadlock):
        run(scenario())
    assert cleaned == [True]


def test_threads_are_waited_for_and_the_clock_stands_still() -> None:
    """Work in a thread is neither a deadlock nor a reason to jump to the next timer."""

    async def scenario() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        timer = loop.call_later(10, loop.stop)
        answer = await asyncio.to_thread(lambda: "from a thread")
        timer.cancel()
        return answer, loop.time()

    assert run(scenario()) == ("from a thread", 0.0)


def test_async_generators_are_closed_at_the_end() -> None:
    """An iteration that was abandoned is finished before ``run`` returns."""
    closed = []

    async def numbers() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append(True)

    async def scenario() -> int:
        abandoned = numbers()
        return await anext(abandoned)

    assert run(scenario()) == 1
    assert closed == [True]


def test_the_exception_of_the_main_coroutine_comes_out() -> None:
    """``run`` hides nothing."""

    async def scenario() -> None:
        await asyncio.sleep(1)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        run(scenario())


@in_virtual_time
async def test_a_decorated_test_runs_in_virtual_time() -> None:
    """The decorator makes an async test an ordinary one, in a loop of its own."""
    assert asyncio.get_running_loop().time() == 0.0
    await asyncio.sleep(600)
    assert asyncio.get_running_loop().time() == pytest.approx(600)


@in_virtual_time
async def test_what_is_due_while_the_loop_is_busy_is_late() -> None:
    """As on a machine that is, and in the order in which it was due."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    told: list[tuple[str, float]] = []
    loop.call_later(0.2, lambda: told.append(("later", loop.time())))
    loop.call_later(0.1, lambda: told.append(("sooner", loop.time())))
    loop.is_busy(1)
    await asyncio.sleep(0.1)
    assert told == [("sooner", 1.0), ("later", 1.0)]
