"""Transcripts, read generously."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.arguments import spoken


@pytest.mark.parametrize(
    ("text", "whole", "apart"),
    [
        ("one oh four", "1 0 4", "1 0 4"),
        ("twenty one", "21", "21"),
        ("twenty ten", "20 10", "20 10"),
        ("double five triple oh", "55 000", "55 000"),
        ("four hundred five", "405", "400 5"),
        ("a hundred and five", "105", "100 and 5"),
        ("fifteen hundred", "1500", "1500"),
        ("ten thousand four hundred and twenty three", "10423", "10000 400 and 23"),
        ("two million", "2000000", "2000000"),
        ("oh dear", "oh dear", "oh dear"),
        ("007", "007", "007"),
        ("drei zwo eins", "3 2 1", "3 2 1"),
        ("a nice hundred", "a nice hundred", "a nice hundred"),
        ("double trouble", "double trouble", "double trouble"),
    ],
)
def test_number_words_become_digits(text: str, whole: str, apart: str) -> None:
    """As one number, and as it may have been read out in parts."""
    words = text.split()
    assert " ".join(spoken.digits(words, whole_numbers=True)) == whole
    assert " ".join(spoken.digits(words, whole_numbers=False)) == apart


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("alpha bravo", "a b"),
        ("b as in boy c", "b c"),
        ("b for bertie", "b"),
        ("bee k seven", "b k seven"),
        ("the bee stings", "the bee stings"),
        ("double u are", "double u r"),
    ],
)
def test_letters_are_spelled_in_many_ways(text: str, letters: str) -> None:
    """A word is a letter's name only beside another letter or a number."""
    assert " ".join(spoken.spelled(text.split())) == letters


def test_numbers_are_cardinals_ordinals_and_amounts() -> None:
    """All that are named."""
    words = spoken.tokens("The twenty second, a dozen or 30, twice; five hundred")
    assert {22, 12, 30, 2, 500} <= spoken.numbers(words)


def test_may_is_a_month_beside_a_number() -> None:
    """Else it asks for permission."""
    assert spoken.months(spoken.tokens("May I come in April")) == {4}
    assert spoken.months(spoken.tokens("the fifth of May")) == {5}
    assert spoken.months(spoken.tokens("May 4th")) == {5}
    assert spoken.months(spoken.tokens("am 3. März")) == {3}


@pytest.mark.parametrize(
    ("one", "other"),
    [("Smith", "Smyth"), ("Catherine", "Kathryn"), ("Philip", "Filip"), ("Jon", "John")],
)
def test_names_that_sound_alike_are_one(one: str, other: str) -> None:
    """By their consonants."""
    assert spoken.sound(one) == spoken.sound(other)


def test_text_is_folded_and_compacted() -> None:
    """Accents, capitals, punctuation and foreign digits make no difference."""
    assert spoken.folded("Jos\u00e9 O\u2019Neil") == "jose o'neil"
    assert spoken.compact("AB-12 34") == "ab1234"
    assert spoken.tokens("O'Neil, 12.5!") == ["o'neil", "12", "5"]
    assert spoken.folded("\u0664\u0662") == "42"
    assert spoken.without_signs(["sam", "at", "example", "dot", "com"]) == ["sam", "example", "com"]


@given(st.text(max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    """And digits that are written stay as they are."""
    words = spoken.tokens(text)
    for whole in (True, False):
        read = "".join(spoken.digits(words, whole_numbers=whole))
        written = [word for word in words if word.isdecimal()]
        assert all(word in read or word.lstrip("0") in read for word in written)
    spoken.numbers(words)
    spoken.months(words)
    spoken.spelled(words)
    spoken.sound(text)
