"""The specification of the embedded agent: conversations, line by line.

Each line is what the caller says and what the answer must contain (``|`` separates
alternatives, in any capitals). A line that begins with ``!`` is a ``reply.create`` instruction.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import pytest

from antiphon_providers.interfaces import ToolSpec
from providers.local.dialogue.talking import (
    BOOK,
    CANCEL,
    END,
    HOTEL,
    HUMAN,
    LIGHT,
    PIZZA,
    SEARCH,
    STATUS,
    WEATHER,
    Caller,
)


class Talk(NamedTuple):
    """A conversation, and the tool calls it must come to."""

    title: str
    lines: tuple[tuple[str, str], ...]
    rules: str = ""
    tools: tuple[ToolSpec, ...] = ()
    results: dict[str, str] = {}  # noqa: RUF012  A NamedTuple's default is never changed.
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()


TALKS = (
    Talk(
        "hotel",
        (
            ("hello", "I'm Ada, the receptionist of Blue Door Hotel"),
            ("who are you", "Ada, the receptionist of Blue Door Hotel"),
            ("what's your name?", "Ada"),
            ("are you a real person", "rule-based program, not a language model"),
            ("which language model are you", "not a language model"),
            ("when are you open", "from 7 in the morning to 11 at night"),
            ("how much is breakfast", "12 euros"),
            ("where are you located", "12 Harbour Street"),
            ("can I bring my dog", "dogs are welcome"),
            ("is there parking", "parking is free"),
            ("when can I check in", "3 PM"),
            ("tell me about breakfast", "from 7 to 10"),
            ("do you have a helicopter", "helicopter"),
            ("thank you", "welcome|pleasure"),
            ("bye", "bye"),
        ),
        HOTEL,
    ),
    Talk(
        "small talk",
        (
            ("Hi there", "hello"),
            ("how are you", "thank"),
            ("can you hear me?", "hear you"),
            ("what can you do", "arithmetic"),
            ("tell me a joke", "?|joke|bear"),
            ("say that again", "I said:"),
            ("could you repeat that more slowly", "I said:"),
            ("sorry", "problem|all right"),
            ("hold on a second", "time|wait"),
            ("can I ask you a question", "sure|of course"),
            ("you are very funny", "thank|glad"),
            ("that is wrong", "sorry"),
            ("speak louder please", "volume"),
            ("stop", "stop|okay"),
            ("goodbye", "bye"),
        ),
    ),
    Talk(
        "arithmetic",
        (
            ("what is twelve times seven", "84"),
            ("What's 15% of 80?", "12"),
            ("15 percent of 80", "12"),
            ("square root of 144", "12"),
            ("half of 90", "45"),
            ("what's 3 plus 4 minus 2", "5"),
            ("ten divided by zero", "divide by zero"),
            ("what is 2.5 times 4", "10"),
            ("three point five plus one", "4.5"),
            ("how much is 7 divided by 3", "about 2.3333"),
            ("10 x 12", "120"),
            ("two to the power of ten", "1024"),
            ("100 minus 250", "minus 150"),
            ("the square root of minus 4", "no real"),
            ("a million times a billion times a billion", "too large"),
            ("what is the sum of 3 and 4", "7"),
        ),
    ),
    Talk(
        "time",
        (
            ("what time is it", "3:05 PM"),
            ("what day is it today", "Sunday, November 22nd"),
            ("what's the date tomorrow", "Monday, November 23rd"),
            ("how many days until Christmas", "33 days"),
            ("how long until friday", "5 days"),
            ("what year is it", "2026"),
            ("what month is it", "November"),
        ),
    ),
    Talk(
        "memory",
        (
            ("what is my name", "don't know your name"),
            ("my name is Sam", "Sam"),
            ("what's my name?", "Your name is Sam"),
            ("remember that the code is 4 5 2", "the code is 4 5 2"),
            ("what is the code", "4 5 2"),
            ("my favorite color is green", "green"),
            ("what is my favourite colour", "green"),
            ("what did I tell you", "Sam"),
            ("actually my favourite colour is blue", "blue"),
            ("what's my favorite color", "blue"),
            ("no, I said what is my name", "Sam"),
            ("who am I", "Sam"),
        ),
    ),
    Talk(
        "recital",
        (
            ("count to five", "1, 2, 3, 4, 5."),
            ("count down from three", "3, 2, 1."),
            ("spell necessary", "N, E, C, E, S, S, A, R, Y"),
            ("how do you spell cat", "C, A, T"),
            ("what day comes after Tuesday", "Wednesday"),
            ("which month is before March", "February"),
            ("days of the week", "Monday, Tuesday"),
            ("flip a coin", "heads|tails"),
            ("roll a die", "rolled a"),
            ("pick a number between 5 and 5", "5"),
        ),
    ),
    Talk(
        "nothing understood",
        (
            ("the quick brown fox jumps over the lazy dog and then goes home", '"the quick'),
            ("florble", '"florble'),
            ("why is the sky blue", "why is the sky blue"),
            ("why is the sky blue", "why is the sky blue"),
            ("", "catch|hear"),
            ("...", "catch|hear"),
        ),
    ),
    Talk(
        "weather",
        (
            ("what's the weather like in Paris", "temperature is 21 and conditions are sunny"),
            ("and in London?", "21"),
            ("no, I said Lyon", "21"),
            ("weather please", "which city?"),
            ("what time is it", "3:05 PM. Which city?"),
            ("Rome please", "21"),
            ("weather in new york tomorrow", "21"),
        ),
        tools=(WEATHER, BOOK),
        results={"get_weather": '{"temperature": 21, "conditions": "sunny"}'},
        calls=tuple(
            ("get_weather", {"city": city})
            for city in ("Paris", "London", "Lyon", "Rome", "new york")
        ),
    ),
    Talk(
        "booking, one thing at a time",
        (
            ("I'd like to book a table", "how many people?"),
            ("fifty", "at most 10"),
            ("um six people", "what date"),
            ("what are your opening hours", "from 5 to 11. What date"),
            ("Friday", "what time"),
            ("I don't know", "never mind"),
            ("actually make it four people", "what time"),
            ("half past seven", "name"),
            ("it's Sam", "booked for Sam"),
        ),
        rules="You are Gino of Luigi's. We serve dinner, our opening hours are from 5 to 11.",
        tools=(WEATHER, BOOK),
        results={"book_table": "Booked for Sam."},
        calls=(
            (
                "book_table",
                {"people": 4, "date": "2026-11-27", "time": "19:30", "name": "Sam"},
            ),
        ),
    ),
    Talk(
        "booking, all at once",
        (("book a table for four tomorrow at seven under the name Sam", "reference is BX12"),),
        tools=(BOOK,),
        results={"book_table": '{"ok": true, "reference": "BX12"}'},
        calls=(
            ("book_table", {"people": 4, "date": "2026-11-23", "time": "19:00", "name": "Sam"}),
        ),
    ),
    Talk(
        "a name that was told before",
        (
            ("my name is Maria", "Maria"),
            ("reserve a table for two on Friday at 6", "done"),
            ("actually make it five people", "done"),
        ),
        tools=(BOOK, WEATHER),
        calls=tuple(
            ("book_table", {"people": n, "date": "2026-11-27", "time": "18:00", "name": "Maria"})
            for n in (2, 5)
        ),
    ),
    Talk(
        "orders",
        (
            ("cancel my order please", "order number"),
            ("never mind", "won't cancel"),
            ("where is my order", "order number"),
            ("no idea", "never mind"),
            ("A B 1 2", "order number"),
            ("A B 1 2 3 4", "on its way"),
            ("cancel order AB1234", "sorry, that didn't work: order already shipped"),
            ("can I talk to a human", "done"),
            ("goodbye", "done"),
        ),
        tools=(STATUS, CANCEL, END, HUMAN),
        results={
            "order_status": "Your order is on its way.",
            "cancel_order": '{"error": "order_already_shipped"}',
        },
        calls=(
            ("order_status", {"order_id": "AB1234"}),
            ("cancel_order", {"order_id": "AB1234"}),
            ("transfer_to_human", {}),
            ("end_call", {}),
        ),
    ),
    Talk(
        "pizza",
        (
            ("I want to order a pizza", "small, medium or large"),
            ("huge", "one of small, medium or large"),
            ("the large one", "toppings"),
            ("ham and olives", "street"),
            ("12 Main Street", "zip code"),
            ("nine oh two", "zip code"),
            ("nine oh two one oh", "e-mail"),
            ("sam at example dot com", "gift"),
            ("no thanks", "done"),
        ),
        tools=(PIZZA,),
        calls=(
            (
                "order_pizza",
                {
                    "size": "large",
                    "toppings": ["ham", "olives"],
                    "address": {"street": "12 Main Street", "zip_code": "90210"},
                    "email": "sam@example.com",
                    "gift": False,
                },
            ),
        ),
    ),
    Talk(
        "lights and searches",
        (
            ("turn off the light in the bedroom", "done"),
            ("switch the lights on", "which room"),
            ("living room", "done"),
            ("search for blue shoes", "Blue shoes, price is 30"),
        ),
        tools=(LIGHT, SEARCH),
        results={"search": '[{"title": "Blue shoes", "price": 30}]'},
        calls=(
            ("set_light", {"room": "bedroom", "on": False}),
            ("set_light", {"room": "living_room", "on": True}),
            ("search", {"query": "blue shoes"}),
        ),
    ),
    Talk(
        "which of two tools",
        (
            ("my order please", "or to cancel|or to look up"),
            ("cancel it", "order number|won't"),
        ),
        tools=(STATUS, CANCEL),
    ),
    Talk(
        "instructions",
        (
            ("!Say hello to Maria", "Hello, Maria!"),
            ("!Tell the user that their table is ready", "Your table is ready."),
            ("!Ask the caller for their name", "May I have your name?"),
            ("!Greet the user and ask how you can help", "How can I help?"),
            ("!Apologise for the delay", "sorry about the delay"),
            ("!Thank the caller for waiting", "Thank you for waiting."),
            ('!Say exactly: "Your order has shipped."', "Your order has shipped."),
            ("!Ask whether they want breakfast", "Do you want breakfast?"),
            ("!Ask what time they would like to come", "What time would you like to come?"),
            ("!Remind them to bring their passport", "Please bring your passport."),
            ("!Tell them you will call them back", "I will call you back."),
            ("!Count to three", "1, 2, 3."),
            ("!Tell the user about breakfast", "12 euros"),
            ("!Spell the word cat", "C, A, T"),
            ("!Be brief. Ask if they need anything else.", "Do you need anything else?"),
            ("!Introduce yourself", "Ada, the receptionist"),
            ("!Welcome Maria to the hotel", "Welcome to the hotel, Maria!"),
            ("!The user's order number is 5521.", "Your order number is 5521."),
            ("I love trains", "trains|glad|thank"),
            ("!Summarise the conversation", "I love trains"),
            ("!Say goodbye", "Goodbye!"),
        ),
        HOTEL,
    ),
)


@pytest.mark.parametrize("talk", TALKS, ids=lambda talk: talk.title)
async def test_a_conversation_goes_as_it_is_written(talk: Talk) -> None:
    """Each line is answered with what the table says, and the tools are called with its values."""
    caller = Caller(talk.rules, talk.tools, talk.results)
    for line, expected in talk.lines:
        asks = line.startswith("!")
        answer = await (caller.listens(line[1:]) if asks else caller.says(line))
        wanted = expected.lower().split("|")
        assert any(one in answer.lower() for one in wanted), f"{line!r} was answered {answer!r}"
    if talk.calls:
        assert [(use.name, use.arguments) for use in caller.used] == list(talk.calls)


def test_the_table_is_long_enough_to_be_a_specification() -> None:
    """There are more than a hundred exchanges."""
    assert sum(len(talk.lines) for talk in TALKS) > 100


async def test_nothing_is_said_twice_in_a_row_to_the_same_riddle() -> None:
    """However often something is not understood, the answers follow each other differently."""
    caller = Caller()
    answers = [await caller.says("florble wibble") for _ in range(8)]
    assert all(one != two for one, two in pairwise(answers))
