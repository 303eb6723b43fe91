"""Numbers as they are spoken."""

from __future__ import annotations

from fractions import Fraction

import pytest

from antiphon_providers.local.dialogue import spoken_numbers as numbers


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("twenty five", "25"),
        ("twenty-five", "25"),
        ("two hundred and five", "205"),
        ("a hundred", "100"),
        ("two thousand twenty six", "2026"),
        ("twenty twenty six", "20 26"),
        ("four five two", "4 5 2"),
        ("three point five", "3.5"),
        ("12 point 5", "12.5"),
        ("3 million", "3000000"),
        ("twenty third", "23th"),
        ("twenty second", "22th"),
        ("one second", "1 second"),
        ("salt and pepper", "salt and pepper"),
        ("point", "point"),
        ("", ""),
    ],
)
def test_number_words_become_digits(said: str, digits: str) -> None:
    """Each number in words is written in digits; other words stay."""
    assert numbers.numerals(said) == digits


def test_numbers_are_found_with_their_signs() -> None:
    """``minus`` makes negative; clock times and endless digits are no numbers."""
    assert numbers.numbers_in("minus five and 2.5") == [Fraction(-5), Fraction(5, 2)]
    assert numbers.numbers_in("7:30") == []
    assert numbers.numbers_in("9" * 500) == []


def test_digits_read_out_are_drawn_together() -> None:
    """``oh``, ``double`` and ``triple`` are how people read numbers."""
    assert numbers.digits_in("oh one double seven triple two") == "0177222"


def test_numbers_are_said_exactly_or_as_about() -> None:
    """What four decimals cannot hold is ``about``."""
    assert numbers.spoken(Fraction(-5, 2)) == "minus 2.5"
    assert numbers.spoken(Fraction(1, 3)) == "about 0.3333"
    assert [numbers.ordinal(n) for n in (1, 2, 3, 11, 22)] == ["1st", "2nd", "3rd", "11th", "22nd"]
