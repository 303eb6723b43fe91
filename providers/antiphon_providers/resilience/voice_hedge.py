"""A second voice for the first sentence, where the first one is slower than it usually is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, Protocol

from antiphon_providers.resilience.hedging import HedgeBudget, hedge_delay_s
from antiphon_providers.resilience.performance import Performance
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.script import Script


class Voices(Protocol):
    """Who can be asked for a second voice, and takes back what came of the first."""

    def begin(self, script: Script) -> Performance | None:
        """Another voice goes to work, if there is one."""
        ...

    def lost(self, performance: Performance) -> Any:
        """It failed."""
        ...

    def let_go(self, performance: Performance) -> None:
        """It is not wanted any more."""
        ...

    def hedged(self, performance: Performance, *, won: bool | None) -> None:
        """A second voice was asked (None), and later how that ended."""
        ...


class VoiceHedge:
    """One reply's."""

    def __init__(self, voices: Voices, budget: HedgeBudget, policy: Policy) -> None:
        self._voices = voices
        self._budget = budget
        self._policy = policy

    async def winner(self, first: Performance, script: Script) -> Performance:
        """Who gives the first sound: ``first``, or a second voice that was asked because it
        had given none by its usual time. Where both fail it is the one that failed last.
        """
        self._budget.asked()
        # The time that the first sentence takes to be written is not the voice's.
        await _first_of(first.decided.wait(), script.get(0))
        delay_s = hedge_delay_s(first.candidate.latency, self._policy)
        with suppress(TimeoutError):
            async with asyncio.timeout(delay_s):
                await first.decided.wait()
        if first.decided.is_set() or not self._budget.take():
            return first
        second = self._voices.begin(script)
        if second is None:
            return first
        self._voices.hedged(second, won=None)
        winner = await self._race(first, second)
        self._voices.hedged(second, won=winner is second)
        return winner

    async def _race(self, first: Performance, second: Performance) -> Performance:
        running = [first, second]
        while len(running) > 1:
            await _first_of(first.decided.wait(), second.decided.wait())
            for performance in tuple(running):
                if performance.decided.is_set() and len(running) > 1:
                    running.remove(performance)
                    if performance.failure is None:
                        self._put_down(running[0])
                        return performance
                    self._voices.lost(performance)
        return running[0]

    def _put_down(self, loser: Performance) -> None:
        if loser.decided.is_set() and loser.failure is not None:
            self._voices.lost(loser)
            return
        loser.cancel()
        # It would have taken longer: to forget that would make the slow look quick.
        loser.candidate.latency.add(loser.recital.idle_s)
        self._voices.let_go(loser)


async def _first_of(*waits: Awaitable[Any]) -> None:
    """Returns when one of them is done, or has failed."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
