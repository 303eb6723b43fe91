"""Readiness is asked for in the background: nothing that hangs holds anybody up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from antiphon_server.edge.readiness import (
    EACH_SECONDS,
    PATIENCE_SECONDS,
    Readiness,
    on_a_thread,
)
from antiphon_server.observe import metrics
from virtual_time import in_virtual_time


class Scripted:
    """A part that answers when and as the test says."""

    code = "scripted"

    def __init__(self) -> None:
        self.trouble: str | None = None
        self.answer: str | None = None
        self.breaks: Exception | None = None
        self.asked: list[float] = []
        self.answers = asyncio.Event()
        self.answers.set()

    def ask(self) -> None:
        """What the test says."""
        if self.breaks is not None:
            raise self.breaks
        self.trouble = self.answer

    def silent(self) -> None:
        """It has not answered."""
        self.trouble = "silent"

    async def run(self, work: Callable[[], None]) -> None:
        """In place of a thread: the answer comes once the test lets it."""
        self.asked.append(asyncio.get_running_loop().time())
        await self.answers.wait()
        work()


@in_virtual_time
async def test_each_part_is_asked_again_and_again_and_its_last_answer_counts() -> None:
    """The metric says the same."""
    part = Scripted()
    readiness = Readiness([part], part.run)
    await readiness.start()
    assert readiness.troubles == []
    gauge = metrics.NOT_READY.labels(part.code)
    await asyncio.sleep(0.1)
    for answer in ("away", None, "full", None):
        part.answer = answer
        await asyncio.sleep(EACH_SECONDS)
        assert readiness.troubles == ([] if answer is None else [answer])
        assert gauge._value.get() == (answer is not None)
    await readiness.close()
    assert part.asked == [EACH_SECONDS * number for number in range(5)]
    assert len(asyncio.all_tasks()) == 1


@in_virtual_time
async def test_one_that_hangs_is_trouble_and_is_not_asked_twice_at_once() -> None:
    """However long; what it answers in the end counts."""
    part = Scripted()
    readiness = Readiness([part], part.run)
    await readiness.start()
    part.answers.clear()
    await asyncio.sleep(EACH_SECONDS + PATIENCE_SECONDS - 0.1)
    assert readiness.troubles == []
    await asyncio.sleep(0.2)
    assert readiness.troubles == ["silent"]
    await asyncio.sleep(600)
    assert readiness.troubles == ["silent"]
    assert len(part.asked) == 2
    part.answers.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert readiness.troubles == []
    await readiness.close()


@in_virtual_time
async def test_a_start_waits_for_answers_and_for_none_that_does_not_come() -> None:
    """Who is not ready says so from the first moment."""
    hanging, good = Scripted(), Scripted()
    hanging.answers.clear()

    async def run(work: Callable[[], None]) -> None:
        await (hanging if work == hanging.ask else good).run(work)

    readiness = Readiness([hanging, good], run)
    await readiness.start()
    assert asyncio.get_running_loop().time() == PATIENCE_SECONDS
    assert readiness.troubles == ["silent"]
    await readiness.close()
    assert asyncio.get_running_loop().time() == 2 * PATIENCE_SECONDS
    hanging.answers.set()


@in_virtual_time
async def test_one_that_cannot_even_be_asked_is_trouble() -> None:
    """A mistake of ours is in the log once, and the asking goes on."""
    part = Scripted()
    readiness = Readiness([part], part.run)
    part.breaks = RuntimeError("can't start new thread")
    with capture_logs() as lines:
        await readiness.start()
        await asyncio.sleep(3 * EACH_SECONDS)
    assert readiness.troubles == ["silent"]
    assert [line["event"] for line in lines] == ["it cannot be asked"]
    part.breaks = None
    await asyncio.sleep(EACH_SECONDS)
    assert readiness.troubles == []
    await readiness.close()


async def test_work_has_a_thread_of_its_own() -> None:
    """The loop goes on meanwhile; a failure comes back."""
    go, here = threading.Event(), threading.get_ident()
    threads: list[int] = []

    def work() -> None:
        assert go.wait(30)
        threads.append(threading.get_ident())

    working = asyncio.ensure_future(on_a_thread(work))
    await asyncio.sleep(0)
    assert not working.done()
    go.set()
    await working
    assert threads != [here]

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await on_a_thread(fail)


def test_an_answer_that_comes_after_the_end_is_nobodys() -> None:
    """The loop is closed by then, and the thread ends well."""
    go = threading.Event()

    def work() -> None:
        go.wait(30)

    async def leave() -> None:
        asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)  # type: ignore[union-attr]
        await on_a_thread(work)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(leave())
    (left,) = [thread for thread in threading.enumerate() if thread.name == "readiness"]
    go.set()
    left.join(30)
    assert not left.is_alive()
