"""Which words belong to which segment."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from antiphon_providers.deepgram_segments import Segments, Told
from antiphon_providers.interfaces import Recognised

LOUD, QUIET = 3000.0, 10.0


def fed(segments: Segments, since_s: float, until_s: float, level: float = LOUD) -> None:
    """Audio of one loudness, in pieces of 50 ms."""
    for step in range(round(since_s * 20) + 1, round(until_s * 20) + 1):
        segments.heard(step / 20, level)


def listening(*, partials: bool = True, settle_s: float = 0.0, spoken_s: float = 1.0) -> Segments:
    """Segments of which the first has so much speech."""
    segments = Segments(partials=partials, settle_s=settle_s)
    fed(segments, 0, spoken_s)
    return segments


def answer(text: str, verdict: float | None = None) -> Recognised:
    """The last result of a segment."""
    return Recognised(text, flushed=True, turn_over=verdict)


def test_words_are_shown_while_they_grow() -> None:
    """Only where they are wanted, and not twice."""
    segments = listening()
    assert segments.take(Told(0, "It", 0.3)) == [Recognised("It")]
    assert segments.take(Told(0, "It", 0.4)) == []
    assert segments.take(Told(0, "It was", 0.5, is_final=True)) == [Recognised("It was")]
    assert segments.take(Told(1, "best", 0.9)) == [Recognised("It was best")]
    assert listening(partials=False).take(Told(0, "It", 0.3)) == []


def test_a_flush_waits_for_words_that_are_not_final() -> None:
    """The forced end answers it, with all stretches of the segment."""
    segments = listening()
    segments.take(Told(0, "It was", 0.5, is_final=True))
    segments.take(Told(1, "the", 0.8))
    assert segments.flush(1.0, 5.0, 1.0) == []
    assert segments.deadline == 6.0
    forced = Told(1, "the best", 1.0, is_final=True, is_forced=True)
    assert segments.take(forced) == [answer("It was the best")]
    assert segments.answered == 1
    assert (segments.flush(1.0, 7.0, 1.0), segments.answered) == ([answer("")], 2)


def test_a_forced_end_may_come_short_of_the_speech() -> None:
    """The vendor says that it is all; one that was not forced must have heard the speech."""
    for is_forced in (True, False):
        segments = listening()
        segments.flush(1.0, 0.0, 1.0)
        told = Told(0, "It was", 0.9, is_final=True, is_forced=is_forced)
        assert bool(segments.take(told)) is is_forced


def test_what_is_final_already_is_answered_at_once() -> None:
    """Where all speech was heard, and so much behind it as words need to settle."""
    for settle_s, at_once in ((0.0, True), (0.2, False)):
        segments = listening(settle_s=settle_s)
        fed(segments, 1.0, 1.5, QUIET)
        segments.take(Told(0, "It was", 1.1, is_final=True))
        assert bool(segments.flush(1.5, 0.0, 1.0)) is at_once


def test_silence_is_answered_at_once_and_nothing_is_asked() -> None:
    """There are no words in it."""
    segments = Segments(partials=True, settle_s=0.0)
    fed(segments, 0, 1, QUIET)
    assert segments.is_silent
    assert segments.flush(1.0, 0.0, 1.0) == [answer("")]
    assert not segments.ask()


def test_the_vendor_is_asked_once_when_it_heard_all() -> None:
    """Not before, and not for a segment that nobody waits for."""
    segments = listening(settle_s=0.2)
    segments.take(Told(0, "It", 1.3))
    assert not segments.ask()
    segments = listening(settle_s=0.2)
    segments.take(Told(0, "It", 0.5))
    segments.flush(1.5, 0.0, 1.0)
    assert not segments.ask()
    segments.take(Told(0, "It was", 1.25))
    assert segments.ask()
    assert not segments.ask()


def test_what_waits_too_long_is_answered_with_what_is_known() -> None:
    """One deadline after the other: the next segment's is counted from the one before it."""
    segments = listening()
    segments.take(Told(0, "It", 0.5))
    segments.flush(1.0, 0.0, 1.0)
    fed(segments, 1.0, 2.0)
    segments.flush(2.0, 0.0, 1.0)
    assert segments.expire(0.9) == []
    assert segments.expire(1.0) == [answer("It")]
    assert segments.deadline == 2.0
    assert segments.expire(2.0) == [answer("")]


def test_a_late_end_is_dropped() -> None:
    """Words of a segment that was given up are not the next one's."""
    segments = listening()
    segments.flush(1.0, 0.0, 1.0)
    segments.expire(1.0)
    late = Told(0, "It was", 1.0, is_final=True, is_forced=True)
    assert segments.take(late) == []
    fed(segments, 1.0, 2.0)
    assert segments.flush(2.0, 1.0, 1.0) == []
    assert segments.expire(9.0) == [answer("")]


def test_a_turn_that_goes_on_gives_only_what_is_new() -> None:
    """The vendor tells it with the words that were answered; also after several flushes."""
    segments = listening()
    segments.take(Told(0, "It was", 0.5))
    segments.flush(1.0, 0.0, 1.0)
    segments.expire(1.0)
    fed(segments, 1.0, 2.0)
    assert segments.take(Told(0, "It was the best", 1.9)) == [Recognised("the best")]
    segments.flush(2.0, 1.0, 1.0)
    segments.expire(9.0)
    assert segments.flush(2.0, 9.0, 1.0) == [answer("")]
    fed(segments, 2.0, 3.0)
    assert segments.take(Told(0, "It was the best of", 2.9)) == [Recognised("of")]


def test_later_words_answer_a_segment_that_got_none() -> None:
    """A forced end without an answer does not take the words of the next segment."""
    segments = listening()
    segments.flush(1.0, 0.0, 1.0)
    fed(segments, 1.0, 2.0)
    assert segments.take(Told(0, "worst", 1.8)) == [answer(""), Recognised("worst")]


def test_a_verdict_is_the_vendors_own() -> None:
    """What it says after a flush may have been forced; a new turn without words says nothing."""
    segments = listening()
    shown = segments.take(Told(0, "It was", 0.9, is_final=True, verdict=0.9))
    assert shown == [Recognised("It was", turn_over=0.9)]
    assert segments.take(Told(1, "", 0.95, is_final=True, verdict=0.0)) == []
    segments.flush(1.0, 0.0, 1.0)
    told = Told(1, "", 1.0, is_final=True, verdict=0.0)
    assert segments.take(told) == [answer("It was", 0.9)]


def test_what_is_much_softer_than_the_speech_is_not_waited_for() -> None:
    """A room behind the speech brings no words; a soft word does."""
    for level, at_once in ((100.0, True), (400.0, False)):
        segments = listening()
        fed(segments, 1.0, 1.5, level)
        segments.take(Told(0, "It was", 1.0, is_final=True))
        assert bool(segments.flush(1.5, 0.0, 1.0)) is at_once


@given(
    steps=some.lists(
        some.one_of(
            some.tuples(some.just("feed"), some.booleans()),
            some.tuples(some.just("flush"), some.just(value=True)),
            some.tuples(some.just("take"), some.booleans()),
            some.tuples(some.just("expire"), some.just(value=True)),
        )
    )
)
def test_each_flush_has_one_answer_whatever_happens(steps: list[tuple[str, bool]]) -> None:
    """In any order of audio, flushes, words and deadlines; none is answered before it is made."""
    segments = Segments(partials=True, settle_s=0.1)
    at_s, now, flushes, key, answers = 0.0, 0.0, 0, 0, 0
    for step, choice in steps:
        results: list[Recognised] = []
        if step == "feed":
            at_s += 0.1
            segments.heard(at_s, LOUD if choice else QUIET)
        elif step == "flush":
            flushes += 1
            results = segments.flush(at_s, now, 1.0)
        elif step == "take":
            told = Told(key, f"word {key}", at_s, is_final=choice, is_forced=choice)
            results, key = segments.take(told), key + choice
        else:
            now += 0.7
            results = segments.expire(now)
        answers += sum(result.flushed for result in results)
        assert answers == segments.answered <= flushes
    answers += sum(result.flushed for result in segments.expire(now + flushes + 1))
    assert answers == flushes
    assert segments.deadline is None
