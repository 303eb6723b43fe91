"""Which tool an utterance asks for."""

from __future__ import annotations

import pytest

from antiphon_providers.interfaces import ToolSpec
from antiphon_providers.local.dialogue.choosing import Catalogue, phrase
from providers.local.dialogue.talking import (
    BOOK,
    CANCEL,
    END,
    HUMAN,
    LIGHT,
    PIZZA,
    SEARCH,
    STATUS,
    WEATHER,
)

SHOP = Catalogue((WEATHER, BOOK, STATUS, CANCEL, END, HUMAN, LIGHT, SEARCH))


def nothing_told(_text: str) -> float:
    """A system prompt that answers nothing."""
    return 0.0


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("what is the weather like in Paris", "get_weather"),
        ("is it going to rain, what's the forecast", "get_weather"),
        ("I'd like to make a reservation for a table", "book_table"),
        ("can you cancel my order", "cancel_order"),
        ("where is my order", "order_status"),
        ("goodbye", "end_call"),
        ("let me talk to a human", "transfer_to_human"),
        ("turn on the kitchen light", "set_light"),
        ("search for blue shoes", "search"),
    ],
)
def test_an_utterance_means_the_tool_it_speaks_of(said: str, name: str) -> None:
    """By the tool's name, its description, its values and their synonyms."""
    wanted = SHOP.meant(said, nothing_told)
    assert wanted.clear
    assert wanted.tools[0].name == name


@pytest.mark.parametrize(
    "said", ["", "hello", "who are you", "what is your name", "my name is Sam", "7", "the a of"]
)
def test_small_talk_means_no_tool(said: str) -> None:
    """What is about the agent or the caller is no request."""
    assert (
        not Catalogue((ToolSpec("record_name", "Record your name"), WEATHER))
        .meant(said, nothing_told)
        .tools
    )


def test_two_close_tools_are_both_offered() -> None:
    """The agent asks rather than guesses."""
    wanted = Catalogue((STATUS, CANCEL)).meant("my order please", nothing_told)
    assert {tool.name for tool in wanted.tools} >= {"order_status"}


def test_what_the_system_prompt_answers_better_is_no_request() -> None:
    """A question about breakfast time is not for a clock."""
    clock = Catalogue((ToolSpec("get_time", "Tells the current time"),))
    assert clock.meant("what time is breakfast", nothing_told).tools
    assert not clock.meant("what time is breakfast", lambda _: 1.0).tools


def test_a_tool_is_spoken_of_by_what_it_does() -> None:
    """In the infinitive, to the caller, without its conditions."""
    said = [phrase(tool) for tool in (STATUS, HUMAN, END, PIZZA, ToolSpec("send_sms"))]
    assert said == [
        "look up the status of an order",
        "transfer you to a human agent",
        "end the call",
        "order a pizza",
        "send sms",
    ]


def test_no_tools_and_nameless_tools_do_no_harm() -> None:
    """An empty catalogue means nothing; a tool without words can be spoken of all the same."""
    assert not Catalogue(()).meant("anything", nothing_told).tools
    assert phrase(ToolSpec("", "")) == "do that"
