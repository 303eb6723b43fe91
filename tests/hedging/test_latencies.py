"""Times to the first token, as a table of quantiles tells them."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedging.latencies import HOSTED, QUICK, Latencies


def test_the_hosted_model_has_the_tail_that_is_spoken_of() -> None:
    """p50 0.6 s, p95 1.6 s, p99 3 s; and draws from it have, too."""
    assert [HOSTED.at(share) for share in (0.5, 0.95, 0.99)] == [0.6, 1.6, pytest.approx(3)]
    chance = random.Random(1)  # noqa: S311 - reproducible on purpose
    drawn = sorted(HOSTED.draw(chance) for _ in range(20_000))
    assert drawn[10_000] == pytest.approx(0.6, rel=0.02)
    assert drawn[19_000] == pytest.approx(1.6, rel=0.1)


@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from([HOSTED, QUICK]))
def test_a_larger_share_takes_longer(low: float, high: float, latencies: Latencies) -> None:
    """Between the quantiles, too."""
    low, high = min(low, high), max(low, high)
    assert latencies.at(low) <= latencies.at(high) * (1 + 1e-9)
    assert latencies.at(0) > 0


@pytest.mark.parametrize(
    "quantiles", [((0.0, 2.0), (1.0, 1.0)), ((0.1, 1.0), (1.0, 2.0)), ((0.0, 1.0), (0.9, 2.0))]
)
def test_what_is_no_distribution_is_refused(quantiles: tuple[tuple[float, float], ...]) -> None:
    """Falling, or with an end missing."""
    with pytest.raises(ValueError, match="must rise"):
        Latencies("x", quantiles)
