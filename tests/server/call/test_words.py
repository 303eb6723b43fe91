"""The words of one utterance: segments are joined, and those of another one are dropped."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.call.words import Words


def test_a_partial_result_replaces_the_one_before() -> None:
    """Each says the whole segment so far."""
    words = Words()
    assert words.recognised("one", flushed=False)
    assert words.recognised(" one two ", flushed=False)
    assert words.text == "one two"
    assert not words.settled


def test_words_are_settled_once_all_that_was_flushed_is_answered() -> None:
    """Two pauses are two answers; a segment without words adds nothing."""
    words = Words()
    assert words.settled
    words.flushed()
    words.flushed()
    words.recognised("one", flushed=True)
    assert not words.settled
    words.recognised(" ", flushed=True)
    assert words.settled
    assert words.text == "one"


def test_an_answer_that_nobody_asked_for_is_taken() -> None:
    """A recogniser that ends a segment by itself owes nothing less for it."""
    words = Words()
    words.recognised("one", flushed=True)
    words.flushed()
    assert not words.settled


def test_what_was_lost_is_not_waited_for() -> None:
    """The words that are known stay; the half-understood one goes."""
    words = Words()
    words.recognised("one", flushed=True)
    words.flushed()
    words.recognised("tw", flushed=False)
    words.lost()
    assert words.settled
    assert words.text == "one"


@given(late=st.integers(0, 5))
def test_answers_of_a_forgotten_utterance_are_dropped(late: int) -> None:
    """As many as it had asked for, however late; the next one is of the new utterance."""
    words = Words()
    for _ in range(late):
        words.flushed()
    words.forget()
    words.flushed()
    for _ in range(late):
        assert not words.recognised("old", flushed=False)
        assert not words.recognised("old", flushed=True)
    assert words.recognised("new", flushed=True)
    assert words.text == "new"
    assert words.settled
