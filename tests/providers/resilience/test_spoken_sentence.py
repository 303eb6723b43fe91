"""What of a sentence was said, and what is left, when voices take turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.interfaces import Word
from antiphon_providers.resilience.spoken_sentence import LETTER_MS, Pace, SpokenSentence

TEXT = "one two three four"
TIMES = (Word("one", 0, 180), Word("two", 240, 420), Word("three", 480, 780))


def texts(words: tuple[Word, ...]) -> list[str]:
    """Without their times."""
    return [word.text for word in words]


def test_a_pace_is_learned_from_what_was_heard() -> None:
    """Ordinary speech is expected until then; silence teaches nothing."""
    pace = Pace()
    assert pace.letter_ms == LETTER_MS
    pace.heard("", 500)
    pace.heard("x", 0)
    assert pace.letter_ms == LETTER_MS
    for _ in range(100):
        pace.heard("ten letters"[:10], 1000)
    assert pace.letter_ms == pytest.approx(100, abs=1)


def test_words_are_passed_on_when_they_have_sounded() -> None:
    """The rest at the end."""
    sentence = SpokenSentence(TEXT)
    assert texts(sentence.sounded(200, TIMES)) == ["one"]
    assert texts(sentence.sounded(200, ())) == []
    assert texts(sentence.sounded(200, (Word("four", 840, 1080),))) == ["two"]
    assert texts(sentence.ended()) == ["three", "four"]


def test_a_voice_that_said_nothing_leaves_the_text_as_it_is() -> None:
    """White space and all."""
    sentence = SpokenSentence(" One  two. ")
    assert sentence.broke_off(60) == ()
    assert sentence.rest == " One  two. "
    assert not sentence.is_begun
    assert not sentence.is_said


def test_the_next_voice_says_what_is_left_and_times_go_on() -> None:
    """From the word in the middle of which the first fell silent."""
    sentence = SpokenSentence(TEXT)
    sentence.sounded(300, TIMES)
    assert sentence.broke_off(60) == ()
    assert (sentence.rest, sentence.is_begun) == ("two three four", False)
    words = sentence.sounded(1000, (Word("two", 0, 180),))
    assert words == (Word("two", 300, 480),)


def test_untimed_words_are_estimated_where_others_have_times() -> None:
    """Whichever voice had them not, before a break or at the end."""
    sentence = SpokenSentence(TEXT)
    sentence.sounded(200, TIMES[:1])
    # 440 ms more: a space, "two", a space, and half of "three".
    sentence.sounded(440, ())
    assert sentence.broke_off(60) == (Word("two", 240, 420),)
    assert sentence.rest == "three four"
    assert sentence.sounded(600, ()) == ()
    assert sentence.ended() == (Word("three", 640, 940), Word("four", 1000, 1240))


def test_times_of_a_part_are_dropped_where_the_part_before_has_none() -> None:
    """For they would be taken for the sentence's first words."""
    sentence = SpokenSentence(TEXT)
    sentence.sounded(300, ())
    assert sentence.broke_off(60) == ()
    assert sentence.rest == "two three four"
    assert sentence.sounded(1000, (Word("two", 0, 180),)) == ()
    assert sentence.ended() == ()


def test_a_sentence_may_be_said_though_nobody_ended_it() -> None:
    """Then there is nothing left for the next voice."""
    sentence = SpokenSentence(TEXT)
    sentence.sounded(1080, ())
    sentence.broke_off(60)
    assert sentence.is_said
    assert not sentence.has_words


@pytest.mark.parametrize(("text", "expected"), [("", False), (" ... !", False), ("7", True)])
def test_only_words_need_a_sound(text: str, expected: bool) -> None:
    """Signs alone may be silent."""
    assert SpokenSentence(text).has_words is expected


@given(
    st.lists(st.text("abc", min_size=1, max_size=8), min_size=1, max_size=10),
    st.lists(st.tuples(st.floats(0, 900), st.booleans()), max_size=4),
)
def test_words_are_never_lost_or_told_twice(
    words: list[str], parts: list[tuple[float, bool]]
) -> None:
    """However many voices break off, with or without times."""
    sentence = SpokenSentence(" ".join(words))
    told: list[str] = []
    for ms, timed in [*parts, (100_000.0, True)]:
        said = sentence.rest.split()
        known: list[Word] = []
        at = 0
        for word in said:
            known.append(Word(word, at, at + 60 * len(word)))
            at += 60 * len(word) + 60
        given_words = [word for word in known if word.start_ms < ms] if timed else []
        told += texts(sentence.sounded(ms, tuple(given_words)))
        if ms < 100_000:
            told += texts(sentence.broke_off(60))
    if not sentence.is_said:
        told += texts(sentence.ended())
    assert told in ([], words)
