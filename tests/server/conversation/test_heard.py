"""What of one reply was written, spoken and heard."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.conversation.heard import Heard, TimedWord
from antiphon_server.conversation.speech_length import LETTER_MS, lengths, total

TEA = (TimedWord("Some", 0, 200), TimedWord("tea", 300, 600), TimedWord("please.", 600, 1000))


def spoken(*sentences: tuple[str, float], timed: bool = False) -> Heard:
    """A reply whose audio all exists; with ``timed``, words of a third of it each."""
    heard = Heard()
    for number, (text, ms) in enumerate(sentences):
        heard.wrote(text)
        words = text.split()
        each = ms / max(1, len(words))
        times = tuple(
            TimedWord(word, round(index * each), round((index + 1) * each))
            for index, word in enumerate(words)
        )
        heard.sounded(number, ms, times if timed else ())
        heard.ended(number)
    return heard


def test_given_times_are_exact() -> None:
    """A word counts once half of it was out."""
    heard = Heard()
    heard.wrote("Some tea please.")
    heard.sounded(0, 1000, TEA)
    heard.ended(0)
    expected = {0: "", 99: "", 100: "Some", 449: "Some", 450: "Some tea", 799: "Some tea"}
    assert {ms: heard.until(ms) for ms in expected} == expected
    assert heard.until(800) == heard.until(5000) == "Some tea please."


def test_without_times_a_sentence_is_shared_among_its_words_by_their_length() -> None:
    """In the proportions of ``speech_length``; the silence after a word belongs to no word."""
    heard = spoken(("ab, abcdef", 1000))
    first, second = lengths(["ab,", "abcdef"])
    share = 1000 / total(["ab,", "abcdef"])
    times = [
        TimedWord("ab,", 0, round(share * first.sound)),
        TimedWord("abcdef", round(share * (first.sound + first.pause)), round(
            share * (first.sound + first.pause + second.sound)
        )),
    ]  # fmt: skip
    assert heard.new_words() == times
    assert (heard.until(times[0].middle_ms - 1), heard.until(times[0].middle_ms)) == ("", "ab,")
    assert heard.until(times[1].middle_ms) == "ab, abcdef"
    assert heard.method == "estimated"


def test_a_second_sentence_starts_where_the_first_ended() -> None:
    """Times count from the start of the reply's audio."""
    heard = spoken(("Some tea.", 1000), ("Or milk.", 800), timed=True)
    assert heard.ms == 1800
    assert heard.new_words()[2] == TimedWord("Or", 1000, 1400)
    assert heard.until(1000) == "Some tea."
    assert heard.until(1250) == "Some tea. Or"


def test_audio_in_pieces_is_added_up() -> None:
    """Each piece may bring words, timed from the start of its sentence."""
    heard = Heard()
    heard.wrote("Some tea please.")
    heard.sounded(0, 300, TEA[:1])
    heard.sounded(0, 700, TEA[1:])
    heard.ended(0)
    assert heard.ms == 1000
    assert heard.new_words() == list(TEA)


def test_a_sentence_still_being_spoken_goes_at_the_usual_pace() -> None:
    """Else the first sound of a sentence would count as all of its words."""
    heard = Heard()
    heard.wrote("a long sentence of many words that has only just begun")
    heard.sounded(0, 100)
    assert heard.until(100) == "a"
    assert heard.until(0) == ""
    assert heard.until(LETTER_MS * 3.5) == "a long"


def test_it_goes_at_the_pace_of_the_sentences_before_it() -> None:
    """A slow voice stays slow; one that was slow in earlier replies is so from the beginning."""
    slow = spoken(("abcde", 5000))
    slow.wrote("abcd abcd")
    slow.sounded(1, 1000)
    assert slow.until(5000 + 400) == "abcde"
    assert slow.until(5000 + 1000) == "abcde abcd"
    other = Heard(expected_pace=4 * LETTER_MS)
    other.wrote("abcd abcd abcd")
    other.sounded(0, 400)
    assert (other.until(400), other.until(500)) == ("", "abcd")


def test_the_pace_is_learned_from_what_has_ended() -> None:
    """Slowly at first: two words say little."""
    assert Heard().pace == LETTER_MS
    assert Heard(80.0).pace == 80
    hundred = " ".join(["abcde"] * 20)
    brief = spoken(("ab", 2 * LETTER_MS * total(["ab"])))
    long = spoken((hundred, 2 * LETTER_MS * total(hundred.split())))
    assert LETTER_MS < brief.pace < long.pace < 2 * LETTER_MS
    assert spoken(("***", 0)).pace == LETTER_MS


def test_words_that_are_not_timed_yet_follow_those_that_are() -> None:
    """The voice was slower than expected: so is what comes next."""
    heard = Heard()
    heard.wrote("Some tea please.")
    heard.sounded(0, 900, (TimedWord("Some", 0, 500), TimedWord("tea", 500, 800)))
    assert heard.until(900) == "Some tea"
    assert heard.method == "timed"


def test_words_are_told_once_and_only_when_their_times_are_known() -> None:
    """In order, a sentence at a time."""
    heard = Heard()
    heard.wrote("Some tea.")
    heard.wrote("Or milk.")
    assert heard.new_words() == []
    heard.sounded(0, 500)
    assert heard.new_words() == []
    heard.ended(0)
    assert [word.text for word in heard.new_words()] == ["Some", "tea."]
    assert heard.new_words() == []
    heard.sounded(1, 500)
    heard.ended(1)
    assert [word.text for word in heard.new_words()] == ["Or", "milk."]
    assert heard.new_words() == []


def test_a_sentence_that_is_not_spoken_yet_takes_no_time() -> None:
    """What was written ahead changes neither the audio so far nor what was heard."""
    heard = spoken(("Some tea.", 1000))
    heard.wrote("Or milk.")
    assert heard.ms == 1000
    assert heard.until(9000) == "Some tea."
    assert heard.text == "Some tea. Or milk."


def test_a_sentence_without_sound_is_heard_with_the_next() -> None:
    """A voice may have nothing to say to it; what follows is not lost for that."""
    heard = spoken(("Some tea.", 1000), ("***", 0), ("Or milk.", 800))
    assert heard.until(1000) == "Some tea."
    assert heard.until(2000) == "Some tea. *** Or milk."
    assert [word.start_ms for word in heard.new_words()][2] == 1000


def test_a_reply_that_was_not_spoken_was_not_heard() -> None:
    """Empty, or written only."""
    heard = Heard()
    assert (heard.text, heard.until(1000), heard.ms, heard.new_words()) == ("", "", 0, [])
    heard.wrote("Some tea.")
    assert heard.until(1000) == ""


def test_a_sentence_that_was_never_written_is_an_error() -> None:
    """Sounds must name what they say."""
    with pytest.raises(IndexError):
        Heard().sounded(0, 100)


def test_times_that_contradict_themselves_still_give_a_beginning() -> None:
    """A word that is timed before its predecessor waits for it."""
    heard = Heard()
    heard.wrote("Some tea please.")
    heard.sounded(0, 1000, (TimedWord("Some", 800, 900), TimedWord("tea", 0, 100)))
    heard.ended(0)
    assert heard.until(500) == ""
    assert heard.until(860) == "Some tea"


WORD = st.text("abcdefgh.,", min_size=1, max_size=9)
SENTENCE = st.lists(WORD, min_size=1, max_size=6).map(" ".join)


@given(
    st.lists(st.tuples(SENTENCE, st.integers(0, 4000)), max_size=5),
    st.booleans(),
    st.booleans(),
    st.lists(st.floats(0, 25_000), min_size=2, max_size=8).map(sorted),
)
def test_what_was_heard_is_a_beginning_and_only_grows(
    sentences: list[tuple[str, float]], timed: bool, whole: bool, moments: list[float]
) -> None:
    """Interrupted at any point, with any times, word by word."""
    heard = spoken(*sentences, timed=timed)
    if not whole:
        heard.wrote("and one more that has only begun")
        heard.sounded(len(sentences), 200)
    written = heard.text.split()
    parts = [heard.until(moment).split() for moment in moments]
    assert all(part == written[: len(part)] for part in parts)
    assert all(len(earlier) <= len(later) for earlier, later in pairwise(parts))
    assert heard.until(0) == ""


@given(st.lists(st.tuples(SENTENCE, st.integers(0, 4000)), max_size=5), st.booleans())
def test_every_word_is_told_once_in_time_order(
    sentences: list[tuple[str, float]], timed: bool
) -> None:
    """Whether its time was given or estimated."""
    heard = spoken(*sentences, timed=timed)
    words = heard.new_words()
    assert [word.text for word in words] == heard.text.split()
    assert all(word.start_ms <= word.end_ms for word in words)
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(words))
    assert not words or words[-1].end_ms <= heard.ms + 1
