"""What is told of turns is what was measured."""

import pytest

from pairs.sums import Measured, p95, sums_table
from pairs.turn import Pair

PAIR = Pair("deepgram", "openai", "cartesia")


def test_a_turn_that_takes_the_sum_of_its_first_bytes_is_not_late() -> None:
    """150 ms, 400 ms and 100 ms."""
    assert Measured(PAIR, 0.65).off_ms == pytest.approx(0, abs=1e-6)
    assert Measured(PAIR, 0.66).off_ms == pytest.approx(10)


def test_p95_is_a_value_that_19_of_20_do_not_exceed() -> None:
    """Of 20 values the second largest; of one, that one."""
    assert p95([float(number) for number in range(20)]) == 18
    assert p95([3.0]) == 3


def test_the_table_tells_the_worst_turn_of_each_pair() -> None:
    """In the row of its recogniser and model, in the column of its voice."""
    table = sums_table([Measured(PAIR, 0.66), Measured(PAIR, 0.67)])
    row = next(line for line in table.splitlines() if line.startswith("deepgram, openai"))
    assert row.split()[2:] == ["20.0"]
