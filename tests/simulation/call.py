"""One simulated call, from the first frame to the last task."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator

from msgspec import Struct
from structlog.testing import capture_logs

from simulation import conclusion
from simulation.history import Keep
from simulation.performance import Performance
from simulation.plan import Plan
from simulation.watch import Seen
from simulation.world import World
from virtual_time import Deadlock, run

LONGEST_S = 1_000.0
"""Virtual seconds that a call may take, with all its waits."""
NOON = 1_790_000_000.0
"""When every call begins, in Unix seconds."""


class Outcome(Struct):
    """What came of a call."""

    plan: Plan
    broken: list[str]
    seen: list[Seen]
    counts: dict[str, int]
    journal: list[bytes]
    seconds: float
    session_id: str = ""
    lines: list[tuple[str, str]] = []
    """The transcript as the client got it: who spoke, and what."""
    saw_the_end: bool = False
    """Whether the client got ``session.ended``."""


def simulate(plan: Plan) -> Outcome:
    """Runs a plan in virtual time."""
    with capture_logs() as logs:
        try:
            outcome = run(play(plan), LONGEST_S)
        except Deadlock as stuck:
            return Outcome(plan, [f"the call goes on: {stuck}"], [], {}, [], LONGEST_S)
    outcome.broken += conclusion.of_logs(plan, logs)
    return outcome


async def play(plan: Plan, keep: Keep | None = None) -> Outcome:
    """Runs a plan in the running loop, which must be in virtual time."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    world = World(plan, keep)
    loop.set_exception_handler(
        lambda _loop, context: world.watch.hold(False, "nothing fails unseen", context) and None
    )
    performance = Performance(world)
    with wall_clock(loop.time):
        await performance.run()
    watch, caller = world.watch, performance.caller
    seconds = loop.time() - began
    return Outcome(
        plan,
        watch.broken,
        watch.seen,
        watch.counts,
        world.journal.lines,
        seconds,
        caller.session_id,
        caller.lines,
        bool(caller.counts["session.ended"]),
    )


@contextlib.contextmanager
def wall_clock(now: Callable[[], float]) -> Iterator[None]:
    """The time of day goes by as fast as the call."""
    real = time.time
    time.time = lambda: NOON + now()
    try:
        yield
    finally:
        time.time = real
