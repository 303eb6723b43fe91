"""Tools by voice."""

from __future__ import annotations

from antiphon_providers.interfaces import Message, Prompt, ToolSpec
from antiphon_providers.local.dialogue.conversation import Answer, conversation_of
from antiphon_providers.local.dialogue.tool_requests import standing
from antiphon_providers.local.dialogue.tools import offered, operated, reminder
from providers.local.dialogue.talking import BOOK, NOW, STATUS


def reply(tool: ToolSpec, *lines: str) -> Answer | None:
    """What the tools have to say to the last line."""
    messages = tuple(Message(role="user", content=line) for line in lines)
    conversation = conversation_of(Prompt(messages, (tool,)), NOW)
    return operated(conversation, standing(conversation))


def test_a_tool_without_parameters_is_called_at_once() -> None:
    """There is nothing to ask."""
    answer = reply(ToolSpec("ring_bell", "Ring the bell"), "ring the bell please")
    assert answer is not None
    assert [use.name for use in answer.uses] == ["ring_bell"]


def test_arguments_that_the_whole_schema_refuses_are_not_sent() -> None:
    """The gate is the schema itself, not the fields that were asked."""
    schema = {"type": "object", "minProperties": 3}
    answer = reply(ToolSpec("ring_bell", "Ring the bell", schema), "ring the bell")
    assert answer is not None
    assert not answer.uses
    assert "can't ring the bell" in answer.text


def test_what_is_about_something_else_is_left_to_others_with_a_reminder() -> None:
    """The open question is asked again after the digression."""
    messages = tuple(Message(role="user", content=t) for t in ("book a table", "hello"))
    conversation = conversation_of(Prompt((*messages,), (STATUS, BOOK)), NOW)
    book = tuple(Message(role="user", content=t) for t in ("where is my order", "who are you"))
    aside = conversation_of(Prompt(book, (STATUS,)), NOW)
    assert operated(aside, standing(aside)) is None
    assert reminder(standing(aside)) == "What is the order number?"
    assert offered(standing(conversation)) is None
