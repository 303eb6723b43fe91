"""What befalls a call: its socket is lost, and the client comes back, or several of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from simulation.caller import Caller
from simulation.network import Link
from simulation.plan import Attempt, Drop, How

PATIENCE_S = 8.0
"""How long a drop waits for its moment; then it comes at any."""
ANSWER_S = 5.0
"""How long a client waits on a socket for the answer to its ``session.resume``."""
BACK_OFF_S = 0.5
MOST_RETRIES = 12
IN_FRAME_S = 0.12


class Fate:
    """Drops, one after the other."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._world = caller.world
        self._raced = False
        """Whether the client has had several sockets at once."""

    async def run(self, drops: tuple[Drop, ...]) -> None:
        """All of them, unless the session is over before."""
        caller = self._caller
        for drop in drops:
            await caller.until(lambda: caller.live is not None or caller.gone, 60)
            if caller.gone or caller.live is None:
                return
            when = drop.when if await self._moment(drop) else "anytime"
            await caller.until(lambda: False, drop.after_s)
            if caller.live is not None:
                self._world.watch.count(f"drop {drop.how} in {when}")
                await self.lose(caller.live, drop.how)
            await caller.until(lambda: False, drop.away_s if drop.how != "none" else 0.0)
            await self.come_back(drop.attempts)

    async def _moment(self, drop: Drop) -> bool:
        """Waits for it; whether it came."""
        caller = self._caller
        counts = caller.counts
        calls = counts["tool.call"]
        moments: dict[str, Callable[[], Any]] = {
            "greeting": lambda: len(caller.replies) == 1 and caller.audio > 0,
            "reply": lambda: caller.reply and caller.audio > 0,
            "tool": lambda: counts["tool.call"] > calls,
            "utterance": lambda: caller.mic.is_voiced,
            "idle": lambda: caller.reply is None and not caller.mic.is_voiced,
        }
        return await caller.until(moments.get(drop.when, lambda: True), PATIENCE_S)

    async def lose(self, link: Link, how: How) -> None:
        """The socket is lost, in one way or another."""
        self._world.watch.note(f"client {link.number}", f"is lost: {how}")
        if how == "none":
            return
        if how == "close":
            link.close()
        elif how == "reset":
            link.reset()
        elif how == "dark":
            link.go_dark()
        else:
            link.break_in_frame()
            await self._caller.until(lambda: False, IN_FRAME_S)
            link.reset()
        self._caller.detach(link)

    async def come_back(self, attempts: tuple[Attempt, ...]) -> None:
        """Attempts that may race, and others until one succeeds or nothing is left to resume."""
        caller = self._caller
        self._raced = self._raced or len(attempts) > 1
        links = [await self._attempt(attempt) for attempt in attempts]
        await caller.until(lambda: not any(link.is_up for link in links) or self._is_back, ANSWER_S)
        for _ in range(MOST_RETRIES):
            if self._is_back or not caller.session_id:
                return
            self._world.watch.count("resume tried again")
            link = await self._attempt(Attempt(after_s=BACK_OFF_S))
            await caller.until(lambda link=link: not link.is_up or self._is_back, ANSWER_S)  # type: ignore[misc]
        self._world.watch.hold(self._is_back, "a client that comes back is let in or refused")

    async def come_too_late(self) -> None:
        """The session is over: who wants it back is told so at once, and why."""
        caller, world = self._caller, self._world
        ended = world.history.ended
        if ended is None or not caller.session_id:
            return
        caller.gone = ""
        await self._attempt(Attempt())
        await caller.until(lambda: caller.gone, ANSWER_S)
        code = "session_expired" if ended.reason == "expired" else "session_not_found"
        world.watch.hold(caller.gone == code, "who comes too late is told so", caller.gone, code)

    @property
    def _is_back(self) -> bool:
        return self._caller.live is not None or bool(self._caller.gone)

    async def _attempt(self, attempt: Attempt) -> Link:
        caller, world = self._caller, self._world
        await caller.until(lambda: False, attempt.after_s)
        self._raced = self._raced or any(link.is_up for link in world.links)
        presented = await world.credential(attempt.credential)
        link = world.dial(presented, attempt.latency_s)
        self._expect(link, attempt)
        last_seq = world.delivery.last_seq if attempt.says_last_seq else None
        world.grammar.last_seqs[link.number] = last_seq
        told = {} if last_seq is None else {"last_seq": last_seq}
        caller.tell({"type": "session.resume", "session_id": caller.session_id, **told}, link)
        world.watch.count(f"resume by {attempt.credential}")
        if attempt.cut_after_s is not None:
            asyncio.get_running_loop().call_later(attempt.cut_after_s, self._cut, link)
        return link

    def _cut(self, link: Link) -> None:
        if link.is_up:
            self._world.watch.count("drop reset in resume")
            link.reset()
            self._caller.detach(link)

    def _expect(self, link: Link, attempt: Attempt) -> None:
        """Which errors may answer it."""
        due = self._world.history.due_errors.setdefault(link.number, set())
        due |= {"session_not_found", "session_expired"}
        if attempt.credential in ("other_key", "nonsense"):
            self._world.grammar.strangers.add(link.number)
        if attempt.credential == "other_key":
            due.add("session_forbidden")
        # The newest token that the client has is good for as long as the session lives, unless
        # another socket that it had at the same time has got a newer one.
        by_token = attempt.credential == "resume_token"
        if attempt.credential == "nonsense" or (by_token and self._raced):
            due.add("unauthorized")
