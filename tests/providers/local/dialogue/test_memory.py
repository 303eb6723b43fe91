"""What the caller said about themselves."""

from __future__ import annotations

import pytest

from antiphon_providers.local.dialogue.memory import fact_in, memory_of, name_in, switched


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("My name is Sam.", "Sam"),
        ("hi, my name's maria lopez", "Maria"),
        ("I'm Sam Lee and I need help", "Sam Lee"),
        ("this is Ada", "Ada"),
        ("call me Al", "Al"),
        ("I'm fine", None),
        ("I'm Not sure", None),
        ("what is my name", None),
        ("", None),
    ],
)
def test_a_name_is_what_the_caller_calls_themselves(said: str, name: str | None) -> None:
    """Moods and questions are no names."""
    assert name_in(said) == name


def test_facts_are_remembered_and_the_latest_counts() -> None:
    """Spellings are joined, questions are no facts."""
    memory = memory_of(("my favorite color is green", "actually my favourite colour is Blue"))
    assert memory.facts == {"favourite colour": "Blue"}
    assert fact_in("what is my code") is None
    assert fact_in("the weather is nice") is None


def test_notes_are_kept_in_order_and_once() -> None:
    """``remember that`` is a note, in the caller's words."""
    memory = memory_of(("remember that the code is 4 5 2",) * 2)
    assert memory.notes == ("the code is 4 5 2",)


def test_the_callers_words_change_sides() -> None:
    """Mine is yours."""
    assert switched("my dog likes me and I am glad") == "your dog likes you and you are glad"
