"""A run put together from what its workers noted."""

from __future__ import annotations

from collections import Counter

from antiphon_loadtest.notes import Batch, Health
from antiphon_loadtest.record import Record
from antiphon_loadtest.server_watch import Spent
from loadtest.loading import batch, record


def test_the_load_is_that_of_all_workers() -> None:
    """Each tells of its own callers only."""
    made = Record(20, 2, began_at=100.0)
    made.add(batch(101.0, 5.0, worker=0))
    made.add(batch(101.1, 6.0, worker=1))
    assert [sample[3] for sample in made.samples] == [10, 20]
    assert made.moments[-1].callers == 20


def test_what_was_before_the_measurement_does_not_count() -> None:
    """The time in which the load builds up."""
    made = Record(10, 1, began_at=100.0, measure_from_s=5.0)
    made.add(batch(104.0, 999.0, calls=10))
    made.add(batch(106.0, 5.0, calls=1))
    assert made.numbers("response") == [5.0]
    assert made.counts["calls"] == 1
    assert len(made.moments) == 2


def test_cpu_and_memory_are_shared_by_the_sessions() -> None:
    """Two CPU seconds in ten seconds for ten callers are 20 ms each."""
    made = record(5.0)
    assert made.cpu_ms is None
    assert made.memory_mb is None
    made.idle = Spent(99.0, 0.0, 50e6)
    made.spent = [Spent(101.0, 1.0, 60e6), Spent(111.0, 3.0, 70e6)]
    assert made.cpu_ms == 20
    assert made.memory_mb == 2


def test_the_load_tool_says_when_it_is_the_bottleneck() -> None:
    """No time left, a late clock, late frames: each for itself."""
    made = record(5.0)
    assert made.bottleneck == []
    busy = Health(lag_ms=90, cpu=0.97, late=40, sent=1000)
    made.health = {1: [busy]}
    assert made.bottleneck == [
        "worker 1 used 97 % of a core",
        "worker 1's own clock was 90 ms late",
        "worker 1 sent 4.0 % of its frames late",
    ]


def test_nothing_at_all_is_a_record_too() -> None:
    """A run that was stopped at once."""
    made = Record(1, 1, 0.0)
    assert (made.attempts, made.mean_callers, made.bottleneck) == (0, 0.0, [])
    made.add(Batch(0, 1.0, 0, 0, [], Counter(), Counter(), Health()))
    assert made.cpu_ms is None
