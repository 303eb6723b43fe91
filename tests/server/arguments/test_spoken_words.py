"""The tables of words."""

from __future__ import annotations

from antiphon_server.arguments import spoken_words as words
from antiphon_server.arguments.spoken import folded


def test_every_word_is_folded() -> None:
    """Else it would never be found."""
    tables = (
        words.UNITS, words.TENS, words.SCALES, words.ORDINALS, words.AMOUNTS, words.TIMES,
        words.ALPHABET, words.LETTER_NAMES, words.SIGNS, words.MONTHS, words.DAY_WORDS,
        words.HOUR_WORDS,
    )  # fmt: skip
    assert [word for table in tables for word in table if word != folded(word)] == []


def test_the_tables_are_complete() -> None:
    """Nineteen numbers, twelve months, and a letter for each word of the radio's alphabet."""
    assert sorted(set(words.UNITS.values())) == list(range(20))
    assert sorted(set(words.TENS.values())) == list(range(20, 100, 10))
    assert sorted(set(words.MONTHS.values())) == list(range(1, 13))
    assert sorted(set(words.ALPHABET.values())) == list("abcdefghijklmnopqrstuvwxyz")
    assert set(range(1, 21)) <= set(words.ORDINALS.values())


def test_no_word_is_a_number_and_a_scale() -> None:
    """Each has one reading."""
    assert not set(words.UNITS) & set(words.TENS)
    assert not (set(words.UNITS) | set(words.TENS)) & set(words.SCALES)
