"""Questions answered from the system prompt."""

from __future__ import annotations

import pytest

from antiphon_providers.interfaces import Message, Prompt
from antiphon_providers.local.dialogue.conversation import Conversation, conversation_of
from antiphon_providers.local.dialogue.knowledge import about, as_spoken, coverage, facts, informed
from providers.local.dialogue.talking import HOTEL, NOW


def asked(question: str, rules: str = HOTEL) -> Conversation:
    """A question after a system prompt."""
    said = Message(role="user", content=question)
    return conversation_of(Prompt((Message(role="system", content=rules), said)), NOW)


def test_directions_to_the_agent_are_no_facts() -> None:
    """How to behave and who to be is not read out to callers."""
    told = " ".join(facts(asked("x")))
    assert "polite" not in told
    assert "rude" not in told
    assert "You are Ada" not in told
    assert "Parking is free" in told


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("what are your opening hours", "every day"),
        ("how late are you open", "11 at night"),
        ("what does breakfast cost", "12 euros"),
        ("are cats allowed", "cats are not"),
        ("what is your address", "12 Harbour Street"),
    ],
)
def test_a_question_finds_its_sentence(question: str, answer: str) -> None:
    """By its words and by what callers say instead of them."""
    found = informed(asked(question))
    assert found is not None
    assert answer in found.text


def test_what_the_prompt_does_not_say_is_not_answered() -> None:
    """No sentence is better than a wrong one; statements are no questions."""
    assert informed(asked("do you have a helicopter")) is None
    assert informed(asked("I had a long and wonderful breakfast at home today")) is None
    assert informed(asked("")) is None
    assert about(asked("x", ""), "breakfast") is None
    assert coverage(asked("x", ""))("when are you open") == 0


def test_the_agent_speaks_for_its_house() -> None:
    """``You`` in a prompt is ``we`` in the answer, the caller is ``you``."""
    assert as_spoken("Your opening hours are 9 to 5") == "Our opening hours are 9 to 5."
    assert as_spoken("The caller has 20 points") == "You have 20 points."
    assert as_spoken("Hours: 9 to 5") == "Hours, 9 to 5."
