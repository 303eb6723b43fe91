"""The provider: how a reply is streamed, and that nothing makes it fail."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from antiphon_providers.interfaces import (
    LanguageModel,
    Message,
    Prompt,
    Said,
    Spent,
    ToolSpec,
    ToolUse,
)
from antiphon_providers.local.dialogue import Dialogue, DialogueOptions
from antiphon_providers.local.dialogue.schema import objection
from antiphon_providers.local.dialogue.spoken_numbers import numerals
from antiphon_providers.local.dialogue.words import clean
from providers.local.dialogue.talking import BOOK, HOTEL, NOW, WEATHER, Caller, replied


def user(text: str) -> Message:
    """A message of the caller."""
    return Message(role="user", content=text)


async def test_a_reply_is_words_with_their_spaces_and_ends_with_its_cost() -> None:
    """Joined, the pieces are the sentence; the last part is the number of words."""
    agent = Dialogue(clock=lambda: NOW)
    parts = [part async for part in agent.reply(Prompt((user("what time is it"),)))]
    assert [part.text for part in parts if isinstance(part, Said)] == ["It's", " 3:05", " PM."]
    assert parts[-1] == Spent(prompt_tokens=4, completion_tokens=3)


async def test_other_tasks_run_between_the_words() -> None:
    """A reply gives way after each word, so it cannot hold up the audio of other calls."""
    turns = 0
    done = asyncio.Event()

    async def others() -> None:
        nonlocal turns
        while not done.is_set():
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    parts = [p async for p in Dialogue(clock=lambda: NOW).reply(Prompt((user("count to ten"),)))]
    done.set()
    await task
    assert turns >= len(parts) - 1


async def test_a_reply_can_be_cancelled_after_any_word() -> None:
    """Closing the iteration is all it takes to interrupt."""
    reply = Dialogue(clock=lambda: NOW).reply(Prompt((user("count to ten"),)))
    assert isinstance(await anext(reply), Said)
    await reply.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(reply)


async def test_a_delayed_reply_is_cancelled_while_it_waits() -> None:
    """A task that waits for a slow word ends at once when it is cancelled."""
    agent = Dialogue(DialogueOptions(token_delay_ms=1_000))
    reply = agent.reply(Prompt((user("hello"),)))
    task = asyncio.ensure_future(anext(reply))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_options_out_of_range_are_refused() -> None:
    """A delay below zero, above a second, or an unknown option is no configuration."""
    for wrong in ({"token_delay_ms": -1}, {"token_delay_ms": 1_001}, {"temperature": 1}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, DialogueOptions)


async def test_the_provider_starts_closes_and_has_a_name() -> None:
    """It has the shape of every provider, and its clock is the local one unless given."""
    agent: LanguageModel = Dialogue()
    await agent.start()
    parts = [part async for part in agent.reply(Prompt((user("what year is it"),)))]
    await agent.close()
    year = "".join(part.text for part in parts if isinstance(part, Said))
    assert agent.name == "dialogue"
    assert str(datetime.now(UTC).year)[:3] in year


async def test_a_call_identifier_has_the_shape_of_the_protocol_and_is_unique() -> None:
    """``chatcmpl-tool-`` and 16 hexadecimal digits, another for each call."""
    prompt = Prompt((user("what is the weather in Paris"),), (WEATHER,), "call")
    uses = [(await replied(prompt)).uses[0] for _ in range(3)]
    assert all(re.fullmatch(r"chatcmpl-tool-[0-9a-f]{16}", use.call_id) for use in uses)
    assert len({use.call_id for use in uses}) == 3


async def test_two_agents_continue_one_conversation_alike() -> None:
    """Half-answered questions are in the history, not in the process."""
    caller = Caller(tools=(BOOK,))
    for line in ("book a table for four", "tomorrow", "at 7 pm"):
        await caller.says(line)
    prompt = Prompt((*caller.messages, user("Sam")), caller.tools, "call")
    one, two = await replied(prompt), await replied(prompt)
    assert one.uses[0].arguments == two.uses[0].arguments
    assert one.uses[0].arguments["people"] == 4


async def test_history_cut_to_what_was_heard_still_leads_to_the_call() -> None:
    """Answers interrupted in the middle, or never heard, do not lose what the caller said."""
    caller = Caller(tools=(BOOK,))
    for line in ("book a table for four", "tomorrow", "at 7 pm"):
        await caller.says(line)
    cut = [
        msgspec.structs.replace(message, content=message.content[:4])
        for message in caller.messages
        if message.role == "user" or message.content.startswith("Sure")
    ]
    spoken = [m if m.role != "user" else o for m, o in zip(cut, cut, strict=True)]
    originals = iter(m for m in caller.messages if m.role == "user")
    history = [next(originals) if m.role == "user" else m for m in spoken]
    heard = await replied(Prompt((*history, user("Sam")), caller.tools))
    assert [use.arguments["name"] for use in heard.uses] == ["Sam"]


async def test_a_result_is_spoken_and_its_call_is_not_made_again() -> None:
    """After the result the agent speaks; thanks do not call again, a new request does."""
    caller = Caller(tools=(WEATHER,), results={"get_weather": "It is sunny."})
    assert await caller.says("what is the weather in Paris") == "It is sunny."
    await caller.says("thanks")
    assert len(caller.used) == 1
    await caller.says("what is the weather in Paris")
    assert len(caller.used) == 2


async def test_a_call_whose_result_is_missing_is_not_made_twice() -> None:
    """Asked again while the tool works, the agent says that it waits."""
    asked = user("what is the weather in Paris")
    use = ToolUse("chatcmpl-tool-0000000000000000", "get_weather", {"city": "Paris"})
    called = Message(role="assistant", tool_uses=(use,))
    heard = await replied(Prompt((asked, called, asked), (WEATHER,)))
    assert not heard.uses
    assert "waiting" in heard.text


async def test_several_results_are_answered_together() -> None:
    """One reply tells both, the failed one with its reason."""
    messages = (
        user("do it"),
        Message(role="tool", content="The lamp is on.", call_id="1"),
        Message(role="tool", content="no connection", call_id="2", is_error=True),
    )
    heard = await replied(Prompt(messages))
    assert heard.text == "The lamp is on. I'm sorry, that didn't work: no connection."


async def test_an_agent_that_speaks_first_introduces_itself_once() -> None:
    """Without a caller's word there is an opener; after a greeting it is not repeated."""
    rules = Message(role="system", content=HOTEL)
    first = await replied(Prompt((rules,)))
    second = await replied(Prompt((rules, Message(role="assistant", content=first.text))))
    assert "Ada, the receptionist" in first.text
    assert "Ada" not in second.text
    assert (await replied(Prompt(()))).text


async def test_a_late_system_message_counts_as_a_fact() -> None:
    """What ``conversation.message`` adds can be asked for."""
    note = Message(role="system", content="The pool is closed until Monday.")
    messages = (Message(role="system", content=HOTEL), note, user("is the pool open"))
    assert "closed until Monday" in (await replied(Prompt(messages))).text


async def test_an_instruction_can_ask_for_a_tool_but_gives_it_no_values() -> None:
    """Values come from the caller: what only the instruction says is asked for."""
    order = Message(role="system", content="Call the get_weather tool for Berlin.")
    heard = await replied(Prompt((user("hello"), Message(role="assistant", content="Hi"), order),
                                 (WEATHER,)))  # fmt: skip
    assert not heard.uses
    assert "Which city?" in heard.text
    told = (user("I live in Rome"), Message(role="assistant", content="Nice."), order)
    assert (await replied(Prompt(told, (WEATHER,)))).uses[0].arguments == {"city": "Rome"}


async def test_a_question_an_instruction_asked_is_understood_when_it_is_answered() -> None:
    """The instruction is gone from the history by then; the agent's own question is not."""
    asked = Message(role="assistant", content="Sure. Which city?")
    heard = await replied(Prompt((asked, user("Berlin")), (WEATHER,)))
    assert heard.uses[0].arguments == {"city": "Berlin"}


async def test_a_schema_that_cannot_be_filled_by_voice_is_declined_politely() -> None:
    """A required reference, or nesting without end, is said to be impossible and not called."""
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(50):
        deep = {"type": "object", "properties": {"part": deep}, "required": ["part"]}
    reference = {"type": "object", "properties": {"x": {"$ref": "#"}}, "required": ["x"]}
    for parameters in (deep, reference):
        tool = ToolSpec("launch_rocket", "Launch a rocket", parameters)
        heard = await replied(Prompt((user("launch the rocket"),), (tool,)))
        assert not heard.uses
        assert "can't launch a rocket" in heard.text


# --- whatever comes ------------------------------------------------------------------------

_WORDS = st.sampled_from(
    [
        "hello",
        "book",
        "a",
        "table",
        "for",
        "four",
        "five",
        "people",
        "tomorrow",
        "at",
        "seven",
        "pm",
        "my",
        "name",
        "is",
        "Sam",
        "no",
        "yes",
        "what",
        "the",
        "order",
        "number",
        "AB12",
        "cancel",
        "never",
        "mind",
        "in",
        "Paris",
        "small",
        "red",
        "and",
        "blue",
        "3",
        "42",
        "sam",
        "at",
        "example",
        "dot",
        "com",
        "say",
        "tell",
        "ask",
        "them",
        "count",
        "spell",
        "remember",
        "that",
    ]
)
_SPEECH = st.one_of(
    st.lists(_WORDS, max_size=12).map(" ".join), st.text(max_size=60), st.just("x" * 5_000)
)
_JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_LEAF = st.one_of(
    st.just({"type": "string"}),
    st.just({"type": "boolean"}),
    st.builds(lambda low: {"type": "integer", "minimum": low}, st.integers(-5, 60)),
    st.builds(lambda most: {"type": "number", "maximum": most}, st.floats(-5, 60)),
    st.sampled_from([{"enum": ["small", "red", 3]}, {"const": "fixed"}, {"$ref": "#"}, False]),
    st.sampled_from([{"type": "string", "format": f} for f in ("date", "time", "email")]),
    st.sampled_from([{"pattern": p} for p in ("(a+)+$", "[", "\\d{2}", "(?=x)", "a|b", "(")]),
    st.just({"type": "array", "items": {"type": "string"}, "minItems": 2}),
    st.just({"type": ["integer", "null"]}),
    st.just({"anyOf": [{"type": "null"}, {"type": "integer"}]}),
)
_NAMES = st.sampled_from(["name", "size", "city", "order_id", "count", "note", "when", "x", ""])


def _object(parts: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda properties, required: {
            "type": "object",
            "properties": properties,
            "required": required,
        },
        st.dictionaries(_NAMES, parts, max_size=3),
        st.lists(_NAMES, max_size=2),
    )


_SCHEMA = st.one_of(
    _object(st.one_of(_LEAF, _object(_LEAF))),
    st.dictionaries(
        st.sampled_from(["type", "properties", "required", "enum", "items", "anyOf", "minimum",
                         "pattern", "format", "description", "const", "examples", "maxLength"]),
        _JSON, max_size=5,
    ),
)  # fmt: skip
_TOOL = st.builds(
    ToolSpec,
    st.one_of(st.sampled_from(["book_table", "cancel_order", "say", "count"]), st.text(max_size=9)),
    st.one_of(st.just("Book a table in Paris"), st.text(max_size=30)),
    _SCHEMA,
)
_MESSAGE = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant", "tool", "user"]),
    content=st.one_of(_SPEECH, _JSON.map(lambda value: msgspec.json.encode(value).decode())),
    tool_uses=st.one_of(
        st.just(()), st.just((ToolUse("c", "book_table", {}),))
    ),
    call_id=st.one_of(st.none(), st.just("c")),
    is_error=st.booleans(),
)  # fmt: skip


def _leaves(value: Any) -> list[Any]:
    parts = value.values() if isinstance(value, dict) else value
    if not isinstance(value, (dict, list)):
        return [value]
    return [leaf for part in parts for leaf in _leaves(part)]


def _grounded(leaf: Any, heard: str) -> bool:
    """Whether a text or number was said, letter for letter but for case, spaces and signs."""
    if isinstance(leaf, bool) or leaf is None or leaf == "fixed":
        return True
    if isinstance(leaf, str) and re.fullmatch(r"\d{4}-\d\d-\d\d|\d\d:\d\d(:00)?", leaf):
        return True
    letters = re.sub(r"[\W_]+", "", f"{leaf}".lower().removesuffix(".0"))
    small = not letters or letters in {"1", "2", "12"}
    signs = heard.replace(" at ", "").replace(" dot ", "")
    spoken = f"{heard} {numerals(heard)} {signs}".lower()
    return small or letters in re.sub(r"[\W_]+", "", spoken)


def _assert_valid(use: ToolUse, used: ToolSpec, told: str) -> None:
    assert objection(use.arguments, used.parameters) is None
    assert all(_grounded(leaf, told) for leaf in _leaves(use.arguments)), use.arguments


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_MESSAGE, max_size=8), st.lists(_TOOL, max_size=3))
async def test_whatever_comes_something_is_said_or_a_valid_call_is_made(
    messages: list[Message], tools: list[ToolSpec]
) -> None:
    """No message and no schema makes a reply fail or empty; calls are valid and were said."""
    heard = await replied(Prompt(tuple(messages), tuple(tools), "call"))
    assert heard.text.strip() or heard.uses
    assert len(heard.spent) == 1
    told = " ".join(clean(m.content) for m in messages if m.role == "user")
    for use in heard.uses:
        used = next(tool for tool in tools if tool.name == use.name)
        _assert_valid(use, used, told)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(_WORDS, min_size=1, max_size=5).map(" ".join), max_size=6), _SCHEMA)
async def test_whatever_is_answered_a_call_has_valid_arguments_that_were_said(
    answers: list[str], parameters: dict[str, Any]
) -> None:
    """A request filled with any answers under any schema is called right or not at all."""
    table = ToolSpec("book_table", "Book a table", parameters)
    lines = ["book a table", *answers]
    for count in range(1, len(lines) + 1):
        told = tuple(user(line) for line in lines[:count])
        heard = await replied(Prompt(told, (table,), "call"))
        assert heard.text.strip() or heard.uses
        for use in heard.uses:
            _assert_valid(use, table, " ".join(lines[:count]))


@settings(max_examples=60, deadline=None)
@example("\ud800\udfff\x00", "user")
@given(st.text(max_size=200), st.sampled_from(["user", "system", "tool", "assistant"]))
async def test_any_text_in_any_role_is_answered(text: str, role: Any) -> None:
    """Odd characters in any place lead to words or silence, never to an exception."""
    heard = await replied(Prompt((Message(role=role, content=text),), (), text))
    assert heard.text.strip()
