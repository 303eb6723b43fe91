"""The speech acts an instruction can ask for."""

from __future__ import annotations

import pytest

from antiphon_providers.interfaces import Message, Prompt
from antiphon_providers.local.dialogue.conversation import conversation_of
from antiphon_providers.local.dialogue.speech_acts import spoken_act
from providers.local.dialogue.talking import HOTEL, NOW

CONVERSATION = conversation_of(
    Prompt((Message(role="system", content=HOTEL), Message(role="user", content="I'm Bo"))), NOW
)


@pytest.mark.parametrize(
    ("imperative", "words"),
    [
        ("greet the user by name", "Hello, Bo!"),
        ("say good morning to Maria", "Good morning, Maria!"),
        ("welcome Maria back", "Welcome back, Maria!"),
        ("inform the caller that the bar is closed", "The bar is closed."),
        ("let them know that you will be right back", "I will be right back."),
        ("tell the user to wait", "Please wait."),
        ("apologize for the noise", "I'm sorry about the noise."),
        ("thank Maria for her patience", "Thank you for your patience, Maria."),
        ("offer to help", "Is there anything I can help you with?"),
        ("offer the caller a coffee", "Would you like a coffee?"),
        ("wish them a good trip", "I wish you a good trip."),
        ("end the call", "Goodbye, and take care!"),
        ("summarize the conversation", 'So far you said "I\'m Bo".'),
        ("describe breakfast", "Breakfast is served from 7 to 10 and costs 12 euros."),
        ("juggle five balls", None),
        ("", None),
    ],
)
def test_an_imperative_becomes_its_words(imperative: str, words: str | None) -> None:
    """And what is no speech act becomes none."""
    assert spoken_act(CONVERSATION, imperative) == words
