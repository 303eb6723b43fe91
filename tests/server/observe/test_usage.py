"""What providers were used for, and what that cost."""

from __future__ import annotations

import pytest

from antiphon_server.observe.metrics import REGISTRY
from antiphon_server.observe.usage import Usage, read_prices


def value(name: str, **labels: str) -> float | None:
    """Of one series; None while there is none."""
    return REGISTRY.get_sample_value(name, labels)


def test_use_is_counted_by_unit_and_priced_where_a_price_is_known() -> None:
    """A unit without a price costs nothing that is known; a provider without any has no cost."""
    usage = Usage(read_prices(["a.b.prompt_tokens=0.5", "a.b.characters=2"]))
    usage.count("used", "a.b", prompt_tokens=4, completion_tokens=3, cached_tokens=0)
    usage.count("used", "a.b", characters=1)
    usage.count("used", "free", seconds=1.5)
    of = {"stage": "used", "provider": "a.b"}
    used = "antiphon_provider_usage_total"
    assert value(used, **of, unit="prompt_tokens") == 4
    assert value(used, **of, unit="completion_tokens") == 3
    assert value(used, **of, unit="cached_tokens") is None
    assert value(used, stage="used", provider="free", unit="seconds") == 1.5
    assert value("antiphon_provider_cost_total", **of) == 4.0
    assert value("antiphon_provider_cost_total", stage="used", provider="free") is None


@pytest.mark.parametrize(
    "entry", ["", "openai", "openai=1", "openai.tokens=1", ".seconds=1", "a.seconds=-1",
              "a.seconds=much", "a.seconds=inf", "a.seconds=nan"]
)  # fmt: skip
def test_what_is_no_price_is_told(entry: str) -> None:
    """With the entry and what would be one."""
    with pytest.raises(ValueError, match=r"is no price: write PROVIDER\.UNIT=PRICE.*seconds"):
        read_prices(["a.seconds=1", entry])
