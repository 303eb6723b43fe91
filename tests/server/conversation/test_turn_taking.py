"""When did the user stop, and do they want the floor."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.conversation import turn_taking
from antiphon_server.conversation.manners import ADAPTIVE, Manners, fixed
from server.conversation.scenes import MANNERS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("What time is it?", ["what", "time", "is", "it"]),
        ("Don't, I’ll do it", ["don't", "i’ll", "do", "it"]),  # noqa: RUF001
        ("... — !", []),
        ("", []),
        ("Zürich 2026", ["zürich", "2026"]),
        ("snake_case", ["snake", "case"]),
    ],
)
def test_words_are_told_from_punctuation(text: str, words: list[str]) -> None:
    """In lower case, contractions whole."""
    assert turn_taking.words_of(text) == words


@pytest.mark.parametrize(
    "text", ["", "...", "Uh-huh.", "Mm-hm", "Yeah, yeah.", "I see.", "Oh, okay, right", "OK"]
)
def test_a_few_words_of_listening_are_a_back_channel(text: str) -> None:
    """So is a voice without words."""
    assert turn_taking.is_back_channel(text)


@pytest.mark.parametrize(
    "text", ["stop", "no", "yes please", "okay okay okay okay", "wait", "I see what you mean"]
)
def test_whatever_else_is_said_wants_the_floor(text: str) -> None:
    """One word is enough, and so are many of listening."""
    assert not turn_taking.is_back_channel(text)


@pytest.mark.parametrize(
    "text", ["", "I would like to", "well,", "I think...", "my number is —", "the", "so um"]
)
def test_some_words_promise_more(text: str) -> None:
    """An unfinished phrase, a comma, a dash; also nothing at all."""
    assert turn_taking.hangs(text)


@pytest.mark.parametrize("text", ["I would like tea", "What is that for?", "Stop.", "Thank you"])
def test_others_can_be_the_last(text: str) -> None:
    """A question mark ends even what a preposition could not."""
    assert not turn_taking.hangs(text)


@pytest.mark.parametrize(
    ("text", "probability", "needed"),
    [
        ("I would like tea", 0.9, 200),
        ("I would like", 0.9, 200),
        ("I would like to", 0.9, 800),
        ("I would like tea", 0.1, 900),
        ("I would like to", 0.1, 1000),
        ("I would like tea", None, 800),
        ("I would like to", None, 900),
        ("I would like tea", 0.5, 900),
        ("I would like tea,", 0.9, 800),
        ("I would like tea,", 0.95, 200),
        ("I would like to", 0.95, 800),
    ],
)
def test_sound_decides_and_words_only_lengthen(
    text: str, probability: float | None, needed: int
) -> None:
    """A probability at the threshold is not above it; without one the words choose. A comma
    does not count against a sound that is certain, a last word does.
    """
    assert turn_taking.silence_needed(MANNERS, text, probability) == needed


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_surer_verdict_never_lengthens_the_wait(text: str, low: float, high: float) -> None:
    """Nor does any text ask for more silence than a turn can wait for."""
    low, high = sorted((low, high))
    for patience in (*ADAPTIVE.values(), fixed(300, 900)):
        manners = Manners(patience=patience)
        surer = turn_taking.silence_needed(manners, text, high)
        assert surer <= turn_taking.silence_needed(manners, text, low) <= patience.open
        assert turn_taking.silence_needed(manners, text, None) in patience.milestones()


def test_the_words_of_listening_are_as_they_are_compared() -> None:
    """In lower case and without hyphens, else they would never match."""
    for word in turn_taking.BACK_CHANNELS | turn_taking.HANGING_WORDS:
        assert turn_taking.words_of(word) == [word]
