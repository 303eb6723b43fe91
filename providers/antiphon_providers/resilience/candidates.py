"""The providers that a wrapper may ask, what is known of them, and who is asked first."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from antiphon_providers.errors import ProviderError, Unavailable
from antiphon_providers.interfaces import Provider
from antiphon_providers.observer import SILENT, BreakerState, Observer
from antiphon_providers.resilience.breaker import Breaker, Permit
from antiphon_providers.resilience.latency import Latency
from antiphon_providers.resilience.policy import Policy

P = TypeVar("P", bound=Provider)

Clock = Callable[[], float]
"""Seconds; does not go back."""

_REMEMBERED_CONVERSATIONS = 10_000


class Candidate(Generic[P]):
    """One provider of several. ``name`` is that in settings, ``model`` the vendor's, if it has one.

    ``breaker`` and ``latency`` (to the first useful piece) are shared by all calls.
    """

    def __init__(self, provider: P, policy: Policy, *, name: str = "", model: str = "") -> None:
        self.provider = provider
        self.name = name or provider.name
        self.model = model
        self.breaker = Breaker(policy)
        self.latency = Latency()
        self.told: BreakerState = "closed"
        """The breaker's state that the observer knows of."""


class Candidates(Generic[P]):
    """An ordered list of candidates, at least one; the first is preferred.

    A conversation that another candidate took over stays with that one as long as it can be
    asked. ``observer`` may be replaced at any time; the providers get it, too.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate[P]],
        observer: Observer = SILENT,
        clock: Clock = time.monotonic,
    ) -> None:
        if not candidates:
            raise ValueError("there must be a candidate")
        self._all = tuple(candidates)
        self.clock = clock
        self._kept: OrderedDict[str, Candidate[P]] = OrderedDict()
        self.observer = observer

    @property
    def observer(self) -> Observer:
        """Who is told."""
        return self._observer

    @observer.setter
    def observer(self, observer: Observer) -> None:
        self._observer = observer
        for candidate in self._all:
            provider: Any = candidate.provider
            if hasattr(provider, "observer"):
                provider.observer = observer

    def __iter__(self) -> Iterator[Candidate[P]]:
        """In the order of preference."""
        return iter(self._all)

    def __len__(self) -> int:
        """At least one."""
        return len(self._all)

    # --- life ----------------------------------------------------------------------------

    async def start(self) -> None:
        """Starts all of them, at once.

        Raises what cannot get better by waiting (a wrong key, say) whoever it befell. Any
        other failure leaves that candidate alone for its cooldown, and is raised (the first
        one's) only when nobody could be started.
        """
        outcomes = await asyncio.gather(
            *(candidate.provider.start() for candidate in self._all), return_exceptions=True
        )
        failures: list[ProviderError] = []
        for candidate, outcome in zip(self._all, outcomes, strict=True):
            if isinstance(outcome, ProviderError) and outcome.retryable:
                failures.append(outcome)
                self.report_failure(candidate, outcome)
                candidate.breaker.trip(outcome, self.clock())
                self.tell(candidate)
            elif isinstance(outcome, BaseException):
                raise outcome
        if len(failures) == len(self._all):
            raise failures[0]

    async def close(self) -> None:
        """Closes all of them, whatever goes wrong with one; raises the first thing that did."""
        outcomes = await asyncio.gather(
            *(candidate.provider.close() for candidate in self._all), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome

    # --- whose turn it is ----------------------------------------------------------------

    def in_order(self, conversation: str = "") -> list[Candidate[P]]:
        """All of them, who should be asked first in front."""
        kept = self._kept.get(conversation)
        if kept is None or not kept.breaker.admits(self.clock()):
            return list(self._all)
        return [kept, *(candidate for candidate in self._all if candidate is not kept)]

    def keep(self, conversation: str, candidate: Candidate[P]) -> None:
        """The conversation goes on with this candidate."""
        if not conversation:
            return
        if candidate is self._all[0]:
            self._kept.pop(conversation, None)
            return
        self._kept[conversation] = candidate
        self._kept.move_to_end(conversation)
        if len(self._kept) > _REMEMBERED_CONVERSATIONS:
            self._kept.popitem(last=False)

    def avoid(self, conversation: str, candidate: Candidate[P]) -> None:
        """The conversation goes on with another than this one, if one may be asked."""
        now = self.clock()
        others = [one for one in self._all if one is not candidate and one.breaker.admits(now)]
        if others:
            self.keep(conversation, others[0])

    def nobody(self, stage: str) -> Unavailable:
        """What is raised when no breaker lets anybody through."""
        now = self.clock()
        wait_s = min(candidate.breaker.opens_in(now) for candidate in self._all)
        names = ", ".join(candidate.name for candidate in self._all)
        return Unavailable(
            f"no {stage} can be asked now: {names} failed lately",
            provider=self._all[0].name,
            retry_after_s=wait_s,
        )

    # --- what came of it -----------------------------------------------------------------

    def enter(self, candidate: Candidate[P]) -> Permit | None:
        """Leave to make an attempt, to be given back with ``succeeded``, ``served``,
        ``failed`` or ``abandoned``; None while the candidate is left alone.
        """
        permit = candidate.breaker.enter(self.clock())
        self.tell(candidate)
        return permit

    def ask(self, candidate: Candidate[P]) -> Permit | None:
        """As ``enter``, but the only candidate is always asked: nobody stands in for it, and an
        attempt that may succeed is better for the caller than none.
        """
        if len(self._all) > 1:
            return self.enter(candidate)
        permit = candidate.breaker.insist(self.clock())
        self.tell(candidate)
        return permit

    def began(self, candidate: Candidate[P], seconds: float) -> None:
        """The first useful piece came, so long after it was asked for."""
        candidate.latency.add(seconds)
        self._observer.began(candidate.name, seconds)

    def succeeded(self, candidate: Candidate[P], permit: Permit, seconds: float) -> None:
        """The answer is complete, so long after it was asked for."""
        candidate.breaker.succeeded(permit)
        self._observer.finished(candidate.name, seconds)
        self.tell(candidate)

    def failed(self, candidate: Candidate[P], permit: Permit, failure: ProviderError) -> None:
        """The attempt failed, before or after it began."""
        self.report_failure(candidate, failure)
        candidate.breaker.failed(permit, failure, self.clock())
        self.tell(candidate)

    def served(self, candidate: Candidate[P], permit: Permit) -> None:
        """The answer began well, and nobody wanted the rest."""
        candidate.breaker.succeeded(permit)
        self.tell(candidate)

    def abandoned(self, candidate: Candidate[P], permit: Permit) -> None:
        """The attempt was given up, and says nothing of the candidate."""
        candidate.breaker.abandoned(permit)
        self.tell(candidate)

    def report_failure(self, candidate: Candidate[P], failure: ProviderError) -> None:
        """Tells the observer, and nobody else."""
        self._observer.failed(candidate.name, failure.code)

    def tell(self, candidate: Candidate[P]) -> None:
        """Tells the observer of the breaker, if it changed."""
        state = candidate.breaker.state(self.clock())
        if state != candidate.told:
            candidate.told = state
            self._observer.breaker(candidate.name, state)


def failure_of(error: Exception, candidate: Candidate[Any]) -> ProviderError:
    """The error as one of ours: a candidate's defect must not end the call either."""
    if isinstance(error, ProviderError):
        return error
    failure = Unavailable(
        f"{candidate.name} failed with {type(error).__name__}", provider=candidate.name
    )
    failure.__cause__ = error
    return failure
