"""An observer that writes everything down, and candidates whose clock is the loop's."""

from __future__ import annotations

import asyncio
from typing import TypeVar

from antiphon_providers.interfaces import Provider
from antiphon_providers.observer import Silent
from antiphon_providers.resilience.candidates import Candidate
from antiphon_providers.resilience.policy import Policy

P = TypeVar("P", bound=Provider)


class Witness(Silent):
    """Remembers failures as (who, code) and switches as (from, to, why), with their times."""

    def __init__(self) -> None:
        self.failures: list[tuple[str, str]] = []
        self.switches: list[tuple[str, str, str]] = []
        self.states: list[tuple[str, str]] = []
        self.failed_at: list[float] = []
        self.hedges: list[tuple[str, bool | None]] = []

    def failed(self, provider: str, code: str) -> None:
        """An attempt failed."""
        self.failures.append((provider, code))
        self.failed_at.append(now())

    def hedged(self, provider: str, *, won: bool | None) -> None:
        """A second attempt, or how it ended."""
        self.hedges.append((provider, won))

    def switched(self, provider: str, to: str, reason: str) -> None:
        """Another took over."""
        self.switches.append((provider, to, reason))

    def breaker(self, provider: str, state: str) -> None:
        """A breaker changed."""
        self.states.append((provider, state))


def candidates(policy: Policy, *providers: P) -> list[Candidate[P]]:
    """In this order, named a, b, c."""
    return [
        Candidate(provider, policy, name=name)
        for name, provider in zip("abcdef", providers, strict=False)
    ]


def now() -> float:
    """The loop's time, which is virtual in most tests."""
    return asyncio.get_running_loop().time()
