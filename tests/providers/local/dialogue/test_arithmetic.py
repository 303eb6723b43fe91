"""Arithmetic by voice."""

from __future__ import annotations

from fractions import Fraction

import pytest

from antiphon_providers.local.dialogue.arithmetic import (
    NotReal,
    TooLarge,
    expression_in,
    value_of,
)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("what is two plus three times four", Fraction(14)),
        ("10 minus 4 minus 3", Fraction(3)),
        ("seven divided by two", Fraction(7, 2)),
        ("what's 10/4", Fraction(5, 2)),
        ("5-8", Fraction(-3)),
        ("half of 90", Fraction(45)),
        ("a quarter of eighty", Fraction(20)),
        ("twice 21", Fraction(42)),
        ("15 percent of 80", Fraction(12)),
        ("subtract 3 from 10", Fraction(7)),
        ("two to the power of minus two", Fraction(1, 4)),
        ("square root of 144 plus 1", Fraction(13)),
        ("negative five times two", Fraction(-10)),
    ],
)
def test_a_calculation_has_its_value(said: str, value: Fraction) -> None:
    """With the usual precedence, exactly."""
    tokens = expression_in(said)
    assert tokens is not None
    assert value_of(tokens) == value


@pytest.mark.parametrize(
    "said", ["", "seven", "call me at 7 plus", "what is love", "__import__('os')", "book 4 plus 1"]
)
def test_what_is_more_or_less_than_a_calculation_is_none(said: str) -> None:
    """Nothing is worked out that was not asked, and nothing is ever executed."""
    tokens = expression_in(said)
    assert tokens is None or value_of(tokens) is None


def test_what_cannot_be_worked_out_is_said_to_be_so() -> None:
    """Zero, size and imaginary numbers have names of their own."""
    with pytest.raises(ZeroDivisionError):
        value_of(["1", "/", "0"])
    with pytest.raises(ZeroDivisionError):
        value_of(["0", "^", "-", "1"])
    with pytest.raises(TooLarge):
        value_of(["9", "^", "64"])
    with pytest.raises(TooLarge):
        value_of(["2", "^", "9999999"])
    with pytest.raises(NotReal):
        value_of(["sqrt", "-", "4"])
