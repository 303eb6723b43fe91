"""What a caller does, act by act."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from simulation import plan as p
from simulation.caller import Caller
from simulation.node import tool_of

BARGE_IN_PATIENCE_S = 6.0
STRANGE: dict[str, tuple[str | bytes, str]] = {
    "no_json": ("{", "invalid_format"),
    "unknown": ('{"type":"session.dance"}', "invalid_format"),
    "binary": (b"\x00\x01", "invalid_audio"),
    "bad_audio": ('{"type":"input.audio","audio":"?"}', "invalid_audio"),
    "second_resume": ('{"type":"session.resume","session_id":"sess_0"}', "invalid_format"),
    "bogus_result": ('{"type":"tool.result","call_id":"call_none","result":"bogus"}', ""),
}
"""Frames that are wrong, and the error that they bring."""


class Script:
    """Performs acts for a caller."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._dice = random.Random(f"{caller.plan.seed} script")  # noqa: S311
        self._changes = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._perform: dict[type[Any], Callable[[Any], Awaitable[object]]] = {
            p.Say: self._say,
            p.Hum: lambda act: self._meanwhile(caller.mic.hum(act.seconds)),
            p.Nod: lambda act: caller.mic.nod(act.name),
            p.Wait: lambda act: caller.until(lambda: False, act.seconds),
            p.BargeIn: self._barge_in,
            p.AwaitCalm: self._await_calm,
            p.Create: self._create,
            p.Cancel: self._cancel,
            p.Message: self._message,
            p.Change: self._change,
            p.Nonsense: self._nonsense,
            p.Stall: self._stall,
        }

    async def run(self, acts: tuple[p.Act, ...]) -> None:
        """All of them, one after the other."""
        for act in acts:
            await self.perform(act)

    async def perform(self, act: p.Act) -> None:
        """One of them."""
        caller = self._caller
        caller.world.watch.note("script", act)
        await self._perform[type(act)](act)

    async def _say(self, act: p.Say) -> None:
        speaking = self._caller.mic.say(act.words, act.silence_ms)
        await (self._meanwhile(speaking) if act.meanwhile else speaking)

    async def _meanwhile(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(work, name="meanwhile"))

    def stop(self) -> None:
        """What happens meanwhile ends."""
        for task in self._tasks:
            task.cancel()

    async def _barge_in(self, act: p.BargeIn) -> None:
        caller = self._caller
        if await caller.until(lambda: caller.audio > 0 and caller.reply, BARGE_IN_PATIENCE_S):
            await caller.until(lambda: False, act.after_s)
        await caller.mic.say(act.words, 500)

    async def _await_calm(self, act: p.AwaitCalm) -> None:
        caller = self._caller
        await caller.until(lambda: caller.reply, min(2.0, act.patience_s))
        await caller.until(lambda: caller.reply is None, act.patience_s)

    async def _create(self, act: p.Create) -> None:
        told = {} if act.instructions is None else {"instructions": act.instructions}
        self._caller.tell({"type": "reply.create", **told})

    async def _cancel(self, act: p.Cancel) -> None:
        caller = self._caller
        await caller.until(lambda: False, act.after_s)
        known = {"newest": caller.replies[-1:], "older": caller.replies[-2:-1]}
        for reply_id in known.get(act.which, ["resp_unknown"]):
            caller.tell({"type": "reply.cancel", "reply_id": reply_id})

    async def _message(self, act: p.Message) -> None:
        self._caller.add_message(act.role)

    async def _change(self, act: p.Change) -> None:
        self._changes += 1
        session, code = self._changed(act.what)
        self._excuse(code)
        self._caller.tell({"type": "session.update", "session": session})

    def _changed(self, what: str) -> tuple[dict[str, Any], str]:
        """An update, and the error that it brings."""
        tools = [tool_of(tool) for tool in self._caller.plan.setting.tools]
        detection = {"min_silence": 300, "max_silence": 1_200}
        changes: dict[str, tuple[dict[str, Any], str]] = {
            "prompt": ({"system_prompt": f"s{self._changes}"}, ""),
            "tools": ({"tools": self._dice.sample(tools, self._dice.randint(0, len(tools)))}, ""),
            "volume": ({"output": {"volume": self._dice.choice((0, 50, 100))}}, ""),
            "patience": ({"input": {"turn_detection": detection}}, ""),
            "same": ({}, ""),
            "frozen": ({"greeting": f"another {self._changes}"}, "immutable_field"),
            "shapeless": ({"input": {"keyterms": 5}}, "invalid_format"),
        }
        return changes[what]

    async def _nonsense(self, act: p.Nonsense) -> None:
        frame, code = STRANGE[act.kind]
        self._excuse(code)
        self._caller.tell(frame)

    def _excuse(self, code: str) -> None:
        live = self._caller.live
        if live is not None and code:
            self._caller.world.history.mistake(live.number, code)

    async def _stall(self, act: p.Stall) -> None:
        caller = self._caller
        link = caller.live
        if link is not None:
            caller.world.watch.count("reader stalls")
            link.stall()
            await caller.until(lambda: caller.live is not link, act.seconds)
            link.read_on()
