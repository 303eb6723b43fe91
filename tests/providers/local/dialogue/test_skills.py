"""All skills in their order."""

from __future__ import annotations

from antiphon_providers.interfaces import Message, Prompt, ToolSpec
from antiphon_providers.local.dialogue.conversation import conversation_of
from antiphon_providers.local.dialogue.skills import KNOWING, answered
from providers.local.dialogue.talking import BOOK, NOW, WEATHER


def said(*lines: str, tools: tuple[ToolSpec, ...] = ()) -> str:
    """The reply to the last line."""
    messages = tuple(Message(role="user", content=line) for line in lines)
    return answered(conversation_of(Prompt(messages, tools), NOW)).text


def test_a_digression_is_answered_and_the_open_question_asked_again() -> None:
    """The caller is not left where they were."""
    assert said("what is the weather", "what time is it", tools=(WEATHER, BOOK)) == (
        "It's 3:05 PM. Which city?"
    )


def test_a_corrected_question_is_answered_with_an_apology() -> None:
    """What was misheard is put right."""
    assert said("no, I said what time is it") == "Sorry. It's 3:05 PM."
    assert said("no I said " * 300 + "what time is it")


def test_no_skill_answers_an_empty_conversation() -> None:
    """Each asks what was said before it says anything."""
    empty = conversation_of(Prompt(()), NOW)
    assert [skill(empty) for skill in KNOWING] == [None] * len(KNOWING)
