"""How long words take to say, in proportion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.conversation.speech_length import lengths, total


def sound(word: str) -> float:
    """Of a word in the middle of a sentence."""
    return lengths([word, "x"])[0].sound


@pytest.mark.parametrize(
    ("shorter", "longer"),
    [
        ("tea", "teapots"),
        ("teapots", "1969"),
        ("five", "55"),
        ("12", "$12"),
        ("fbi", "FBI"),
        ("tea", "tea,"),
        ("tea,", "tea."),
        ("B", "100"),
    ],
)
def test_what_takes_longer_to_say_is_longer(shorter: str, longer: str) -> None:
    """Digits and signs are words; acronyms are spelled; before a pause words are drawn out."""
    assert sound(shorter) < sound(longer)


def test_words_of_one_letter_are_not_spelled() -> None:
    """``I`` and ``A``."""
    assert sound("I") == sound("A") == sound("a") < sound("B")


def test_a_pause_follows_a_clause_and_a_longer_one_a_full_stop() -> None:
    """Also where it is closed by a quotation mark."""
    clause, stop, quoted, none, last = lengths(["a,", "b.", "c.”", "d", "e"])
    assert 0 == none.pause < clause.pause < stop.pause == quoted.pause
    assert 0 < last.pause < clause.pause


def test_the_last_word_is_drawn_out() -> None:
    """With or without its full stop."""
    assert lengths(["tea"])[0] == lengths(["tea."])[0]
    assert lengths(["tea"])[0].sound > sound("tea")


@given(st.lists(st.text(min_size=1, max_size=12), max_size=8))
def test_every_word_takes_time(words: list[str]) -> None:
    """Whatever it is made of; the whole is the sum."""
    found = lengths(words)
    assert all(length.sound >= 1 and length.pause >= 0 for length in found)
    assert total(words) == pytest.approx(sum(map(sum, found)))
