"""The clock and the calendar."""

from __future__ import annotations

from datetime import datetime

import pytest

from antiphon_providers.interfaces import Message, Prompt
from antiphon_providers.local.dialogue.conversation import conversation_of
from antiphon_providers.local.dialogue.today import dated
from providers.local.dialogue.talking import NOW


def said(question: str, now: datetime = NOW) -> str | None:
    """The answer from the clock."""
    conversation = conversation_of(Prompt((Message(role="user", content=question),)), now)
    answer = dated(conversation)
    return answer.text if answer else None


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("do you know what time it is", "It's 3:05 PM."),
        ("what's today's date", "Today is Sunday, November 22nd."),
        ("what day is christmas", "Christmas is Friday, December 25th."),
        ("when is christmas", "Christmas is Friday, December 25th."),
        ("how many days until tomorrow", "It's 1 day until Monday, November 23rd."),
        ("how many weeks until christmas", "4 weeks and 5 days."),
        ("how many days until today", "That's today!"),
        ("how many days until the cows come home", None),
        ("what day does the shop open", None),
        ("", None),
    ],
)
def test_the_clock_answers_what_it_can(question: str, answer: str | None) -> None:
    """And leaves the rest to others."""
    assert said(question) == answer


def test_the_clock_is_the_one_that_was_given() -> None:
    """Nothing else is asked for the time."""
    assert said("what time is it", NOW.replace(hour=0, minute=0)) == "It's midnight."
    assert said("what year is it", NOW.replace(year=1999)) == "It's 1999."
