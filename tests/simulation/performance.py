"""How a simulated call is played: script, network and providers, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from functools import partial
from typing import Any

from antiphon_server.conversation.states import Quiet
from simulation import conclusion
from simulation.caller import Caller
from simulation.fate import Fate
from simulation.node import AGENT, RESUME_S, session_of
from simulation.plan import Attempt
from simulation.script import Script
from simulation.world import World

REST_S = 120.0
"""In which a call that is left alone must come to rest."""
MOST_GOODBYES = 4


class Performance:
    """Script, network and providers play their parts until the session is over."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.caller = Caller(world)
        self.script = Script(self.caller)
        self.fate = Fate(self.caller)
        self._plan = world.plan
        self._before = asyncio.all_tasks()
        self._timers: list[asyncio.TimerHandle] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """The whole call, and what must be true of it afterwards."""
        await self.begin()
        await self._unless_over(self._both())
        await self.end()

    async def begin(self) -> None:
        """The providers' troubles, the microphone, the first socket and the first update."""
        loop = asyncio.get_running_loop()
        for trouble in self._plan.troubles:
            befall = partial(self.world.twins.befall, trouble.stage, trouble.fault)
            self._timers.append(loop.call_later(trouble.at_s, befall))
        if conclusion.may_fail(self._plan):
            self.world.history.excused.add("internal_error")
        self._tasks.append(loop.create_task(self.caller.mic.run(), name="microphone"))
        self._tasks.append(loop.create_task(self._shut_down(), name="shutdown"))
        await self._open()

    async def _open(self) -> None:
        """The first socket, and the first update on it."""
        world, caller, setting = self.world, self.caller, self._plan.setting
        link = world.dial(await world.credential(setting.credential))
        for frame in setting.first_frames:
            if "input.audio" not in frame:
                world.history.mistake(link.number, "invalid_format")
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
            group.create_task(self.script.run(self._plan.script), name="script")
            group.create_task(self.fate.run(self._plan.drops), name="fate")

    async def _unless_over(self, work: Coroutine[Any, Any, None]) -> None:
        """Until it is done, or the session is over."""
        loop = asyncio.get_running_loop()
        task = loop.create_task(work, name="call")
        over = loop.create_task(self.world.history.is_over.wait(), name="over")
        await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
        for one in (task, over):
            one.cancel()
        await asyncio.wait({task, over})
        if not task.cancelled():
            task.result()

    async def _shut_down(self) -> None:
        if self._plan.ending == "shutdown":
            await asyncio.sleep(self._plan.ends_after_s)
            self.world.history.excused.add("internal_error")
            await self.world.node.calls.close()
        elif self._plan.ending == "expire":
            self.world.history.excused.add("session_expired")

    # --- the end ---------------------------------------------------------------------------

    async def end(self) -> None:
        """As the plan says; then nothing may be left, and everything must fit together."""
        await self._end()
        self.script.stop()
        await self.fate.come_too_late()
        for timer in self._timers:
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.caller.hang_up()
        await self.world.settle()
        conclusion.of_call(self.world, self.caller)
        conclusion.of_loop(self.world.watch, self._before)

    async def _end(self) -> None:
        world, caller, plan = self.world, self.caller, self._plan
        if world.history.ended is None:
            if plan.ending == "leave":
                for link in world.links:
                    if link.is_up:
                        await self.fate.lose(link, "dark")
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
        caller, world = self.caller, self.world
        if self._plan.settles:
            await self.rest()
        for _ in range(MOST_GOODBYES):
            while caller.live is None and not caller.gone and caller.session_id:
                await self.fate.come_back((Attempt(),))
            link = caller.live
            caller.tell({"type": "session.end"})
            # A socket that was overtaken is heard no more.
            if not await caller.until(lambda link=link: caller.live is not link, 5.0):  # type: ignore[misc]
                break
        world.watch.hold(world.history.ended, "session.end ends the session")

    async def rest(self) -> None:
        """Left alone, a call comes to rest: nobody speaks, and nothing is owed."""
        watch, loop = self.world.watch, asyncio.get_running_loop()
        until = loop.time() + REST_S
        rested = 0
        while rested < 2 and loop.time() < until:
            rested = rested + 1 if self._is_at_rest() else 0
            await asyncio.sleep(0.75)
        call = self.world.call()
        state = None if call is None else vars(call.session)["_state"]
        watch.hold(rested >= 2, "a call that is left alone comes to rest", state)
        self.caller.rested_at = loop.time()

    def _is_at_rest(self) -> bool:
        call = self.world.call()
        if call is None or self.caller.live is None or not self.caller.mic.is_idle:
            return False
        state = vars(call.session)["_state"]
        books = state.books
        owes = books.owed or books.wish or books.calls
        return isinstance(state, Quiet) and not owes and self.caller.reply is None
