"""Words, as a model writes them, into pieces worth speaking."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from antiphon_server.conversation.sentences import (
    ABBREVIATIONS,
    FIRST_CLAUSE_CHARS,
    LONGEST_CHARS,
    Sentences,
)

SPEAKABLE = re.compile(r"[^\W_]")


def pieces(*chunks: str) -> list[str]:
    """All pieces of a text that is written in these chunks."""
    sentences = Sentences()
    found = [piece for chunk in chunks for piece in sentences.feed(chunk)]
    return [*found, *sentences.finish()]


def without_space(text: str) -> str:
    """The text as it is compared: cuts may cost white space."""
    return "".join(text.split())


@pytest.mark.parametrize(
    "expected",
    [
        ["It is noon.", "It is sunny."],
        ["Really?", "Yes!", "Good."],
        ["What?!", "No way..."],
        ["Dr. Smith met Mrs. Jones on Main St. yesterday.", "They talked."],
        ["It opens at 5 p.m. on Fridays.", "Come early."],
        ["It opens at 5 p.m.", "Come early."],
        ["Bring pens, paper, etc.", "We start soon."],
        ["Some use tools, e.g. a lathe.", "Others do not."],
        ["It costs 3.50 or 1,000.25 a day.", "That is much."],
        ["It was built in 1998.", "It still stands."],
        ["See No. 5 on p. 7 of vol. 2.", "It helps."],
        ["No.", "I do not think so."],
        ["J. R. Tolkien wrote it.", "It is long."],
        ["George W. Bush spoke.", "All listened."],
        ["1. Open the door.", "2. Go in.", "3. Sit down."],
        ["Go to https://example.com/a.b?c=d.e or www.example.org.", "It is all there."],
        ["Write to a.b@example.com.", "We answer."],
        ["Version 2.0.1 is out.", "Try it."],
        ["Wait... what do you mean?", "I see."],
        ["I wonder...", "Never mind."],
        ["Well… maybe.", "Or not."],  # a single character
        ["“Stop!” he said.", "She stopped."],
        ["He said “Stop.”", "She stopped."],
        ["(It was late.)", "We went home."],
        ["**Done.**", "Next?"],
        ["It is noon.", "🙂 It is sunny. 🎉"],
        ["Jan. 5 and Sept. 9 are free.", "Which one?"],
    ],
)
def test_sentences_are_cut_where_they_end(expected: list[str]) -> None:
    """And nowhere inside an abbreviation, a number, an initial, a list or an address."""
    assert pieces(" ".join(expected)) == expected


@pytest.mark.parametrize(
    "expected",
    [
        ["你好。", "今天天气很好。", "你呢\uff1f"],
        ["彼は「はい。」", "と言った。"],
        ["一つ。。。", "二つ。"],
    ],
)
def test_ideographic_marks_need_no_space_after_them(expected: list[str]) -> None:
    """Chinese and Japanese are written without spaces."""
    assert pieces("".join(expected)) == expected


def test_lines_are_cut_whatever_ends_them() -> None:
    """A list without full stops is still read item by item; blank lines are nothing."""
    assert pieces("Bring:\n- paper\n- pens\n\nThat is all\n") == [
        "Bring:",
        "- paper",
        "- pens",
        "That is all",
    ]


def test_the_first_clause_goes_early() -> None:
    """The caller waits for it; later clauses stay with their sentence."""
    text = "Certainly, that is no problem at all, but first, tell me your name, please. Yes, you."
    assert pieces(text) == [
        "Certainly, that is no problem at all,",
        "but first, tell me your name, please.",
        "Yes, you.",
    ]


def test_a_short_first_clause_waits_for_more() -> None:
    """It would be spoken before the next piece is ready, and leave a gap."""
    assert len("Well, you see,") < FIRST_CLAUSE_CHARS
    assert pieces("Well, you see, it rains.") == ["Well, you see, it rains."]


def test_a_sentence_comes_as_soon_as_the_next_word_begins() -> None:
    """Not before, because that word decides about abbreviations, and not later."""
    sentences = Sentences()
    assert sentences.feed("It is noon. ") == []
    assert sentences.feed("I") == ["It is noon."]
    assert sentences.feed("t is sunny.") == []
    assert sentences.finish() == ["It is sunny."]
    assert sentences.finish() == []


def test_a_text_without_an_end_is_cut_at_its_clauses() -> None:
    """Each piece short enough to be synthesised while the one before it is heard."""
    found = pieces("and so it went on from day to day, " * 30)
    assert all(len(piece) <= LONGEST_CHARS for piece in found)
    assert all(piece.endswith("day,") for piece in found)


def test_a_text_without_any_clause_is_cut_before_a_conjunction() -> None:
    """Where one would breathe."""
    found = pieces("we walked a long way over the green hills and " * 12)
    assert all(piece.startswith(("we", "and")) for piece in found)
    assert all(len(piece) <= LONGEST_CHARS for piece in found)


def test_a_text_of_words_alone_is_cut_between_them() -> None:
    """Never inside one."""
    found = pieces("word " * 200)
    assert all(set(piece.split()) == {"word"} for piece in found)
    assert len(found) == 5


def test_a_long_text_is_not_cut_after_an_abbreviation() -> None:
    """What may not end a sentence is no place to cut either."""
    text = "we met " + "Dr. Adams " * 60
    assert not any(piece.endswith("Dr.") for piece in pieces(text))


def test_a_text_without_any_space_is_cut_where_it_must_be() -> None:
    """No voice can say it in one breath."""
    assert [len(piece) for piece in pieces("x" * 500)] == [220, 220, 60]


def test_punctuation_is_never_left_alone() -> None:
    """It goes with the sentence after it, or where there is none with the one before."""
    assert pieces("... Hello! ... ??? World. --- !!!") == ["... Hello!", "... ??? World. --- !!!"]


@pytest.mark.parametrize("text", ["", " \n ", "\t"])
def test_nothing_is_spoken_of_nothing(text: str) -> None:
    """White space has no sound."""
    assert pieces(text) == []


def test_a_text_of_punctuation_alone_is_one_piece() -> None:
    """A voice may make of it what it can."""
    assert pieces("... !!!\n???") == ["... !!!\n???"]


def test_abbreviations_are_as_they_are_compared() -> None:
    """In lower case and without their last full stop."""
    assert all(word == word.lower().rstrip(".") and " " not in word for word in ABBREVIATIONS)


PARTS = st.sampled_from(
    (
        *("Hello", "world", "x" * 90, "Dr", "etc", "e.g", "No", "3", "1998", "and", "我", "é"),
        *(
            ". ",
            ".",
            "! ",
            "?",
            "... ",
            "…",
            "。",
            "\uff0c",
            ", ",
            " - ",
            ": ",
            "\n",
            " ",
            "  ",
            "\t",
        ),
        *('"', "”", ")", "*", "_", "🙂", "(", "A", "a", "word ", "the next word "),
    )
)
TEXT = st.one_of(st.lists(PARTS, max_size=60).map("".join), st.text(max_size=300))


@given(TEXT, st.lists(st.integers(0, 400), max_size=6))
@settings(max_examples=400, deadline=None, database=None)
@example("a" + "。" * 5 + "」」b", [2, 7])
@example("x" * 219 + ". " + " " * 5 + "Yes", [220, 221, 222, 224])
@example("y" * 215 + " etc. " + "Yes", [221, 222])
def test_the_pieces_do_not_depend_on_the_chunks(text: str, cuts: list[int]) -> None:
    """A model that writes letter by letter is spoken like one that writes all at once."""
    whole = pieces(text)
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    assert pieces(*(text[a:b] for a, b in pairwise(edges))) == whole
    assert pieces(*text) == whole


@given(TEXT)
@settings(max_examples=400, deadline=None, database=None)
def test_the_pieces_are_the_text(text: str) -> None:
    """Nothing is lost or added but white space; no piece is empty or without a word."""
    found = pieces(text)
    assert without_space("".join(found)) == without_space(text)
    assert all(piece == piece.strip() and piece for piece in found)
    if len(found) > 1:
        assert all(SPEAKABLE.search(piece) for piece in found)


@given(st.lists(st.text("abcdefghij", min_size=1, max_size=12), max_size=120))
@settings(deadline=None, database=None)
def test_no_word_is_ever_cut(words: list[str]) -> None:
    """And no piece is longer than the longest."""
    found = pieces(" ".join(words))
    assert [word for piece in found for word in piece.split()] == words
    assert all(len(piece) <= LONGEST_CHARS for piece in found)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Let me look.", ["Let me look."]),
        ("Is it “so?”", ["Is it “so?”"]),
        ("It costs 3.", ["It costs"]),
        ("Ask for Dr.", ["Ask for"]),
        ("Stop", []),
    ],
)
def test_who_is_in_a_hurry_gets_a_last_word_that_ends_a_sentence(
    text: str, pieces: list[str]
) -> None:
    """Not where the full stop may be one of a number or an abbreviation."""
    sentences = Sentences()
    assert sentences.feed(text) == []
    assert sentences.hurry() == pieces


def test_who_is_in_a_hurry_gets_the_words_that_are_complete() -> None:
    """Not the one that is being written, nor punctuation alone; and no word twice."""
    sentences = Sentences()
    assert sentences.feed("“ ") == []
    assert sentences.hurry() == []
    assert sentences.feed("The first mod") == []
    assert sentences.hurry() == ["“ The first"]
    assert sentences.hurry() == []
    assert sentences.feed("el says this. It") == ["model says this."]
    assert sentences.finish() == ["It"]
