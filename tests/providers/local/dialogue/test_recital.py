"""Counting, spelling, orders and chance."""

from __future__ import annotations

import msgspec
import pytest

from antiphon_providers.interfaces import Message, Prompt
from antiphon_providers.local.dialogue.conversation import Answer, Conversation, conversation_of
from antiphon_providers.local.dialogue.recital import chanced, recited, spelled
from providers.local.dialogue.talking import NOW


def asked(text: str, conversation: str = "call") -> Conversation:
    """One utterance in a conversation."""
    return conversation_of(Prompt((Message(role="user", content=text),), (), conversation), NOW)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("count from 3 to 6", "3, 4, 5, 6."),
        ("count backwards from three", "3, 2, 1."),
        ("what comes after Sunday", "Monday comes after Sunday."),
        ("what comes before January", "December comes before January."),
        ("which letter is next", None),
        ("how do you spell it", "Which word shall I spell? One word at a time, please."),
        ("count on me", None),
    ],
)
def test_orders_are_recited(said: str, answer: str | None) -> None:
    """Upwards, downwards and around the end."""
    found = recited(asked(said))
    assert (found.text if found else None) == answer


def test_counting_ends() -> None:
    """A million is not counted aloud."""
    found = recited(asked("count to a million")) or recited(asked("count to 999999"))
    assert found is not None
    assert len(found.text) < 200


def test_words_are_spelled_with_pauses_between_them() -> None:
    """A comma is a short pause, a semicolon a longer one."""
    assert spelled("ab cd") == "A, B; C, D"


def test_chance_differs_between_calls_and_not_between_readings() -> None:
    """The same prompt has the same reply; many prompts have all of them."""
    coin = {(chanced(asked("flip a coin", f"call{i}")) or _none()).text for i in range(30)}
    assert coin == {"It's heads.", "It's tails."}
    again = [(chanced(asked("roll a die")) or _none()).text for _ in range(3)]
    assert len(set(again)) == 1
    lone = msgspec.structs.replace(asked("pick a number between 7 and 7"), seed="\ud800")
    assert (chanced(lone) or _none()).text == "7."


def _none() -> Answer:
    raise AssertionError("nothing was said")
