"""Providers at work, as metrics and as a picture of their health."""

from __future__ import annotations

from typing import cast

from antiphon_providers.observer import Observer
from antiphon_server.observe.metrics import REGISTRY
from antiphon_server.observe.notes import Noting, context_of
from antiphon_server.observe.providers import RECENT, Health, ProviderWatch
from antiphon_server.observe.spans import Value


def value(name: str, **labels: str) -> float:
    """Of one series; 0 while there is none."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_what_is_told_of_a_provider_is_counted() -> None:
    """Each kind in a metric of its own, by stage and provider."""
    of = {"stage": "watched_stage", "provider": "one"}
    watch = ProviderWatch("watched_stage")
    observer: Observer = watch
    observer.connected("one", 0.1)
    watch.began("one", 0.2)
    watch.finished("one", 0.3)
    watch.failed("one", "provider_timeout")
    watch.breaker("one", "open")
    for won in (None, True, None, False):
        watch.hedged("one", won=won)
    watch.switched("one", "two", "provider_timeout")
    watch.chose("one", "fastest: 120 ms")
    watch.chose("one", "fastest: 130 ms")
    for phase, seconds in (("connect", 0.1), ("first", 0.2), ("finish", 0.3)):
        assert value("antiphon_provider_seconds_sum", **of, phase=phase) == seconds
    assert value("antiphon_provider_errors_total", **of, code="provider_timeout") == 1
    assert value("antiphon_provider_breaker", **of) == 2
    outcomes = {"started": 2, "won": 1, "lost": 1}
    for outcome, count in outcomes.items():
        assert value("antiphon_provider_hedges_total", **of, outcome=outcome) == count
    switched = {**of, "to": "two", "reason": "provider_timeout"}
    assert value("antiphon_provider_switches_total", **switched) == 1
    assert value("antiphon_provider_choices_total", **of, reason="fastest") == 2
    assert watch.choices == {("one", "fastest"): 2}
    assert watch.switches == {("one", "two", "provider_timeout"): 1}
    assert watch.health["one"].errors == {"provider_timeout": 1}
    health = watch.health["one"]
    assert health.percentile_ms(0.5, "connect") == 100
    assert health.percentile_ms(0.5) == 200
    assert health.percentile_ms(0.5, "finish") == 300


def test_what_happens_to_a_call_is_noted_in_its_trace() -> None:
    """Failures, hedges and switches; nothing where nobody's call is served."""
    noted: list[tuple[str, dict[str, Value]]] = []

    class Session:
        def note(self, name: str, attributes: dict[str, Value]) -> None:
            noted.append((name, attributes))

    watch = ProviderWatch("noted_stage")
    watch.failed("one", "provider_timeout")

    def trouble() -> None:
        watch.failed("one", "provider_timeout")
        watch.hedged("one", won=None)
        watch.switched("one", "two", "provider_timeout")

    context_of(cast("Noting", Session())).run(trouble)
    whose = {"antiphon.stage": "noted_stage", "gen_ai.provider.name": "one"}
    assert noted == [
        ("provider.failed", {**whose, "error.type": "provider_timeout"}),
        ("provider.hedged", {**whose, "antiphon.outcome": "started"}),
        (
            "provider.switched",
            {**whose, "antiphon.to": "two", "antiphon.reason": "provider_timeout"},
        ),
    ]


def test_health_is_that_of_recent_attempts() -> None:
    """Percentiles over the latest, counts over all; a provider nobody asked has none."""
    watch = ProviderWatch("watched_health", ["idle"])
    for number in range(RECENT + 100):
        watch.began("busy", number / 1000)
        watch.finished("busy", 1.0)
    watch.failed("busy", "provider_refused")
    watch.hedged("busy", won=None)
    watch.hedged("busy", won=True)
    watch.breaker("busy", "half_open")
    busy = watch.health["busy"]
    assert (busy.attempts, busy.failures) == (RECENT + 101, 1)
    assert (busy.last_failure, busy.breaker) == ("provider_refused", "half_open")
    assert (busy.hedges_started, busy.hedges_won) == (1, 1)
    assert busy.percentile_ms(0.5) == 200
    assert busy.percentile_ms(0.95) == 290
    assert busy.percentile_ms(1.0) == 299
    assert watch.health["idle"] == Health()
    assert watch.health["idle"].percentile_ms(0.5) is None


def test_the_breakers_gauge_is_of_those_who_serve() -> None:
    """Of new ones once they have taken over, with what was told of them until then; of those who
    are gone it says nothing bad any more.
    """
    of = {"stage": "watched_change"}
    old = ProviderWatch("watched_change", ["one", "two"])
    for name in ("one", "two"):
        old.breaker(name, "open")
    new = ProviderWatch("watched_change", ["two", "three"], serves=False)
    new.breaker("three", "half_open")
    assert value("antiphon_provider_breaker", **of, provider="three") == 0
    new.take_over(old)
    old.breaker("two", "open")
    found = {
        name: value("antiphon_provider_breaker", **of, provider=name)
        for name in ("one", "two", "three")
    }
    assert found == {"one": 0, "two": 0, "three": 1}
    new.breaker("two", "open")
    assert value("antiphon_provider_breaker", **of, provider="two") == 2
