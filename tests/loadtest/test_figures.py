"""Percentiles and their drawing."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.terminal import Terminal
from antiphon_loadtest.figures import Percentiles, as_json, draw, percentiles, range_bar


def test_percentiles_are_measured_values() -> None:
    """Nearest rank: of a hundred, the fiftieth, the ninety-fifth and the last."""
    assert percentiles(range(100, 0, -1)) == Percentiles(100, 50, 95, 100)
    assert percentiles([3.5]) == Percentiles(1, 3.5, 3.5, 3.5)
    assert percentiles([]) is None


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_percentiles_are_ordered_and_cover_their_share(numbers: list[float]) -> None:
    """At least half are at or below p50, and nineteen in twenty at or below p95."""
    row = percentiles(numbers)
    assert row is not None
    assert row.p50 <= row.p95 <= row.worst == max(numbers)
    assert sum(number <= row.p50 for number in numbers) >= len(numbers) / 2
    assert sum(number <= row.p95 for number in numbers) >= 0.95 * len(numbers)


@pytest.mark.parametrize(
    ("row", "drawn"),
    [
        (Percentiles(9, 40, 60, 100), "████▒▒───┤"),
        (Percentiles(9, 100, 100, 100), "██████████"),
        (Percentiles(9, 0, 0, 0), ""),
        (Percentiles(9, 10, 10, 20), "█┤"),
    ],
)
def test_a_bar_shows_typical_rare_and_worst(row: Percentiles, drawn: str) -> None:
    """Solid, shaded, and a mark."""
    assert range_bar(row, 100, columns=10) == drawn


def test_of_nothing_nothing_is_drawn() -> None:
    """There is no scale."""
    assert range_bar(Percentiles(1, 0, 0, 0), 0) == ""


def test_rows_share_their_scale_and_their_columns() -> None:
    """So that they can be compared."""
    out = io.StringIO()
    rows = {"long": Percentiles(2, 50, 100, 100), "x": Percentiles(2, 5, 10, 10)}
    draw(Terminal(out), rows)
    head, first, second = out.getvalue().splitlines()
    assert head.split() == ["p50", "p95", "max", "ms"]
    assert first.startswith("  long       50      100      100  ██████████████▒▒▒")
    assert second.startswith("  x         5.0       10       10  █▒▒")


def test_percentiles_are_plain_data() -> None:
    """To a tenth."""
    assert as_json(Percentiles(2, 1.26, 2, 3)) == {"count": 2, "p50": 1.3, "p95": 2, "max": 3}
    assert as_json(None) is None
