"""What ``reply.create`` asks for."""

from __future__ import annotations

from antiphon_providers.interfaces import Message, Prompt
from antiphon_providers.local.dialogue.conversation import conversation_of
from antiphon_providers.local.dialogue.instructions import LONGEST_SPEECH
from antiphon_providers.local.dialogue.skills import answered
from providers.local.dialogue.talking import HOTEL, NOW


def said(instruction: str, *heard: str) -> str:
    """The reply to an instruction after what the caller said."""
    messages = (
        Message(role="system", content=HOTEL),
        *(Message(role="user", content=text) for text in heard),
        Message(role="system", content=instruction),
    )
    return answered(conversation_of(Prompt(messages), NOW)).text


def test_quoted_text_is_said_verbatim() -> None:
    """With straight or curly quotes, all of them in order."""
    assert said('Say "One." and then say "Two."') == "One. Two."
    assert said("Tell them \u201cHold on!\u201d") == "Hold on!"


def test_remarks_on_style_are_not_read_out() -> None:
    """What is about the manner leaves the words alone."""
    assert said("Keep it short. Thank the caller. Do not mention money.") == "Thank you."


def test_a_question_of_the_caller_is_answered_where_the_instruction_is_a_note() -> None:
    """What is no order is a fact, and the caller comes first."""
    note = "The pool is closed until Monday."
    assert "closed until Monday" in said(note, "is the pool open")
    assert said(note) == note


def test_an_instruction_to_answer_answers_the_caller() -> None:
    """It adds nothing, so the caller's question decides."""
    assert "12 euros" in said("Respond to the user.", "how much is breakfast")


def test_empty_odd_and_endless_instructions_lead_to_something_short() -> None:
    """There is always a reply, and an end to it."""
    for text in ("", "   ", "!!!", '""', "ask", "say", "\u202e", "tell the user that"):
        assert said(text)
    assert len(said('Say "' + "word " * 5_000 + '"')) <= LONGEST_SPEECH + 1
    assert len(said("ask " + "whether " * 2_000)) <= LONGEST_SPEECH + 1
