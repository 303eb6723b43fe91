"""What the model is told: the conversation as both sides heard it."""

from __future__ import annotations

from antiphon_providers.interfaces import Message, Prompt, ToolSpec, ToolUse
from antiphon_server.conversation.memory import PENDING, Memory

WEATHER = ToolUse("a", "weather", {"city": "Bern"})
TIME = ToolUse("b", "time", {})


def told(memory: Memory, *, instructions: str | None = None) -> tuple[Message, ...]:
    """The messages of the next prompt."""
    return memory.prompt("", instructions, (), "call").messages


def user(text: str) -> Message:
    """A turn of the user."""
    return Message(role="user", content=text)


def system(text: str) -> Message:
    """Something told by neither side."""
    return Message(role="system", content=text)


def agent(text: str, *uses: ToolUse) -> Message:
    """A reply."""
    return Message(role="assistant", content=text, tool_uses=uses)


def result(call_id: str, text: str, *, is_error: bool = False) -> Message:
    """The answer to a call."""
    return Message(role="tool", content=text, call_id=call_id, is_error=is_error)


def calling(*uses: ToolUse, text: str = "Let me see.") -> Memory:
    """The user asked, and the first reply made these calls."""
    memory = Memory()
    memory.user_said("What's the weather?")
    for use in uses:
        memory.tool_used(1, use)
    memory.agent_said(1, text)
    return memory


def test_turns_are_told_in_order() -> None:
    """The user's in full, the agent's as it was heard."""
    memory = Memory()
    memory.user_said("Hello.")
    memory.agent_said(1, "Hi, what can I")
    memory.user_said("A table for two.")
    assert told(memory) == (user("Hello."), agent("Hi, what can I"), user("A table for two."))


def test_a_prompt_begins_with_the_system_prompt_and_ends_with_the_instructions() -> None:
    """Instructions are for one reply and are not remembered (section 4.9)."""
    memory = Memory()
    memory.user_said("Hello.")
    tools = (ToolSpec("weather"),)
    assert memory.prompt("Be kind.", "Be brief.", tools, "call") == Prompt(
        (system("Be kind."), user("Hello."), system("Be brief.")), tools, "call"
    )
    assert told(memory) == (user("Hello."),)


def test_a_reply_that_was_not_heard_leaves_no_trace() -> None:
    """And what the user said before and after it is one message."""
    memory = Memory()
    memory.user_said("What time")
    memory.agent_said(1, "")
    memory.user_said("is it?")
    assert told(memory) == (user("What time is it?"),)


def test_two_replies_in_a_row_stay_two() -> None:
    """A greeting, and one the client asked for."""
    memory = Memory()
    memory.agent_said(1, "Hello.")
    memory.agent_said(2, "Are you there?")
    assert told(memory) == (agent("Hello."), agent("Are you there?"))


def test_a_written_message_of_the_user_is_a_turn() -> None:
    """It is seen by the model like a spoken one (section 9, row 7)."""
    memory = Memory()
    memory.user_said("Book a table.")
    memory.message_added("user", "For two.")
    assert told(memory) == (user("Book a table. For two."),)


def test_other_messages_are_context() -> None:
    """Each by itself; the turns around it stay apart."""
    memory = Memory()
    memory.user_said("Hello.")
    memory.message_added("system", "The caller is a member.")
    memory.message_added("developer", "Since 2019.")
    memory.user_said("Hello?")
    assert told(memory) == (
        user("Hello."),
        system("The caller is a member."),
        system("Since 2019."),
        user("Hello?"),
    )


def test_a_call_is_told_with_its_result() -> None:
    """In the reply that made it, followed by the answer."""
    memory = calling(WEATHER)
    memory.tool_answered("a", '{"sun": true}', is_error=False)
    assert told(memory)[1:] == (agent("Let me see.", WEATHER), result("a", '{"sun": true}'))


def test_a_failed_call_is_told_as_one() -> None:
    """So that the agent can recover in words (section 4.5)."""
    memory = calling(WEATHER)
    memory.tool_answered("a", "no such city", is_error=True)
    assert told(memory)[-1] == result("a", "no such city", is_error=True)


def test_a_call_without_a_result_is_told_as_pending() -> None:
    """Model services refuse a prompt in which a call has no answer."""
    memory = calling(WEATHER)
    memory.user_said("Hurry up!")
    assert told(memory)[1:] == (
        agent("Let me see.", WEATHER),
        result("a", PENDING),
        user("Hurry up!"),
    )


def test_parallel_calls_are_answered_in_the_order_they_were_made() -> None:
    """Whichever result came first; one that is missing is pending."""
    memory = calling(WEATHER, TIME)
    memory.tool_answered("b", "noon", is_error=False)
    assert told(memory)[2:] == (result("a", PENDING), result("b", "noon"))
    memory.tool_answered("a", "sun", is_error=False)
    assert told(memory)[2:] == (result("a", "sun"), result("b", "noon"))


def test_a_silent_reply_with_a_call_is_remembered() -> None:
    """A tool turn is often not spoken at all (section 9, row 11)."""
    memory = calling(WEATHER, text="")
    assert told(memory)[1:] == (agent("", WEATHER), result("a", PENDING))


def test_a_late_result_is_told_where_the_call_was_and_where_it_came() -> None:
    """By name: a model reads its last messages first, and may have promised to come back."""
    memory = calling(WEATHER)
    memory.user_said("And the time?")
    memory.agent_said(2, "It is noon.")
    memory.tool_answered("a", "sun", is_error=False)
    assert told(memory)[1:] == (
        agent("Let me see.", WEATHER),
        result("a", "sun"),
        user("And the time?"),
        agent("It is noon."),
        system("The result of weather is known now: sun"),
    )


def test_a_late_failure_is_told_as_one() -> None:
    """As a failure, not as a result."""
    memory = calling(WEATHER)
    memory.user_said("And?")
    memory.tool_answered("a", "no such city", is_error=True)
    assert told(memory)[-1] == system("The result of weather failed: no such city")


def test_a_result_of_an_unknown_call_is_told_all_the_same() -> None:
    """It names no tool, because none is known."""
    memory = Memory()
    memory.tool_answered("z", "42", is_error=False)
    assert told(memory) == (system("The result of a tool is known now: 42"),)


def test_a_reply_is_cut_to_what_was_heard_of_it() -> None:
    """Its calls stay: they were made, whatever was heard."""
    memory = calling(WEATHER, text="Let me")
    assert told(memory)[1] == agent("Let me", WEATHER)


def test_a_prompt_does_not_change_what_is_remembered() -> None:
    """Asked twice, it is the same; and what was given away does not change later."""
    memory = calling(WEATHER)
    before = told(memory)
    assert told(memory) == before
    memory.tool_answered("a", "sun", is_error=False)
    memory.agent_said(1, "Let me")
    assert before[1] == agent("Let me see.", WEATHER)
    assert before[2] == result("a", PENDING)
