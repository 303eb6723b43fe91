"""What callers note down."""

from __future__ import annotations

from antiphon_loadtest.notes import Notes


def test_a_batch_takes_all_and_leaves_nothing() -> None:
    """What was noted is told once; who is in a call stays."""
    notes = Notes(in_call=3)
    notes.measured("response", 12.0)
    notes.counts["turns"] += 1
    notes.errors["no answer"] += 1
    notes.lags += [0.001] * 99 + [0.5]
    notes.sent = 10
    first, second = notes.batch(4), notes.batch(4)
    assert [(kind, ms, load) for kind, _, ms, load in first.samples] == [("response", 12.0, 3)]
    assert (first.worker, first.in_call, first.counts["turns"]) == (4, 3, 1)
    assert first.errors == {"no answer": 1}
    assert first.health.lag_ms == 1.0
    assert first.health.sent == 10
    assert not second.samples
    assert not second.counts
    assert not second.errors
    assert second.health.sent == 0
    assert second.in_call == 3
