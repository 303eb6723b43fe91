"""Words and their times, from marks that may be anything."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.voice_timing import Mark, Timing


def test_words_come_as_soon_as_they_are_complete() -> None:
    """Characters may come one by one; punctuation need not be told."""
    timing = Timing("Hello, you!")
    told = [
        timing.take((Mark(one, at * 10, at * 10 + 10, is_part=True),), 100.0)
        for at, one in enumerate("Hello you!")
    ]
    first = [words[0] for words in told if words]
    assert [(word.text, word.start_ms, word.end_ms) for word in first] == [("Hello,", 100, 150)]
    assert [(word.text, word.start_ms) for word in timing.end()] == [("you!", 160)]


def test_words_that_are_not_the_sentences_end_the_times() -> None:
    """What was read out differently has no words to give times to."""
    timing = Timing("It is 42 now")
    marks = tuple(Mark(word, 0, 10) for word in ("It", "is", "forty", "two", "now"))
    assert [word.text for word in timing.take(marks, 0.0)] == ["It", "is"]


_TIME = st.floats(-1e6, 1e6)


@given(
    st.text(max_size=30),
    st.lists(st.builds(Mark, st.text(max_size=5), _TIME, _TIME, st.booleans())),
)
def test_words_are_always_the_sentences_first_and_never_go_back(
    sentence: str, marks: list[Mark]
) -> None:
    """Whatever the marks are."""
    timing = Timing(sentence)
    words = [*timing.take(tuple(marks), 0.0), *timing.end()]
    assert [word.text for word in words] == sentence.split()[: len(words)]
    times = [time for word in words for time in (word.start_ms, word.end_ms)]
    assert times == sorted(times)
    assert all(time >= 0 for time in times)
