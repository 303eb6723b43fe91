"""What an operator is told of a stage; never the value of an option."""

from __future__ import annotations

from msgspec import UNSET

from antiphon_protocol.rest_operator import (
    LatencyTimes,
    ProviderLatencies,
    ProviderRouted,
    ProviderSwitch,
    ServingProvider,
    ServingStage,
)
from antiphon_server.observe.providers import Health, Phase
from antiphon_server.settings import ALL_STAGES
from antiphon_server.stages.lineup import Lineup


def told(lineup: Lineup, now: float) -> ServingStage:
    """A stage as it is served. ``now`` is on the clock of the breakers, in seconds."""
    watch = lineup.watch
    routed = tuple(
        ProviderRouted(provider=name, reason=reason, count=count)
        for (name, reason), count in watch.choices.items()
    )
    return ServingStage(
        stage=ALL_STAGES[lineup.setting],
        serves=_first(lineup, now),
        version=lineup.version,
        since=lineup.since,
        providers=tuple(_provider(lineup, place, now) for place in range(len(lineup.names))),
        switches=tuple(
            ProviderSwitch(provider=name, to=to, reason=reason, count=count)
            for (name, to, reason), count in watch.switches.items()
        ),
        routed=routed or UNSET,
    )


def _first(lineup: Lineup, now: float) -> str:
    """The first that its breaker does not leave alone; where all are, the first."""
    asked = (each.name for each in lineup.candidates if each.breaker.admits(now))
    return next(asked, lineup.names[0])


def _provider(lineup: Lineup, place: int, now: float) -> ServingProvider:
    chosen, name = lineup.chosen[place], lineup.names[place]
    health = lineup.watch.health.get(name, Health())
    breakers = [each.breaker for each in lineup.candidates]
    return ServingProvider(
        name=name,
        model=chosen.options.get("model", ""),
        options=tuple(sorted(chosen.options)),
        breaker=breakers[place].state(now) if breakers else None,
        attempts=health.attempts,
        failures=health.failures,
        errors=dict(health.errors),
        latency_ms=ProviderLatencies(
            connect=_times(health, "connect"),
            first=_times(health, "first"),
            finish=_times(health, "finish"),
        ),
        hedges_started=health.hedges_started,
        hedges_won=health.hedges_won,
    )


def _times(health: Health, phase: Phase) -> LatencyTimes:
    half, most = health.percentile_ms(0.5, phase), health.percentile_ms(0.95, phase)
    return LatencyTimes(
        p50=None if half is None else round(half, 1), p95=None if most is None else round(most, 1)
    )
