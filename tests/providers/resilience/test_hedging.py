"""When a second attempt is due, and whether it may be made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.resilience.hedging import HedgeBudget, hedge_delay_s
from antiphon_providers.resilience.latency import Latency
from antiphon_providers.resilience.policy import Policy


@pytest.mark.parametrize(("usual_s", "delay_s"), [(None, 0.8), (0.1, 0.25), (0.5, 0.5), (3.0, 0.8)])
def test_it_is_due_at_the_usual_95th_percentile_within_bounds(
    usual_s: float | None, delay_s: float
) -> None:
    """At the upper one as long as nothing is known."""
    latency = Latency()
    for _ in range(0 if usual_s is None else 20):
        latency.add(usual_s or 0)
    assert hedge_delay_s(latency, Policy()) == delay_s


def test_ten_requests_pay_for_one() -> None:
    """And ten second attempts can be saved, not more."""
    budget = HedgeBudget(Policy())
    for _ in range(9):
        budget.asked()
    assert not budget.take()
    budget.asked()
    assert budget.take()
    assert not budget.take()
    for _ in range(1000):
        budget.asked()
    assert [budget.take() for _ in range(11)] == [True] * 10 + [False]


@given(st.lists(st.booleans(), max_size=500), st.sampled_from([0.0, 0.05, 0.1, 0.5, 1.0]))
def test_the_share_is_never_exceeded(wanted: list[bool], share: float) -> None:
    """In no run of requests, whichever of them want a second attempt."""
    budget = HedgeBudget(Policy(hedge_share=share))
    taken = 0
    for number, wants in enumerate(wanted, 1):
        budget.asked()
        taken += wants and budget.take()
        assert taken <= share * number + 1e-6
