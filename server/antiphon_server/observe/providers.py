"""Providers at work, as metrics and as a picture of their health now."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import structlog
from msgspec import Struct, field

from antiphon_providers.observer import BreakerState
from antiphon_server.observe import metrics

log = structlog.get_logger()

RECENT = 200
"""Attempts of a provider that its percentiles are of."""
_STATES: dict[BreakerState, int] = {"closed": 0, "half_open": 1, "open": 2}


class Health(Struct):
    """How one provider does, over its recent attempts; milliseconds."""

    breaker: BreakerState = "closed"
    attempts: int = 0
    failures: int = 0
    last_failure: str | None = None
    """Code of the latest one."""
    hedges_started: int = 0
    hedges_won: int = 0
    first_ms: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))
    """To the first useful byte."""

    def percentile_ms(self, share: float) -> float | None:
        """Of the times to the first useful byte; None as long as there is none."""
        ordered = sorted(self.first_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


class ProviderWatch:
    """What is told of one stage's providers: an ``antiphon_providers.observer.Observer``."""

    def __init__(self, stage: str, providers: Iterable[str] = ()) -> None:
        self.stage = stage
        self.health: dict[str, Health] = {name: Health() for name in providers}

    def connected(self, provider: str, seconds: float) -> None:
        """A new connection stands."""
        metrics.PROVIDER_SECONDS.labels(self.stage, provider, "connect").observe(seconds)

    def began(self, provider: str, seconds: float) -> None:
        """The first useful byte came."""
        self._of(provider).first_ms.append(seconds * 1000)
        metrics.PROVIDER_SECONDS.labels(self.stage, provider, "first").observe(seconds)

    def finished(self, provider: str, seconds: float) -> None:
        """An answer is complete."""
        self._of(provider).attempts += 1
        metrics.PROVIDER_SECONDS.labels(self.stage, provider, "finish").observe(seconds)

    def failed(self, provider: str, code: str) -> None:
        """An attempt failed."""
        health = self._of(provider)
        health.attempts += 1
        health.failures += 1
        health.last_failure = code
        log.warning("provider failed", stage=self.stage, provider=provider, code=code)
        metrics.PROVIDER_ERRORS.labels(self.stage, provider, code).inc()

    def breaker(self, provider: str, state: BreakerState) -> None:
        """A circuit breaker changed."""
        self._of(provider).breaker = state
        say = log.warning if state == "open" else log.info
        say("provider's breaker changed", stage=self.stage, provider=provider, breaker=state)
        metrics.PROVIDER_BREAKER.labels(self.stage, provider).set(_STATES[state])

    def hedged(self, provider: str, *, won: bool | None) -> None:
        """A second attempt was started (None), and later how it ended."""
        health = self._of(provider)
        health.hedges_started += won is None
        health.hedges_won += won is True
        outcome = "started" if won is None else ("won" if won else "lost")
        metrics.PROVIDER_HEDGES.labels(self.stage, provider, outcome).inc()

    def switched(self, provider: str, to: str, reason: str) -> None:
        """Another candidate took over."""
        log.info("provider switched", stage=self.stage, provider=provider, to=to, reason=reason)
        metrics.PROVIDER_SWITCHES.labels(self.stage, provider, to, reason).inc()

    def chose(self, provider: str, reason: str) -> None:
        """A router chose."""
        metrics.PROVIDER_CHOICES.labels(self.stage, provider, reason).inc()

    def _of(self, provider: str) -> Health:
        return self.health.setdefault(provider, Health())
