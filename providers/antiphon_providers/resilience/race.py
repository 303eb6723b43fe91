"""Who writes a reply: the attempts for it, up to the first useful piece of one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec import Struct

from antiphon_providers.errors import ProviderError, TooSlow
from antiphon_providers.interfaces import LanguageModel, Prompt
from antiphon_providers.resilience.attempt import Attempt
from antiphon_providers.resilience.breaker import about_the_request
from antiphon_providers.resilience.candidates import Candidate, Candidates
from antiphon_providers.resilience.hedging import HedgeBudget, hedge_delay_s
from antiphon_providers.resilience.policy import Policy

Model = Candidate[LanguageModel]

HEDGE = "hedge"
BREAKER_OPEN = "breaker_open"
"""Reasons for somebody else than the first, beside the codes of errors."""

_SLACK_S = 1e-6
"""By which a timer may be early."""


class Track(Struct, frozen=True):
    """What all races of one wrapper share."""

    candidates: Candidates[LanguageModel]
    policy: Policy
    budget: HedgeBudget


class Race:
    """One reply's. ``order`` is who is asked first, second...; each is asked once, and the only
    one there is a second time where hedging wants it.

    ``stop`` must follow.
    """

    def __init__(self, track: Track, order: Sequence[Model], prompt: Prompt) -> None:
        self._candidates, self._policy = track.candidates, track.policy
        self._budget = track.budget
        self._order = order
        self._untried = list(order)
        self._prompt = prompt
        self._loop = asyncio.get_running_loop()
        self._ends = self._loop.time() + track.policy.budget_ms / 1000
        self._woken = asyncio.Event()
        self._all: list[Attempt] = []
        self._running: list[Attempt] = []
        self._hedge: Attempt | None = None
        self._may_hedge = track.policy.hedge
        self._failure: ProviderError | None = None
        """The last one."""
        self._reason = ""
        """Why it is not the first in order, in one word."""

    async def winner(self) -> tuple[Attempt, str]:
        """The attempt that first had something useful, and why it is not that of the first in
        order (empty where it is).

        Raises the last ``ProviderError`` when all failed, the first that is about the request
        itself, ``TooSlow`` when the time for all of them is over, and ``Unavailable`` when
        nobody can be asked.
        """
        self._budget.asked()
        while True:
            for attempt in tuple(self._running):
                if attempt.useful_after is not None:
                    return attempt, self._won(attempt)
                if attempt.failure is not None:
                    self._lost(attempt, attempt.failure)
            if not self._running:
                self._go_on()
            await self._wait()
            self._look_at_the_clock()

    async def stop(self) -> None:
        """Cancels what still runs and returns when it is gone."""
        for attempt in self._all:
            attempt.cancel()
        for attempt in tuple(self._running):
            self._give_up(attempt)
        self._tell_of_hedge(won=False)
        await Attempt.gone(self._all)

    # --- attempts ------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Asks the next. Raises the last failure where there is none."""
        attempt = self._next()
        if attempt is None:
            raise self._failure or self._candidates.nobody("language model")
        if attempt.candidate is not self._order[0] and not self._reason:
            self._reason = self._failure.code if self._failure else BREAKER_OPEN

    def _next(self) -> Attempt | None:
        while self._untried:
            attempt = self._ask(self._untried.pop(0))
            if attempt is not None:
                return attempt
        return None

    def _ask(self, candidate: Model) -> Attempt | None:
        permit = self._candidates.ask(candidate)
        if permit is None:
            return None
        clock = self._candidates.clock
        attempt = Attempt(candidate, permit, self._prompt, clock, self._woken.set)
        self._all.append(attempt)
        self._running.append(attempt)
        return attempt

    def _hedge_now(self) -> None:
        self._may_hedge = False
        slow = self._running[0].candidate
        if not self._somebody_is_left() and not slow.breaker.admits(self._candidates.clock()):
            return
        if self._budget.take():
            self._hedge = self._next() or self._ask(slow)
            if self._hedge is not None:
                self._candidates.observer.hedged(self._hedge.candidate.name, won=None)

    def _somebody_is_left(self) -> bool:
        now = self._candidates.clock()
        return any(candidate.breaker.admits(now) for candidate in self._untried)

    # --- time ----------------------------------------------------------------------------

    async def _wait(self) -> None:
        """Until an attempt wakes us, or there is something to do."""
        try:
            async with asyncio.timeout_at(min(self._ends, self._next_step())):
                await self._woken.wait()
        except TimeoutError:
            return
        self._woken.clear()

    def _next_step(self) -> float:
        steps = [self._overdue_at()] if self._somebody_is_left() else []
        if self._may_hedge and len(self._running) == 1:
            steps.append(self._hedge_at())
        return min(steps, default=self._ends)

    def _overdue_at(self) -> float:
        """When the last of the running has had its time."""
        first_s = self._policy.first_ms / 1000
        return max((attempt.since + first_s for attempt in self._running), default=self._ends)

    def _hedge_at(self) -> float:
        slow = self._running[0]
        return slow.since + hedge_delay_s(slow.candidate.latency, self._policy)

    def _look_at_the_clock(self) -> None:
        waiting = [
            attempt
            for attempt in self._running
            if attempt.useful_after is None and attempt.failure is None
        ]
        if len(waiting) < len(self._running):
            return
        now = self._loop.time() + _SLACK_S
        if now >= self._ends:
            self._fail_slow(self._policy.budget_ms)
            self._untried.clear()
        elif now >= self._overdue_at() and self._somebody_is_left():
            self._fail_slow(self._policy.first_ms)
        elif self._may_hedge and len(self._running) == 1 and now >= self._hedge_at():
            self._hedge_now()

    def _fail_slow(self, limit_ms: int) -> None:
        for attempt in tuple(self._running):
            attempt.cancel()
            self._lost(attempt, self._too_slow(attempt, limit_ms))

    @staticmethod
    def _too_slow(attempt: Attempt, limit_ms: int) -> TooSlow:
        name = attempt.candidate.name
        return TooSlow(f"{name} said nothing within {limit_ms} ms", provider=name)

    # --- what came of it -----------------------------------------------------------------

    def _won(self, winner: Attempt) -> str:
        assert winner.useful_after is not None  # noqa: S101 - for the type checker
        self._running.remove(winner)
        self._candidates.began(winner.candidate, winner.useful_after)
        for loser in tuple(self._running):
            loser.cancel()
            # It would have taken longer: to forget that would make the slow look quick.
            loser.candidate.latency.add(loser.seconds)
            self._give_up(loser)
        hedge_won = winner is self._hedge
        self._tell_of_hedge(won=hedge_won)
        first = self._order[0]
        if winner.candidate is first:
            return ""
        reason = self._reason or (self._failure.code if self._failure else HEDGE)
        if reason != HEDGE:
            self._candidates.observer.switched(first.name, winner.candidate.name, reason)
        return reason

    def _lost(self, attempt: Attempt, failure: ProviderError) -> None:
        self._running.remove(attempt)
        self._failure = failure
        if isinstance(failure, TooSlow):
            attempt.candidate.latency.add(attempt.seconds)
        self._candidates.failed(attempt.candidate, attempt.permit, failure)
        if about_the_request(failure):
            raise failure

    def _give_up(self, attempt: Attempt) -> None:
        """It was not waited for; one that had its time all the same has failed."""
        self._running.remove(attempt)
        if attempt.seconds >= self._policy.first_ms / 1000:
            failure = self._too_slow(attempt, self._policy.first_ms)
            self._candidates.failed(attempt.candidate, attempt.permit, failure)
        else:
            self._candidates.abandoned(attempt.candidate, attempt.permit)

    def _tell_of_hedge(self, *, won: bool) -> None:
        if self._hedge is not None:
            self._candidates.observer.hedged(self._hedge.candidate.name, won=won)
            self._hedge = None
