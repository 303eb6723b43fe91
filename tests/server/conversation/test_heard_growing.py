"""What was heard of a sentence whose text comes beside its sound."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.conversation.heard import Heard, TimedWord
from antiphon_server.conversation.speech_length import LETTER_MS, total

SENTENCE = "one two, three four. Five"
WORDS = SENTENCE.split()


def growing(*steps: str | float) -> Heard:
    """A sentence of which more text or more milliseconds of sound came, step by step."""
    heard = Heard()
    number = heard.began()
    for step in steps:
        if isinstance(step, str):
            heard.grew(number, step)
        else:
            heard.sounded(number, step)
    return heard


def texts(words: list[TimedWord]) -> list[str]:
    """Without their times."""
    return [word.text for word in words]


def test_text_ahead_of_its_sound_goes_at_the_usual_pace() -> None:
    """How much of it was heard does not depend on how much of the sound exists."""
    ms = total(WORDS) * LETTER_MS
    whole = Heard()
    whole.wrote(SENTENCE)
    whole.sounded(0, ms)
    whole.ended(0)
    for exists in (ms / 4, ms / 2, ms):
        heard = growing(f"{SENTENCE} ", exists)
        for played in range(0, round(exists), 50):
            assert heard.until(played) == whole.until(played)


def test_text_behind_its_sound_is_of_all_that_sounded() -> None:
    """What is not written yet was not said: the words share the sound there is."""
    heard = growing("one two ", 4_000.0)
    assert heard.until(4_000) == "one two"
    assert heard.words()[-1].end_ms > 3_000


def test_words_are_told_as_their_sound_comes() -> None:
    """In order, each once, and not before there is sound for them."""
    heard = growing(f"{SENTENCE} ")
    assert heard.new_words() == []
    told: list[TimedWord] = []
    for _ in range(60):
        heard.sounded(0, 40)
        new = heard.new_words()
        told += new
        assert all(word.end_ms <= heard.ms for word in new)
    assert texts(told) == WORDS
    assert heard.new_words() == []


def test_a_word_that_may_go_on_is_none_yet() -> None:
    """Texts come in pieces of any cut: "thr" is no word before "ee " came."""
    heard = growing("one two, thr", 9_000.0)
    assert texts(heard.new_words()) == ["one", "two,"]
    assert heard.until(9_000) == "one two,"
    heard.grew(0, "ee ")
    assert texts(heard.new_words()) == ["three"]
    assert heard.until(9_000) == "one two, three"


def test_at_its_end_all_words_share_all_of_the_sound() -> None:
    """As those of a sentence that was written before; the last word needs no space after it."""
    heard = growing("one two, ", 500.0, "  three\nfour. ", 800.0, "Five", 200.0)
    heard.ended(0)
    whole = Heard()
    whole.wrote(SENTENCE)
    whole.sounded(0, 1500)
    whole.ended(0)
    assert heard.text == SENTENCE
    assert texts(heard.new_words()) == WORDS
    assert heard.words() == whole.words()
    assert heard.pace == whole.pace


def test_what_is_told_goes_forward_only() -> None:
    """Words that were told too late by an earlier estimate push those after them."""
    heard = growing("one two ", 5_000.0)
    first = heard.new_words()
    assert texts(first) == ["one", "two"]
    heard.grew(0, "three four five six seven eight")
    heard.ended(0)
    rest = heard.new_words()
    assert rest[0].start_ms >= first[-1].end_ms
    assert heard.words()[1].end_ms < first[-1].end_ms


def test_words_that_were_not_told_yet_do_not_come_before_told_ones_either() -> None:
    """``words`` agrees with what was told: who is cut off is told the rest by it."""
    heard = growing("one two ", 5_000.0)
    told = heard.new_words()
    heard.grew(0, "three four five six seven eight ")
    assert heard.words()[2].start_ms >= told[-1].end_ms


def test_one_that_breaks_off_says_what_has_sound() -> None:
    """Text that ran ahead was never said; what comes after it begins where its sound ended."""
    heard = growing(f"{SENTENCE} and much more that nobody heard", 900.0)
    told = texts(heard.new_words())
    heard.broke_off(0)
    said = heard.text
    assert SENTENCE.startswith(said)
    assert said not in ("", SENTENCE)
    assert heard.until(900) == said
    heard.wrote("Sorry.")
    heard.sounded(1, 600)
    heard.ended(1)
    assert told + texts(heard.new_words()) == [*said.split(), "Sorry."]
    assert heard.until(1500) == f"{said} Sorry."
    assert heard.words()[-1].start_ms == 900


def test_one_that_breaks_off_before_any_sound_said_nothing() -> None:
    """As if it had never begun."""
    heard = growing(SENTENCE)
    heard.broke_off(0)
    assert heard.text == ""
    assert heard.new_words() == []


def test_given_times_count_from_the_start_of_the_sound() -> None:
    """Where a model tells them; words that it has not timed yet follow those that it has."""
    heard = Heard()
    heard.wrote("Hello.")
    heard.sounded(0, 1000)
    heard.ended(0)
    number = heard.began()
    heard.grew(number, "Some tea please. ")
    heard.sounded(number, 500, (TimedWord("Some", 0, 200), TimedWord("tea", 300, 450)))
    assert texts(heard.new_words()) == ["Hello.", "Some", "tea"]
    assert [word.start_ms for word in heard.words()[1:3]] == [1000, 1300]
    assert heard.words()[3].start_ms >= 1450
    assert heard.method == "timed"


def test_sound_without_any_text_says_nothing() -> None:
    """A model that does not tell what it says has said nothing that could be told."""
    heard = growing(1_000.0)
    assert heard.until(500) == ""
    heard.ended(0)
    assert (heard.text, heard.until(2_000), heard.new_words()) == ("", "", [])


STEPS = st.lists(
    st.one_of(
        st.text(alphabet="ab, .\n", min_size=1, max_size=8),
        st.floats(0, 700, allow_nan=False),
    ),
    max_size=30,
)


@given(STEPS, st.booleans())
def test_whatever_comes_first_it_is_told_once_and_forward(
    steps: list[str | float], breaks: bool
) -> None:
    """Every word of the text that stands at the end, in time order, and no other."""
    heard = Heard()
    number = heard.began()
    told: list[TimedWord] = []
    for step in steps:
        if isinstance(step, str):
            heard.grew(number, step)
        else:
            heard.sounded(number, step)
        told += heard.new_words()
    if breaks:
        heard.broke_off(number)
    else:
        heard.ended(number)
        assert heard.text == " ".join("".join(s for s in steps if isinstance(s, str)).split())
    told += heard.new_words()
    assert texts(told) == heard.text.split()
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(told))


@given(STEPS, st.lists(st.floats(0, 20_000, allow_nan=False), min_size=2, max_size=6))
def test_what_was_heard_is_a_beginning_and_only_grows(
    steps: list[str | float], moments: list[float]
) -> None:
    """At every moment a prefix of the words so far, and more of them later."""
    heard = growing(*steps)
    words = " ".join("".join(step for step in steps if isinstance(step, str)).split())
    untils = [heard.until(moment) for moment in sorted(moments)]
    assert all(words.startswith(until) for until in untils)
    assert all(later.startswith(earlier) for earlier, later in pairwise(untils))


@given(STEPS)
def test_how_it_came_makes_no_difference_in_the_end(steps: list[str | float]) -> None:
    """The same text and the same sound, interleaved otherwise, is the same reply."""
    said = [step for step in steps if isinstance(step, str)]
    sounds = [step for step in steps if not isinstance(step, str)]
    one, other = growing(*steps), growing(*said, *sounds)
    for heard in (one, other):
        heard.ended(0)
        heard.new_words()
    assert one.text == other.text
    assert one.words() == other.words()


@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_the_cut_of_the_text_makes_no_difference(pieces: int) -> None:
    """A piece may end in the middle of a word."""
    heard = growing(
        *(SENTENCE[at : at + pieces] for at in range(0, len(SENTENCE), pieces)), 2_000.0
    )
    heard.ended(0)
    assert heard.text == SENTENCE
