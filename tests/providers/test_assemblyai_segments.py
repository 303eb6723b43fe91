"""Turns of the vendor are cut into our segments by the audio's own time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.assemblyai_segments import Segments, Turn, TurnWord, Verdicts
from antiphon_providers.interfaces import Recognised

SPEECH, ROOM = 3000.0, 20.0


def turn(order: int, text: str, last_ms: int, *, end: bool = False, sure: float = 0.0) -> Turn:
    """A turn whose words end evenly up to ``last_ms``, 100 ms each."""
    texts = text.split()
    begin = last_ms - 100 * len(texts)
    words = tuple(
        TurnWord(word, begin + 100 * at, begin + 100 * (at + 1), end)
        for at, word in enumerate(texts)
    )
    return Turn(order, text, end, sure, words=words)


def segments(*, partials: bool = True, graded: bool = False, formatted: bool = False) -> Segments:
    """None heard yet."""
    return Segments(Verdicts(graded, formatted), partials=partials)


def speak(heard: Segments, *levels: tuple[int, float]) -> None:
    """Audio in pieces of 50 ms, up to each position, so loud."""
    at = 0
    for until, level in levels:
        while at < until:
            at += 50
            heard.heard(at, level)


def test_a_forced_end_answers_the_flush() -> None:
    """Partials before it, the final text in the flushed result, no verdict: it was forced."""
    heard = segments()
    speak(heard, (1000, SPEECH))
    assert heard.take(turn(0, "it was", 600)) == [Recognised("it was")]
    assert heard.flush(1000, 8, 1.0) == (True, [])
    assert heard.deadline == 9.0
    final = turn(0, "It was the best.", 950, end=True, sure=1.0)
    assert heard.take(final) == [Recognised("It was the best.", flushed=True)]
    assert heard.deadline is None


def test_a_turn_that_ended_by_itself_answers_at_once() -> None:
    """Nothing but quiet came after it; the vendor's verdict goes with it."""
    heard = segments()
    speak(heard, (1000, SPEECH), (1300, 200.0))
    ended = heard.take(turn(0, "Hello there.", 1000, end=True, sure=0.9))
    assert ended == [Recognised("Hello there.", turn_over=0.9)]
    _, results = heard.flush(1300, 8, 1.0)
    assert results == [Recognised("Hello there.", flushed=True, turn_over=0.9)]


def test_noise_after_a_turn_that_ended_is_not_waited_for_as_long() -> None:
    """The vendor says nothing to it; the words and the verdict are those before."""
    heard = segments()
    speak(heard, (1400, SPEECH))
    heard.take(turn(0, "Hello there.", 1000, end=True, sure=0.9))
    assert heard.flush(1400, 8.0, 1.0) == (True, [])
    assert heard.deadline == 8.5
    assert heard.expire(8.5) == [Recognised("Hello there.", flushed=True, turn_over=0.9)]


def test_speech_after_a_turn_that_ended_is_waited_for() -> None:
    """It belongs to the same segment."""
    heard = segments()
    speak(heard, (1000, SPEECH), (1300, ROOM), (1900, SPEECH))
    heard.take(turn(0, "Hello.", 1000, end=True, sure=1.0))
    assert heard.flush(1900, 8, 1.0) == (True, [])
    results = heard.take(turn(1, "Goodbye.", 1850, end=True, sure=1.0))
    assert [(one.text, one.flushed) for one in results] == [("Hello. Goodbye.", True)]


def test_silence_needs_no_answer_of_the_vendor() -> None:
    """Neither does nothing at all."""
    heard = segments()
    assert heard.flush(0, 8, 1.0) == (False, [Recognised("", flushed=True)])
    speak(heard, (1500, 0.0))
    assert heard.flush(1500, 8, 1.0) == (False, [Recognised("", flushed=True)])


def test_a_segment_without_an_answer_gets_what_is_known_in_time() -> None:
    """And what still comes for it is dropped, with or without the next one's words."""
    heard = segments()
    speak(heard, (1000, SPEECH))
    heard.take(turn(0, "it was", 600))
    heard.flush(1000, 8, 1.0)
    assert heard.expire(8.9) == []
    assert heard.expire(9.0) == [Recognised("it was", flushed=True)]
    assert heard.take(turn(0, "It was the best.", 980, end=True)) == []
    heard.heard(2000, SPEECH)
    straddling = turn(0, "It was the best of times", 1200, end=True)
    assert [one.text for one in heard.take(straddling)] == ["of times"]


def test_turns_find_their_segments_when_several_wait() -> None:
    """One that is later than a segment's audio answers that one with nothing."""
    heard = segments()
    speak(heard, (1000, SPEECH))
    heard.flush(1000, 8, 1.0)
    heard.heard(2000, SPEECH)
    heard.flush(2000, 8.5, 1.0)
    heard.flush(2000, 8.6, 1.0)
    results = heard.take(turn(0, "Second.", 1900, end=True))
    assert [(one.text, one.flushed) for one in results] == [
        ("", True),
        ("Second.", True),
        ("", True),
    ]


def test_what_comes_again_for_an_answered_turn_is_dropped() -> None:
    """It would begin the next segment."""
    heard = segments()
    speak(heard, (1000, SPEECH))
    heard.flush(1000, 8, 1.0)
    final = turn(0, "Hello.", 900, end=True)
    assert len(heard.take(final)) == 1
    assert heard.take(final) == []


def test_a_formatted_final_is_waited_for_where_there_is_one() -> None:
    """The first of the two is not the last word."""
    heard = segments(graded=True, formatted=True)
    speak(heard, (1000, SPEECH))
    heard.flush(1000, 8, 1.0)
    first = turn(0, "hello there", 900, end=True)
    raw = Turn(0, first.transcript, True, 1.0, False, first.words)
    assert heard.take(raw) == []
    assert [one.text for one in heard.take(turn(0, "Hello there.", 900, end=True))] == [
        "Hello there."
    ]


def test_graded_turns_have_a_verdict_while_they_go_on() -> None:
    """And keep it in the flushed result; words that are not final yet are shown too."""
    heard = segments(graded=True)
    speak(heard, (1000, SPEECH))
    words = turn(0, "hello there", 900).words
    partial = Turn(0, "hello", end_of_turn=False, end_of_turn_confidence=0.3, words=words)
    assert heard.take(partial) == [Recognised("hello there", turn_over=0.3)]
    heard.flush(1000, 8, 1.0)
    (answer,) = heard.take(turn(0, "hello there", 900, end=True, sure=1.0))
    assert answer == Recognised("hello there", flushed=True, turn_over=0.3)


def test_no_partials_are_given_where_none_are_wanted() -> None:
    """The answer alone."""
    heard = segments(partials=False)
    speak(heard, (1000, SPEECH))
    assert heard.take(turn(0, "it was", 600)) == []
    heard.flush(1000, 8, 1.0)
    assert len(heard.take(turn(0, "It was.", 600, end=True))) == 1


def test_a_turn_without_words_answers_too() -> None:
    """An empty final means that there was nothing."""
    heard = segments()
    speak(heard, (1000, SPEECH))
    heard.flush(1000, 8, 1.0)
    empty = Turn(0, "", end_of_turn=True)
    assert heard.take(empty) == [Recognised("", flushed=True)]
    heard.heard(2000, SPEECH)
    heard.flush(2000, 9, 1.0)
    assert heard.take(empty) == []
    assert heard.expire(10.0) == [Recognised("", flushed=True)]


TURNS = st.builds(
    lambda order, text, last, end: turn(order, text, last, end=end),
    st.integers(-1, 5),
    st.sampled_from(["", "one", "one two", "one two three"]),
    st.integers(-100, 5000),
    st.booleans(),
)
STEPS = st.lists(
    TURNS | st.sampled_from(["flush", "expire"]) | st.floats(0, 30_000, allow_nan=False)
)


@given(STEPS)
def test_each_flush_is_answered_once_whatever_the_vendor_says(
    steps: list[Turn | str | float],
) -> None:
    """Any turns, in any order: as many answers as flushes when all time is up."""
    heard = segments()
    results: list[Recognised] = []
    at, flushes = 0.0, 0
    for step in steps:
        if isinstance(step, Turn):
            results += heard.take(step)
        elif isinstance(step, float):
            at += 50
            heard.heard(at, step)
        elif step == "flush":
            flushes += 1
            results += heard.flush(at, float(flushes), 0.0)[1]
        else:
            results += heard.expire(float(flushes) - 1)
    results += heard.expire(float(flushes))
    assert sum(one.flushed for one in results) == flushes
    assert heard.deadline is None
