"""Providers at work, as metrics and as a picture of their health now."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Literal

import structlog
from msgspec import Struct, field

from antiphon_providers.observer import BreakerState
from antiphon_server.observe import metrics, notes

log = structlog.get_logger()

RECENT = 200
"""Attempts of a provider that its percentiles are of."""
Phase = Literal["connect", "first", "finish"]
"""A new connection, the first useful byte, a complete answer."""
_STATES: dict[BreakerState, int] = {"closed": 0, "half_open": 1, "open": 2}


class Health(Struct):
    """How one provider does, over its recent attempts; milliseconds."""

    breaker: BreakerState = "closed"
    attempts: int = 0
    failures: int = 0
    last_failure: str | None = None
    """Code of the latest one."""
    errors: Counter[str] = field(default_factory=Counter)
    """By code."""
    hedges_started: int = 0
    hedges_won: int = 0
    times_ms: dict[Phase, deque[float]] = field(default_factory=dict)

    def took(self, phase: Phase, seconds: float) -> None:
        """Remembers a time."""
        times = self.times_ms.setdefault(phase, deque(maxlen=RECENT))
        times.append(seconds * 1000)

    def percentile_ms(self, share: float, phase: Phase = "first") -> float | None:
        """Of the recent times of a phase; None as long as there is none."""
        ordered = sorted(self.times_ms.get(phase, ()))
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


class ProviderWatch:
    """What is told of one stage's providers: an ``antiphon_providers.observer.Observer``.

    ``serves`` is whether new work goes to them: of those that another version replaced, or that
    are only being started, the gauge of the breaker says nothing.
    """

    def __init__(self, stage: str, providers: Iterable[str] = (), *, serves: bool = True) -> None:
        self.stage = stage
        self.health: dict[str, Health] = {name: Health() for name in providers}
        self.switches: Counter[tuple[str, str, str]] = Counter()
        """From, to and why."""
        self.choices: Counter[tuple[str, str]] = Counter()
        """What a router chose, and which kind of reason it had."""
        self._serves = serves

    def take_over(self, former: ProviderWatch) -> None:
        """New work goes to these providers from now on, and no more to the former ones."""
        former._serves = False
        self._serves = True
        for name in former.health.keys() - self.health.keys():
            metrics.PROVIDER_BREAKER.labels(self.stage, name).set(_STATES["closed"])
        for name, health in self.health.items():
            metrics.PROVIDER_BREAKER.labels(self.stage, name).set(_STATES[health.breaker])

    def connected(self, provider: str, seconds: float) -> None:
        """A new connection stands."""
        self._of(provider).took("connect", seconds)
        metrics.PROVIDER_SECONDS.labels(self.stage, provider, "connect").observe(seconds)

    def began(self, provider: str, seconds: float) -> None:
        """The first useful byte came."""
        self._of(provider).took("first", seconds)
        metrics.PROVIDER_SECONDS.labels(self.stage, provider, "first").observe(seconds)

    def finished(self, provider: str, seconds: float) -> None:
        """An answer is complete."""
        health = self._of(provider)
        health.attempts += 1
        health.took("finish", seconds)
        metrics.PROVIDER_SECONDS.labels(self.stage, provider, "finish").observe(seconds)

    def failed(self, provider: str, code: str) -> None:
        """An attempt failed."""
        health = self._of(provider)
        health.attempts += 1
        health.failures += 1
        health.last_failure = code
        health.errors[code] += 1
        log.warning("provider failed", stage=self.stage, provider=provider, code=code)
        metrics.PROVIDER_ERRORS.labels(self.stage, provider, code).inc()
        self._note("provider.failed", provider, **{"error.type": code})

    def breaker(self, provider: str, state: BreakerState) -> None:
        """A circuit breaker changed."""
        self._of(provider).breaker = state
        say = log.warning if state == "open" else log.info
        say("provider's breaker changed", stage=self.stage, provider=provider, breaker=state)
        if self._serves:
            metrics.PROVIDER_BREAKER.labels(self.stage, provider).set(_STATES[state])

    def hedged(self, provider: str, *, won: bool | None) -> None:
        """A second attempt was started (None), and later how it ended."""
        health = self._of(provider)
        health.hedges_started += won is None
        health.hedges_won += won is True
        outcome = "started" if won is None else ("won" if won else "lost")
        metrics.PROVIDER_HEDGES.labels(self.stage, provider, outcome).inc()
        self._note("provider.hedged", provider, **{"antiphon.outcome": outcome})

    def switched(self, provider: str, to: str, reason: str) -> None:
        """Another candidate took over."""
        self.switches[provider, to, reason] += 1
        log.info("provider switched", stage=self.stage, provider=provider, to=to, reason=reason)
        metrics.PROVIDER_SWITCHES.labels(self.stage, provider, to, reason).inc()
        self._note("provider.switched", provider, **{"antiphon.to": to, "antiphon.reason": reason})

    def chose(self, provider: str, reason: str) -> None:
        """A router chose. Only the kind of its reason is counted: what follows a colon may be
        different each time.
        """
        kind = reason.partition(":")[0]
        self.choices[provider, kind] += 1
        metrics.PROVIDER_CHOICES.labels(self.stage, provider, kind).inc()

    def _note(self, name: str, provider: str, **attributes: str) -> None:
        """In the trace of the call that it happened to."""
        notes.note(
            name, **{"antiphon.stage": self.stage, "gen_ai.provider.name": provider, **attributes}
        )

    def _of(self, provider: str) -> Health:
        return self.health.setdefault(provider, Health())
