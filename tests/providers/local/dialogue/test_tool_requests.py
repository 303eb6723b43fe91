"""Requests replayed from the conversation."""

from __future__ import annotations

from antiphon_providers.interfaces import Message, Prompt, ToolSpec, ToolUse
from antiphon_providers.local.dialogue.conversation import conversation_of
from antiphon_providers.local.dialogue.tool_requests import Request, Standing, standing
from providers.local.dialogue.talking import BOOK, CANCEL, NOW, STATUS, WEATHER


def after(*lines: str | Message, tools: tuple[ToolSpec, ...] = (BOOK, WEATHER)) -> Standing:
    """Where a conversation stands; plain lines are the caller's."""
    messages = tuple(
        line if isinstance(line, Message) else Message(role="user", content=line) for line in lines
    )
    return standing(conversation_of(Prompt(messages, tools), NOW))


def missing(state: Standing) -> str:
    """The field that is asked for next."""
    assert state.request is not None
    assert state.request.missing is not None
    return state.request.missing.path[-1]


def test_a_request_opens_fills_and_is_called() -> None:
    """Each answer goes to the field that was asked for."""
    assert missing(after("book a table")) == "people"
    assert missing(after("book a table", "four")) == "date"
    done = after("book a table", "four", "tomorrow", "at 7 pm", "Sam")
    assert done.move == "call"
    assert done.called is not None
    assert done.called.arguments == {
        "people": 4, "date": "2026-11-23", "time": "19:00", "name": "Sam",
    }  # fmt: skip


def test_an_answer_may_give_more_than_was_asked() -> None:
    """What else it says is kept for the other fields."""
    assert missing(after("book a table", "four people tomorrow at 7 pm")) == "name"


def test_a_wrong_answer_is_asked_again_with_a_reason() -> None:
    """The complaint says what was expected, the request stays."""
    state = after("book a table", "fifty")
    assert (state.move, state.complaint, missing(state)) == ("ask", "at most 10", "people")
    assert after("book a table", "").complaint == "an answer"


def test_a_caller_may_change_their_mind() -> None:
    """``never mind`` drops the request, and what follows is not its answer."""
    assert after("book a table", "never mind").move == "drop"
    assert after("book a table", "never mind", "four").move == "aside"


def test_a_caller_may_correct_a_value() -> None:
    """While it is filled, and after it was called."""
    state = after("book a table", "four", "no, make it five", "tomorrow")
    assert state.request is not None
    assert state.request.values[("people",)] == 5
    use = ToolUse("c", "get_weather", {"city": "Rome"})
    called = (Message(role="assistant", tool_uses=(use,)), Message(role="tool", content="Sunny."))
    again = after("the weather in Rome", *called, "no, I said Lyon")
    assert again.called is not None
    assert again.called.arguments == {"city": "Lyon"}


def test_another_tool_takes_the_place_of_an_open_request() -> None:
    """Who asks for the weather while booking wants the weather."""
    state = after("book a table", "what is the weather in Rome")
    assert state.move == "call"
    assert state.called is not None
    assert state.called.tool.name == "get_weather"


def test_an_offer_is_taken_by_yes_by_name_or_by_place() -> None:
    """And dropped by no."""
    offered = after("my order please", tools=(STATUS, CANCEL))
    assert offered.move == "offer"
    for answer in ("cancel it", "cancel the order"):
        state = after("my order please", answer, tools=(STATUS, CANCEL))
        assert state.request is None or state.request.tool.name == "cancel_order"
    assert after("my order please", "no", tools=(STATUS, CANCEL)).move == "drop"


def test_empty_required_objects_are_part_of_the_arguments() -> None:
    """A required object in which nothing is required is sent empty."""
    schema = {"properties": {"options": {"type": "object"}}, "required": ["options"]}
    assert Request(ToolSpec("go", "", schema), {}).arguments == {"options": {}}


def test_without_tools_nothing_stands() -> None:
    """There is nothing to replay."""
    assert after("book a table", tools=()) == Standing()
