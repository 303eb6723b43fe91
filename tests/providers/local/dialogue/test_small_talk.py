"""The exchanges that are the same in every conversation."""

from __future__ import annotations

import pytest

from antiphon_providers.interfaces import Message, Prompt
from antiphon_providers.local.dialogue.conversation import Answer, Conversation, conversation_of
from antiphon_providers.local.dialogue.small_talk import agreed, chatted, helped, repeated
from providers.local.dialogue.talking import HOTEL, NOW, WEATHER


def heard(*messages: Message | str) -> Conversation:
    """A conversation; plain lines are the caller's."""
    turns = (m if isinstance(m, Message) else Message(role="user", content=m) for m in messages)
    return conversation_of(Prompt(tuple(turns), (WEATHER,)), NOW)


def text(answer: Answer | None) -> str:
    """What is said; nothing where there is no answer."""
    return answer.text if answer else ""


@pytest.mark.parametrize("said", ["what is the price", "book a table", "", "thirty seven llamas"])
def test_what_is_no_small_talk_is_left_to_others(said: str) -> None:
    """Requests and questions are not chatted away."""
    assert chatted(heard(said)) is None
    assert repeated(heard(said)) is None


def test_the_last_words_are_repeated_however_it_is_asked() -> None:
    """Also after the repetition, without piling up."""
    spoken = Message(role="assistant", content="I said: It's noon.")
    for said in ("pardon?", "say that again", "slower please", "sorry, I didn't catch that"):
        assert text(repeated(heard(spoken, said))) == "I said: It's noon."
    assert "anything yet" in text(repeated(heard("what did you say")))


def test_a_result_that_was_not_heard_is_told_when_asked_for() -> None:
    """The caller interrupted before the agent spoke about it."""
    result = Message(role="tool", content="It is sunny.", call_id="c")
    assert text(repeated(heard("weather", result, "what was that"))) == "It is sunny."


def test_help_names_the_tools_first() -> None:
    """They are why the agent was called."""
    assert text(helped(heard("what can you do"))).startswith("I can get the current weather")
    rules = Message(role="system", content=HOTEL)
    assert "answer questions about us" in text(helped(heard(rules, "help")))


def test_yes_and_no_are_understood_by_what_was_asked() -> None:
    """No to ``anything else`` is a goodbye; a sentence that begins with no is no answer."""
    more = Message(role="assistant", content="Is there anything else?")
    assert text(agreed(heard(more, "no thanks"))) == "All right. Have a nice day!"
    assert text(agreed(heard("yes")))
    assert agreed(heard("no dogs are allowed in here today")) is None
    assert agreed(heard("with parking")) is None
