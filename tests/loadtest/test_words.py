"""Word errors, and whose words they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_loadtest.words import (
    error_rate,
    errors,
    leaked,
    spelled,
    total_error_rate,
    words_of,
)

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=8)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "zero"),
        (7, "seven"),
        (19, "nineteen"),
        (20, "twenty"),
        (42, "forty two"),
        (100, "one hundred"),
        (815, "eight hundred fifteen"),
        (1000, "one thousand"),
        (999_999, "nine hundred ninety nine thousand nine hundred ninety nine"),
    ],
)
def test_numbers_are_spelled_out(number: int, text: str) -> None:
    """As recognisers write them in words, without and."""
    assert " ".join(spelled(number)) == text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, WORLD!", "hello world"),
        ("It\u2019s 7 o'clock - or 12,000?", "it's seven o'clock or twelve thousand"),
        ("Mr. Smith & Dr. Müller", "mister smith doctor müller"),
        ("well-known", "well known"),
        ("route 1234567", "route 1234567"),
        ("", ""),
        ("…", ""),
    ],
)
def test_what_does_not_count_is_taken_away(text: str, words: str) -> None:
    """Case, punctuation, digits or words, titles short or long."""
    assert " ".join(words_of(text)) == words


@pytest.mark.parametrize(
    ("said", "heard", "count"),
    [
        ("a b c", "a b c", 0),
        ("a b c", "a x c", 1),
        ("a b c", "a c", 1),
        ("a c", "a b c", 1),
        ("", "a b", 2),
        ("a b", "", 2),
    ],
)
def test_errors_are_counted(said: str, heard: str, count: int) -> None:
    """One for each substitution, deletion and insertion."""
    assert errors(said.split(), heard.split()) == count


@given(WORDS, WORDS, WORDS)
def test_errors_are_a_distance(one: list[str], two: list[str], three: list[str]) -> None:
    """Nothing only for equals, the same both ways, and no detour is shorter."""
    assert (errors(one, two) == 0) == (one == two)
    assert errors(one, two) == errors(two, one)
    assert errors(one, three) <= errors(one, two) + errors(two, three)


def test_the_rate_is_of_the_words_said() -> None:
    """Of nothing said, what was heard is all wrong; it may exceed one."""
    assert error_rate("one two three four", "1, 2, tree, 4.") == 0.25
    assert error_rate("a", "x y z") == 3
    assert error_rate("", "x") == 1
    assert error_rate("", "") == 0


def test_long_texts_weigh_more() -> None:
    """The total is of all words, not of all texts."""
    assert total_error_rate([("a b c d e f g h i", "a b c d e f g h i"), ("j", "x")]) == 0.1
    assert total_error_rate([]) is None


def test_a_run_of_somebody_elses_words_is_a_leak() -> None:
    """Four in a row that were theirs and not one's own."""
    own, other = "the cat sat on the mat", "we go to the old sea today"
    assert leaked("the cat we go to the mat", own, [other]) == "we go to the"
    assert leaked("The cat sat, on the mat.", own, [other]) is None
    assert leaked("the cat go to the mat", own, [other]) is None
    assert leaked("go to", own, [other]) is None


def test_words_both_say_are_no_leak() -> None:
    """The same phrase may be one's own."""
    assert leaked("it was the best", "it was the best", ["oh it was the best of"]) is None


def test_a_leak_is_of_whole_words() -> None:
    """A word that ends in another is another word."""
    assert leaked("at on the mat", "x", ["cat on the mat"]) is None
