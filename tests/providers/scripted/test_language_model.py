"""A language model that says what it is told to, when it is told to."""

import asyncio
from contextlib import aclosing

import pytest

from antiphon_providers import registry
from antiphon_providers.errors import Malformed, Refused, Unavailable
from antiphon_providers.interfaces import (
    LanguageModel,
    Message,
    Piece,
    Prompt,
    Said,
    Spent,
    ToolSpec,
    ToolUse,
    Used,
)
from antiphon_providers.scripted import Fault, ScriptedLanguageModel
from antiphon_providers.scripted.language_model import LanguageModelScript, said
from virtual_time import in_virtual_time


def asking(words: str, *tools: str) -> Prompt:
    """A prompt in which the user says this."""
    messages = (Message(role="system", content="be kind"), Message(role="user", content=words))
    return Prompt(messages, tuple(ToolSpec(name) for name in tools))


async def reply_of(model: LanguageModel, prompt: Prompt) -> list[Piece]:
    """The whole reply."""
    return [piece async for piece in model.reply(prompt)]


def text_of(pieces: list[Piece]) -> str:
    """What it says."""
    return "".join(piece.text for piece in pieces if isinstance(piece, Said))


async def test_it_echoes_when_nothing_else_is_said() -> None:
    """Word by word, with its cost in words last."""
    pieces = await reply_of(ScriptedLanguageModel(), asking("two words"))
    assert text_of(pieces) == "You said: two words"
    assert pieces[:2] == [Said("You"), Said(" said:")]
    assert pieces[-1] == Spent(4, 4)


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ((), "Hello."),
        ((Message(role="system", content="x"),), "Hello."),
        ((Message(role="user"),), "You said nothing."),
        (
            (Message(role="user", content="a"), Message(role="assistant", content="b")),
            "You said: a",
        ),
        ((Message(role="tool", content="rain", call_id="c"),), "The tool says: rain"),
    ],
)
async def test_it_has_a_word_for_each_kind_of_prompt(
    messages: tuple[Message, ...], words: str
) -> None:
    """A greeting, nothing said, the last user's words, a tool's result."""
    assert text_of(await reply_of(ScriptedLanguageModel(), Prompt(messages))) == words


async def test_replies_come_in_turn_over_and_over() -> None:
    """White space within them is kept."""
    model = ScriptedLanguageModel(LanguageModelScript(replies="One.  Two. | Three."))
    replies = [text_of(await reply_of(model, asking("x"))) for _ in range(3)]
    assert replies == ["One.  Two.", "Three.", "One.  Two."]


async def test_a_tool_is_called_when_it_is_offered_and_the_user_spoke() -> None:
    """Its result is answered with words; a prompt without the tool too."""
    script = LanguageModelScript(tool="find", tool_arguments='{"x": 1}')
    model = ScriptedLanguageModel(script)
    first = await reply_of(model, asking("x", "find"))
    assert first[0] == Used(ToolUse("call_1", "find", {"x": 1}))
    result = Message(role="tool", content="found", call_id="call_1")
    after = Prompt((*asking("x").messages, result), (ToolSpec("find"),))
    assert text_of(await reply_of(model, after)) == "The tool says: found"
    assert text_of(await reply_of(model, asking("x", "other"))) == "You said: x"


@in_virtual_time
async def test_each_piece_comes_at_its_time() -> None:
    """The first after its delay, the others at their pace; a lagging consumer is not waited for."""
    loop = asyncio.get_running_loop()
    script = LanguageModelScript(replies="a b c", first_token_ms=300, per_token_ms=20)
    model = ScriptedLanguageModel(script)
    times = [round(loop.time(), 3) async for _ in model.reply(asking("x"))]
    assert times == [0.3, 0.32, 0.34, 0.36]
    began = loop.time()
    async with aclosing(model.reply(asking("x"))) as reply:
        await anext(reply)
        await asyncio.sleep(10)
        assert [piece async for piece in reply][:2] == [Said(" b"), Said(" c")]
    assert loop.time() - began == pytest.approx(10.3)


async def test_a_callable_may_answer() -> None:
    """With any pieces, from the prompt; nothing is added to them."""
    model = ScriptedLanguageModel(answer=lambda prompt: said(prompt.messages[-1].content * 2))
    assert await reply_of(model, asking("a b")) == [Said("a"), Said(" ba"), Said(" b")]
    assert [prompt.messages[-1].content for prompt in model.prompts] == ["a b"]


def test_a_text_is_cut_into_words_and_nothing_is_lost() -> None:
    """Leading and trailing white space belongs to a word, as models stream it."""
    text = "  One,  two\nthree. "
    assert "".join(piece.text for piece in said(text)) == text
    assert said("") == []


@in_virtual_time
async def test_it_fails_as_told() -> None:
    """At open at once; at the first word when that is due; later after what was said; empty."""
    loop = asyncio.get_running_loop()
    model = ScriptedLanguageModel(LanguageModelScript(replies="a b", first_token_ms=100))
    heard: list[Piece] = []

    async def listen() -> None:
        async for piece in model.reply(asking("x")):
            heard.append(piece)  # noqa: PERF401 - what came before the error must be kept

    model.desk.fault = Fault.parse("refused at open")
    with pytest.raises(Refused):
        await listen()
    assert loop.time() == 0
    model.desk.fault = Fault.parse("unavailable")
    with pytest.raises(Unavailable):
        await listen()
    assert loop.time() == pytest.approx(0.1)
    assert not heard
    model.desk.fault = Fault.parse("malformed after 2")
    with pytest.raises(Malformed):
        await listen()
    assert heard == [Said("a"), Said(" b")]
    model.desk.fault = Fault.parse("empty")
    assert await reply_of(model, asking("x")) == []
    assert (model.desk.opened, model.desk.active) == (4, 0)


@in_virtual_time
async def test_a_reply_can_be_cancelled_put_down_and_closed_upon() -> None:
    """Each ends it at once, and it is counted as ended."""
    model = ScriptedLanguageModel(LanguageModelScript(replies="a b", fault="stall after 1"))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await reply_of(model, asking("x"))
    assert model.desk.active == 0
    async with aclosing(model.reply(asking("x"))) as reply:
        await anext(reply)
    assert model.desk.active == 0
    running = asyncio.create_task(reply_of(model, asking("x")))
    await asyncio.sleep(1)
    await model.close()
    assert await running == [Said("a")]


def test_options_come_from_text() -> None:
    """And those that cannot be are refused."""
    model = registry.create("language_model", "scripted", {"first_token_ms": "12.5"})
    assert model.options.first_token_ms == 12.5
    for wrong in ({"tool_arguments": "[1]"}, {"tool_arguments": "{"}, {"per_token_ms": "-1"}):
        with pytest.raises(Refused):
            registry.create("language_model", "scripted", wrong)
