"""Many simulated calls, on several processes."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice

from msgspec import Struct, field

from simulation.call import simulate
from simulation.plans import plan_of
from simulation.report import told

BATCH = 20
"""Calls that a process makes at a time."""
MOST_FAILURES = 5
"""After so many no further calls are begun."""


class Summary(Struct):
    """What came of them."""

    calls: int = 0
    seconds: float = 0.0
    """Virtual ones."""
    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    """The reports of calls that broke a rule."""

    def add(self, other: Summary) -> None:
        """Takes other calls in."""
        self.calls += other.calls
        self.seconds += other.seconds
        self.counts.update(other.counts)
        self.failures += other.failures


def make_calls(
    seeds: range,
    processes: int | None = None,
    progress: Callable[[Summary], None] = lambda _summary: None,
) -> Summary:
    """Simulates the calls of all seeds."""
    total = Summary()
    # Forked processes would have threads in unknown states.
    context = multiprocessing.get_context("spawn")
    workers = processes or os.cpu_count() or 1
    with ProcessPoolExecutor(workers, context) as pool:
        batches = _batches(seeds)
        running = {pool.submit(_simulated, batch) for batch in islice(batches, 2 * workers)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                total.add(future.result())
            progress(total)
            if len(total.failures) < MOST_FAILURES:
                running |= _submitted(pool, islice(batches, len(done)))
    return total


def _batches(seeds: range) -> Iterator[range]:
    for at in range(0, len(seeds), BATCH):
        yield seeds[at : at + BATCH]


def _submitted(pool: ProcessPoolExecutor, batches: Iterator[range]) -> set[Future[Summary]]:
    return {pool.submit(_simulated, batch) for batch in batches}


def _simulated(seeds: range) -> Summary:
    summary = Summary()
    for seed in seeds:
        outcome = simulate(plan_of(seed))
        summary.calls += 1
        summary.seconds += outcome.seconds
        summary.counts.update(outcome.counts)
        if outcome.broken:
            summary.failures.append(told(outcome))
    return summary
