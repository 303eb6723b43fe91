"""The prompt, sorted."""

from __future__ import annotations

from antiphon_providers.interfaces import Message, Prompt, ToolSpec
from antiphon_providers.local.dialogue.conversation import (
    LONGEST_HISTORY,
    conversation_of,
    varied,
)
from providers.local.dialogue.talking import NOW, WEATHER


def system(text: str) -> Message:
    """A system message."""
    return Message(role="system", content=text)


def test_system_messages_are_rules_notes_and_an_instruction_by_their_place() -> None:
    """The first is the system prompt, the last is what this reply is asked for with."""
    messages = (system("rules"), Message(role="user", content="hi"), system("note"),
                Message(role="assistant", content="hello"), system("say hi"))  # fmt: skip
    sorted_out = conversation_of(Prompt(messages), NOW)
    assert (sorted_out.rules, sorted_out.notes, sorted_out.instruction) == (
        "rules", ("note",), "say hi",
    )  # fmt: skip
    assert sorted_out.utterance is None
    assert sorted_out.last_said == "hello"


def test_only_the_trailing_results_wait_to_be_told() -> None:
    """What the agent spoke about already does not."""
    result = Message(role="tool", content="r", call_id="c")
    told = (result, Message(role="assistant", content="told"), result, result)
    assert len(conversation_of(Prompt(told), NOW).results) == 2
    assert conversation_of(Prompt(()), NOW).results == ()


def test_history_and_tools_are_bounded_and_names_are_unique() -> None:
    """A thousand messages and tools of one name are cut to what can be read."""
    many = tuple(Message(role="user", content="x") for _ in range(1_000))
    tools = (WEATHER, ToolSpec("get_weather", "another"), *(ToolSpec(f"t{i}") for i in range(99)))
    bounded = conversation_of(Prompt(many, tools), NOW)
    assert len(bounded.turns) == LONGEST_HISTORY
    assert len(bounded.tools) == 32
    assert bounded.tools[0] is WEATHER


def test_wordings_change_and_are_not_repeated() -> None:
    """What was said last is passed over."""
    said = (Message(role="user", content="x"), Message(role="assistant", content="Two."))
    conversation = conversation_of(Prompt(said), NOW)
    assert varied(conversation, ("One.", "Two.", "Three.")) == "Three."
    assert varied(conversation, ("Two.",)) == "Two."
