"""What providers were used for, and what that cost by the operator's own prices.

Units are those that vendors charge by: ``prompt_tokens``, ``cached_tokens`` (of the prompt; not
counted as prompt tokens again), ``completion_tokens``, ``characters`` spoken and ``seconds``
heard.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from prometheus_client import Counter

from antiphon_server.observe import metrics

UNITS = ("prompt_tokens", "cached_tokens", "completion_tokens", "characters", "seconds")

Prices = dict[tuple[str, str], float]
"""Of one unit, by provider and unit."""


def read_prices(entries: Iterable[str]) -> Prices:
    """Prices as settings have them: ``openai.prompt_tokens=0.00000015``.

    Raises ``ValueError``, saying which entry cannot be.
    """
    prices: Prices = {}
    for entry in entries:
        what, _, amount = entry.partition("=")
        provider, _, unit = what.strip().rpartition(".")
        try:
            price = float(amount)
        except ValueError:
            price = -1.0
        if not provider or unit not in UNITS or not 0 <= price < float("inf"):
            raise ValueError(
                f"'{entry}' is no price: write PROVIDER.UNIT=PRICE, with a unit of "
                + ", ".join(UNITS)
            )
        prices[provider, unit] = price
    return prices


class Usage:
    """Counts it; one of a node."""

    def __init__(self, prices: Prices | None = None) -> None:
        self.prices = prices or {}
        """From now on; may be replaced."""

    def count(self, stage: str, provider: str, **amounts: float) -> None:
        """So much more of each unit."""
        for unit, amount in amounts.items():
            if amount:
                _used(stage, provider, unit).inc(amount)
                price = self.prices.get((provider, unit))
                if price:
                    _cost(stage, provider).inc(amount * price)


@cache
def _used(stage: str, provider: str, unit: str) -> Counter:
    return metrics.PROVIDER_USAGE.labels(stage, provider, unit)


@cache
def _cost(stage: str, provider: str) -> Counter:
    return metrics.PROVIDER_COST.labels(stage, provider)
