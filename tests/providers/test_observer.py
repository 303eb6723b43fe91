"""What is told of providers at work."""

from __future__ import annotations

from antiphon_providers.observer import SILENT, Observer


def test_what_nobody_reads_is_told_to_nobody() -> None:
    """The silent observer has every door that an observer has, and none does anything."""
    observer: Observer = SILENT
    observer.connected("a", 0.1)
    observer.began("a", 0.1)
    observer.finished("a", 0.1)
    observer.failed("a", "provider_unavailable")
    observer.breaker("a", "open")
    observer.hedged("a", won=None)
    observer.switched("a", "b", "provider_timeout")
    observer.chose("a", "fastest")
    assert {name for name in vars(Observer) if not name.startswith("_")} == {
        name for name in vars(type(SILENT)) if not name.startswith("_")
    }
