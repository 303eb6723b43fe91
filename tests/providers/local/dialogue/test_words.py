"""Text as a recogniser writes it, made comparable."""

from __future__ import annotations

from antiphon_providers.local.dialogue import words


def test_plain_text_has_no_case_contractions_or_punctuation() -> None:
    """However the recogniser writes it, the same words come out."""
    assert words.plain("What\u2019s your NAME?!") == "what is your name"
    assert words.plain("I can't, it's 1,000.50 at 7:30.") == "i cannot it is 1000.50 at 7:30"


def test_text_is_bounded_and_free_of_control_characters() -> None:
    """A hostile text is cut, and what cannot be printed becomes space."""
    assert len(words.clean("x" * 100_000)) == words.LONGEST_TEXT
    assert words.clean("a\x00b\u202ec\n") == "a b c"


def test_sentences_are_split_at_ends_lines_and_bullets_but_not_at_titles() -> None:
    """Markup goes, and ``Dr. Smith`` stays in one piece."""
    written = "# Role\nYou are **Nova**, with Dr. Smith. Be kind!\n- Parking is free\n- Bar"
    assert words.sentences(written) == [
        "Role", "You are Nova, with Dr. Smith.", "Be kind!", "Parking is free", "Bar",
    ]  # fmt: skip


def test_similar_words_are_alike_and_others_are_not() -> None:
    """Likeness is 1 for the same, high for a misheard word, and 0 for nothing."""
    assert words.alike("kitchen", "kitchen") == 1
    assert words.alike("kitchen", "kitchin") > 0.5 > words.alike("kitchen", "bedroom")
    assert words.alike("", "kitchen") == 0


def test_long_text_is_shortened_after_a_sentence_or_a_word() -> None:
    """What is said never ends inside a word."""
    assert words.shortened("One two three. Four five.", 16) == "One two three."
    assert words.shortened("abcdef ghijkl mnopqr", 12) == "abcdef…"


def test_names_are_humanised_and_lists_joined() -> None:
    """Identifiers are read as words, lists as speech."""
    assert words.humanised("partySize_max") == "party size max"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.listed([]) == ""
