"""One simulated call, from the first frame to the last task."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from msgspec import Struct
from structlog.testing import capture_logs

from antiphon_server.conversation.states import Quiet
from simulation import conclusion
from simulation.caller import Caller
from simulation.fate import Fate
from simulation.history import Keep
from simulation.node import AGENT, RESUME_S, session_of
from simulation.plan import Attempt, Plan
from simulation.script import Script
from simulation.watch import Seen
from simulation.world import World
from virtual_time import Deadlock, run

LONGEST_S = 1_000.0
"""Virtual seconds that a call may take, with all its waits."""
REST_S = 120.0
"""In which a call that is left alone must come to rest."""
NOON = 1_790_000_000.0
"""When every call begins, in Unix seconds."""
MOST_GOODBYES = 4


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
    before = asyncio.all_tasks()
    world = World(plan, keep)
    loop.set_exception_handler(
        lambda _loop, context: world.watch.hold(False, "nothing fails unseen", context) and None
    )
    caller = Caller(world)
    with _wall_clock(loop.time):
        await Performance(world, caller).run()
        caller.hang_up()
        await world.settle()
    conclusion.of_call(world, caller)
    conclusion.of_loop(world.watch, before)
    watch = world.watch
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
def _wall_clock(now: Callable[[], float]) -> Iterator[None]:
    """The time of day goes by as fast as the call."""
    real = time.time
    time.time = lambda: NOON + now()  # type: ignore[assignment]
    try:
        yield
    finally:
        time.time = real


class Performance:
    """Script, network and providers play their parts until the session is over."""

    def __init__(self, world: World, caller: Caller) -> None:
        self._world = world
        self._plan = world.plan
        self._caller = caller
        self._script = Script(caller)
        self._fate = Fate(caller)
        self._timers: list[asyncio.TimerHandle] = []

    async def run(self) -> None:
        """The whole call."""
        loop = asyncio.get_running_loop()
        plan = self._plan
        for trouble in plan.troubles:
            befall = (self._world.twins.befall, trouble.stage, trouble.fault)
            self._timers.append(loop.call_later(trouble.at_s, *befall))
        if conclusion.may_fail(plan):
            self._world.history.excused.add("internal_error")
        microphone = loop.create_task(self._caller.mic.run(), name="microphone")
        shutdown = loop.create_task(self._shut_down(), name="shutdown")
        try:
            await self.begin()
            await self._unless_over(self._both())
            await self._end()
            self._script.stop()
            await self._fate.come_too_late()
        finally:
            for timer in self._timers:
                timer.cancel()
            microphone.cancel()
            shutdown.cancel()
            await asyncio.gather(microphone, shutdown, return_exceptions=True)

    async def begin(self) -> None:
        """The first socket, and the first update on it."""
        world, caller, setting = self._world, self._caller, self._plan.setting
        link = world.dial(await world.credential(setting.credential))
        for frame in setting.first_frames:
            world.history.due_errors.setdefault(link.number, set()).add("invalid_format")
            caller.tell(frame, link)
        session = {"agent_id": AGENT} if setting.bound else session_of(setting)
        caller.tell({"type": "session.update", "session": session}, link)
        is_open = await caller.until(lambda: caller.live is not None, 5.0)
        world.watch.hold(is_open or world.history.ended, "a session opens", link.number)

    async def _both(self) -> None:
        plan = self._plan
        hangs_up = plan.ending == "end" and not plan.settles and plan.ends_after_s
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(plan.ends_after_s if hangs_up else None):
                await self._play()

    async def _play(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._script.run(self._plan.script), name="script")
            group.create_task(self._fate.run(self._plan.drops), name="fate")

    async def _unless_over(self, work: Coroutine[Any, Any, None]) -> None:
        """Until it is done, or the session is over."""
        loop = asyncio.get_running_loop()
        task = loop.create_task(work, name="call")
        over = loop.create_task(self._world.history.is_over.wait(), name="over")
        await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
        for one in (task, over):
            one.cancel()
        await asyncio.wait({task, over})
        if not task.cancelled():
            task.result()

    async def _shut_down(self) -> None:
        if self._plan.ending == "shutdown":
            await asyncio.sleep(self._plan.ends_after_s)
            self._world.history.excused.add("internal_error")
            await self._world.node.calls.close()
        elif self._plan.ending == "expire":
            self._world.history.excused.add("session_expired")

    # --- the end ---------------------------------------------------------------------------

    async def _end(self) -> None:
        world, caller, plan = self._world, self._caller, self._plan
        if world.history.ended is None:
            if plan.ending == "leave":
                for link in world.links:
                    if link.is_up:
                        await self._fate.lose(link, "dark")
            elif plan.ending == "end":
                await self._unless_over(self._end_politely())
        limits = {"leave": 20.0 + RESUME_S, "expire": plan.setting.session_seconds}
        patience = limits.get(plan.ending, plan.ends_after_s) + 10.0
        over = world.history.is_over.wait
        try:
            async with asyncio.timeout(patience):
                await over()
        except TimeoutError:
            world.watch.hold(False, "a session ends", plan.ending)
            await world.node.calls.close()
        # The goodbye is on its way.
        await caller.until(lambda: caller.counts["session.ended"] and caller.live is None, 3.0)

    async def _end_politely(self) -> None:
        caller, world = self._caller, self._world
        if self._plan.settles:
            await self.rest()
        for _ in range(MOST_GOODBYES):
            while caller.live is None and not caller.gone and caller.session_id:
                await self._fate.come_back((Attempt(),))
            link = caller.live
            caller.tell({"type": "session.end"})
            # A socket that was overtaken is heard no more.
            if not await caller.until(lambda link=link: caller.live is not link, 5.0):  # type: ignore[misc]
                break
        world.watch.hold(world.history.ended, "session.end ends the session")

    async def rest(self) -> None:
        """Left alone, a call comes to rest: nobody speaks, and nothing is owed."""
        watch, loop = self._world.watch, asyncio.get_running_loop()
        until = loop.time() + REST_S
        rested = 0
        while rested < 2 and loop.time() < until:  # noqa: PLR2004
            rested = rested + 1 if self._is_at_rest() else 0
            await asyncio.sleep(0.75)
        call = self._world.call()
        state = None if call is None else vars(call.session)["_state"]
        watch.hold(rested >= 2, "a call that is left alone comes to rest", state)  # noqa: PLR2004
        self._caller.rested_at = loop.time()

    def _is_at_rest(self) -> bool:
        call = self._world.call()
        if call is None or self._caller.live is None:
            return False
        state = vars(call.session)["_state"]
        books = state.books
        owes = books.owed or books.wish or books.calls
        return isinstance(state, Quiet) and not owes and self._caller.reply is None


