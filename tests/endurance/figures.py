"""What was measured, for people: shown by ``pytest -s``."""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(numbers: Sequence[float], share: float) -> float:
    """By nearest rank: a value that was measured."""
    return sorted(numbers)[math.ceil(share * len(numbers)) - 1]


def show(what: str, **figures: float | str) -> None:
    """One line."""
    said = "  ".join(
        f"{name} {value:,.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in figures.items()
    )
    print(f"\n  {what}: {said}", end="")  # noqa: T201


def show_times(what: str, numbers: Sequence[float], unit: str) -> None:
    """How they are spread."""
    spread = {name: percentile(numbers, share) for name, share in SHARES.items()}
    show(f"{what}, {unit}", count=str(len(numbers)), **spread)


SHARES = {"p50": 0.5, "p99": 0.99, "max": 1.0}
