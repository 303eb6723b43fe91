"""Several processes of callers, so that the load tool is not what is measured."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from antiphon.errors import AntiphonError
from antiphon_loadtest.conversation import World
from antiphon_loadtest.notes import Batch, Notes
from antiphon_loadtest.plan import Plan, voices
from antiphon_loadtest.profiles import share
from antiphon_loadtest.talker import talk
from antiphon_loadtest.wheel import Wheel

EVERY_S = 0.5
"""How often a worker tells what it noted."""
STOP_S = 10.0
"""How long a worker may take to hang up."""


class WorkerGone(AntiphonError):
    """A process of callers ended before it was told to."""


class Workers:
    """Processes that are started once and given a plan at a time. A context manager."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pipes: list[Connection] = []
        self._processes: list[BaseProcess] = []

    def __enter__(self) -> Workers:
        spawn = multiprocessing.get_context("spawn")
        for number in range(self.count):
            here, there = spawn.Pipe()
            process = spawn.Process(target=work, args=(number, there), daemon=True)
            process.start()
            there.close()
            self._pipes.append(here)
            self._processes.append(process)
        try:
            for pipe in self._pipes:
                # Said once it can work; a run that waited for imports would begin too late.
                pipe.recv()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(STOP_S)
            if process.is_alive():
                process.kill()
                process.join()
            process.close()

    async def run(
        self, plan: Plan, starts: Sequence[float], tell: Callable[[Batch], bool | None]
    ) -> None:
        """Has a plan carried out; ``tell`` is given each batch, and ends the run by True.

        Returns when all have hung up, also when it is cancelled, which then counts as the end.
        Raises ``WorkerGone``.
        """
        for number, pipe in enumerate(self._pipes):
            pipe.send((plan, share(list(starts), number, self.count)))
        try:
            await self._collect(tell)
        except asyncio.CancelledError:
            self._stop()
            await self._collect(tell)
            raise

    def _stop(self) -> None:
        for pipe in self._pipes:
            with suppress(OSError):
                pipe.send(None)

    async def _collect(self, tell: Callable[[Batch], bool | None]) -> None:
        busy = set(self._pipes)
        stopped = False
        while busy:
            for pipe in await asyncio.to_thread(wait, list(busy), EVERY_S):
                batch = _received(pipe)
                if batch is None:
                    busy.discard(pipe)
                elif tell(batch) and not stopped:
                    stopped = True
                    self._stop()


def _received(pipe: Any) -> Batch | None:
    try:
        batch: Batch | None = pipe.recv()
    except (EOFError, OSError) as gone:
        raise WorkerGone("a process of callers ended by itself; its output says why") from gone
    return batch


def work(number: int, pipe: Connection) -> None:
    """A worker: carries out plans until its pipe is closed."""
    # Ctrl-C reaches all processes of a terminal; the first one tells the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe.send(None)
    with suppress(EOFError, OSError), asyncio.Runner(loop_factory=loop_factory()) as runner:
        while True:
            told = pipe.recv()
            # A stop that came too late to stop anything is passed over.
            if told is not None:
                plan, callers = told
                runner.run(carry_out(number, plan, callers, pipe))
                pipe.send(None)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Uvloop's where it is installed: callers cost a third less."""
    try:
        import uvloop  # noqa: PLC0415
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def carry_out(
    number: int, plan: Plan, callers: Sequence[tuple[int, float]], pipe: Connection
) -> None:
    """All callers of one worker, to the end of the plan or until a stop is told."""
    notes = Notes()
    wheel = Wheel(plan.frame_ms, notes)
    world = World(plan, voices(plan), wheel, notes)
    late_s = time.monotonic() - plan.began_at
    talks = [asyncio.create_task(talk(world, caller, start - late_s)) for caller, start in callers]
    wheel.start()
    ends_at = plan.began_at + plan.duration_s
    while not pipe.poll() and (left := ends_at - time.monotonic()) > 0:
        await asyncio.sleep(min(EVERY_S, left))
        if not any(one.done() for one in talks):
            pipe.send(notes.batch(number))
            continue
        break
    if pipe.poll():
        pipe.recv()
    for one in talks:
        one.cancel()
    ended = await asyncio.gather(*talks, return_exceptions=True)
    wheel.stop()
    pipe.send(notes.batch(number))
    for error in ended:
        if isinstance(error, Exception):
            raise error
