"""Sentences about the caller, said to the caller."""

from __future__ import annotations

import pytest

from antiphon_providers.local.dialogue.rephrasing import asked, to_caller


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("their table is ready", "your table is ready"),
        ("the user's order has shipped", "your order has shipped"),
        ("you will call them back", "I will call you back"),
        ("you are closed", "I am closed"),
        ("your table is ready", "your table is ready"),
        ("the caller has won", "you have won"),
        ("", ""),
    ],
)
def test_the_caller_is_you_and_the_agent_is_i(written: str, said: str) -> None:
    """``you`` means the agent only where the sentence shows it."""
    assert to_caller(written) == said


@pytest.mark.parametrize(
    ("wanted", "question"),
    [
        ("for their name", "May I have your name?"),
        ("whether they want tea", "Do you want tea?"),
        ("if they would like tea", "Would you like tea?"),
        ("if the room is fine", "Is the room fine?"),
        ("what time they would like to come", "What time would you like to come?"),
        ("where they live", "Where do you live?"),
        ("what their name is", "What is your name?"),
        ("how you can help", "How can I help?"),
        ("to hold", "Could you hold, please?"),
        ("about their trip", "What can you tell me about your trip?"),
        ("Are you there?", "Are you there?"),
        ("bananas", "May I ask bananas?"),
    ],
)
def test_what_is_to_be_asked_becomes_a_question(wanted: str, question: str) -> None:
    """With the word order of one."""
    assert asked(wanted) == question
