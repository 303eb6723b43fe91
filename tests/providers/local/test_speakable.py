"""Written text becomes what a simple voice can say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.local.speakable import clauses, spoken, spoken_words


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Hello, world!", "Hello, world!"),
        ("\u201cIt\u2019s fine,\u201d she said\u2026", "It's fine, she said."),
        ("tea \u2014 or coffee", "tea, or coffee"),
        ("tea\u2014or coffee", "tea, or coffee"),
        ("pages 5\u20136", "pages 5 to 6"),
        ("**Bold** and `code` and _this_", "Bold and code and this"),
        ("# Title", "Title"),
        ("- one\n- two", "one, two"),
        ("see [our menu](https://example.com/m)", "see our menu"),
        ("https://example.com", "example dot com"),
        ("bob.smith@example.com", "bob.smith at example dot com"),
        ("50% off", "50 percent off"),
        ("It costs $3.50.", "It costs $3.50."),
        ("\u20ac20 or \u00a35", "20 euros or 5 pounds"),
        ("21.5\u00b0C", "21.5 degrees Celsius"),
        ("-3 degrees", "minus 3 degrees"),
        ("3.5", "3.5"),
        ("C++ & C#", "C plus plus and C sharp"),
        ("and/or", "and or"),
        ("caf\u00e9 na\u00efve Stra\u00dfe", "cafe naive Strasse"),
        ("Great \U0001f600!", "Great"),
        ("\U0001f600", ""),
        ("* - ...", ""),
        ("", ""),
    ],
)
def test_signs_become_words_and_ornaments_vanish(written: str, said: str) -> None:
    """Quotes, dashes, markdown, amounts, accents, emoji."""
    assert spoken(written) == said


@given(st.text())
def test_any_text_can_be_spoken(text: str) -> None:
    """The result is ASCII without signs a voice would spell, and every word is accounted for."""
    words = spoken_words(text)
    assert [word.written for word in words] == text.split()
    said = spoken(text)
    assert said.isascii()
    assert not set(said) & set('*_`#[]<>|~\\"\n\0')


@given(st.lists(st.sampled_from(["one", "two,", "three.", "\u2014", "extraordinarily"])))
def test_clauses_are_the_words_in_order(words: list[str]) -> None:
    """Nothing is lost, and none is much longer than it may be."""
    spoken_ones = spoken_words(" ".join(words))
    runs = clauses(spoken_ones, 40)
    assert [word for run in runs for word in run] == spoken_ones
    assert all(sum(len(word.said) + 1 for word in run) <= 40 * 1.5 + 20 for run in runs)


def test_clauses_are_cut_after_punctuation() -> None:
    """A comma is the place to breathe."""
    words = spoken_words("it was the best of times, it was the worst of times")
    runs = clauses(words, 40)
    assert [" ".join(word.written for word in run) for run in runs] == [
        "it was the best of times,",
        "it was the worst of times",
    ]
