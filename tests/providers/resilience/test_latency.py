"""How long a candidate took lately."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.resilience.latency import REMEMBERED, Latency


def test_nothing_is_known_at_first() -> None:
    """And a 95th percentile of a few times is not told."""
    latency = Latency()
    assert latency.quantile(0.5) is None
    assert latency.p95() is None
    for _ in range(19):
        latency.add(1)
    assert (latency.quantile(0.5), latency.p95()) == (1, None)
    latency.add(1)
    assert latency.p95() == 1


def test_quantiles_are_those_of_the_times() -> None:
    """Of 0.01 to 1 s in any order."""
    latency = Latency()
    for hundredth in reversed(range(1, 101)):
        latency.add(hundredth / 100)
    assert latency.quantile(0) == 0.01
    assert latency.quantile(0.5) == 0.51
    assert latency.p95() == pytest.approx(0.96)
    assert latency.quantile(1) == 1


@given(st.lists(st.floats(0, 100), max_size=3 * REMEMBERED))
def test_only_the_last_are_remembered(times: list[float]) -> None:
    """Whatever came before has no influence."""
    latency = Latency()
    for seconds in times:
        latency.add(seconds)
    last = sorted(times[-REMEMBERED:])
    assert len(latency) == len(last)
    assert latency.quantile(1) == (last[-1] if last else None)
    assert latency.quantile(0) == (last[0] if last else None)
