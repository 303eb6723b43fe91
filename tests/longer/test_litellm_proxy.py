"""The OpenAI adapter, and Anthropic's, through a LiteLLM proxy before aimock and llama.cpp."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio

import aimock as mock
from aimock import aimock, fixture
from antiphon_providers.anthropic import Anthropic, AnthropicOptions
from antiphon_providers.errors import ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import Message, Prompt, Said, Spent, ToolSpec, Used
from antiphon_providers.openai import OpenAI, OpenAIOptions
from longer import llama as computed
from longer.litellm_proxy import KEY, litellm, upstream
from longer.llama import llama
from openai_peer import asking

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELLO = "Hello! How can I help you today?"
ENDLESS = "Hello there, how can I help you today?"
WEATHER = {"name": "get_weather", "arguments": {"city": "Zürich", "days": 2}}
TIME = {"name": "get_time", "arguments": {}}
TOOLS = (ToolSpec("get_weather", "Weather."), ToolSpec("get_time", "Time."))
BUSY = {"message": "Rate limited", "type": "rate_limit_error", "code": "rate_limit_exceeded"}
ANSWERS = (
    {"match": {"hasToolResult": True}, "response": {"content": "It rains."}},
    fixture(
        "hello",
        {"content": HELLO, "usage": {"prompt_tokens": 11, "completion_tokens": 9}},
    ),
    fixture("weather", {"toolCalls": [WEATHER, TIME]}),
    fixture("busy", {"error": BUSY, "status": 429}),
    fixture("broken", {"error": {"message": "no"}, "status": 500}),
    fixture("cut", {"content": HELLO}, truncateAfterChunks=2),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A proxy in front of answers that are known, twice, once with a wrong key, and of a model
    that computes without end.
    """
    folder = tmp_path_factory.mktemp("litellm")
    with llama(folder, ENDLESS, "endless") as endless:
        async with (
            aimock(folder, *ANSWERS) as known,
            litellm(
                folder,
                upstream("gpt-4o", f"{known}/v1", mock.KEY),
                upstream("gpt-4o-mini", f"{known}/v1", "sk-wrong"),
                upstream("endless", endless, computed.KEY),
            ) as proxy,
        ):
            yield proxy


@asynccontextmanager
async def model_at(url: str, **options: Any) -> AsyncIterator[OpenAI]:
    """An adapter for the proxy, started."""
    model = OpenAI(OpenAIOptions(**{"model": "gpt-4o", "base_url": url, "api_key": KEY, **options}))
    try:
        await model.start()
        yield model
    finally:
        await model.close()


async def words_of(model: OpenAI, prompt: Prompt) -> str:
    """What a reply says."""
    return "".join([piece.text async for piece in model.reply(prompt) if isinstance(piece, Said)])


async def failure(url: str, words: str = "hello", **options: Any) -> ProviderError:
    """What asking raises; it names the adapter and keeps the proxy's key to itself."""
    async with model_at(url, **options) as model:
        with pytest.raises(ProviderError) as raised:
            await words_of(model, asking(words))
    error = raised.value
    assert error.provider == "openai"
    assert options.get("api_key", KEY) not in repr(error)
    return error


async def test_text_streams_with_its_cost(url: str) -> None:
    """In several pieces, whole, and the tokens last."""
    async with model_at(url) as model:
        *said, spent = [piece async for piece in model.reply(asking("hello"))]
    assert len(said) > 1
    assert "".join(piece.text for piece in said if isinstance(piece, Said)) == HELLO
    assert spent == Spent(11, 9)


async def test_a_tool_is_called_and_its_result_is_answered(url: str) -> None:
    """Two calls at once, then the reply to their results."""
    async with model_at(url) as model:
        asked = asking("weather?").messages
        pieces = [piece async for piece in model.reply(Prompt(asked, TOOLS))]
        uses = tuple(piece.use for piece in pieces if isinstance(piece, Used))
        assert [(use.name, use.arguments) for use in uses] == [
            ("get_weather", WEATHER["arguments"]),
            ("get_time", {}),
        ]
        assert isinstance(pieces[-1], Spent)
        results = [Message(role="tool", content="ok", call_id=use.call_id) for use in uses]
        told = (*asked, Message(role="assistant", tool_uses=uses), *results)
        assert await words_of(model, Prompt(told, TOOLS)) == "It rains."


async def test_a_wrong_key_is_refused_at_the_first_reply(url: str) -> None:
    """A proxy without a database looks for a key that it does not know in the database, and
    answers 400 and not 401, to the list of models too: the start does not find it.
    """
    error = await failure(url, api_key="sk-stranger")
    assert isinstance(error, Refused)
    assert error.status_code == 400


async def test_a_wrong_key_of_the_proxys_own_is_refused(url: str) -> None:
    """What the endpoint behind it says reaches the caller, as a 401."""
    error = await failure(url, model="gpt-4o-mini")
    assert isinstance(error, Refused)
    assert error.status_code == 401
    assert "Invalid API key" in str(error)


async def test_anthropics_wire_is_spoken_too(url: str) -> None:
    """The proxy translates it for an endpoint that is asked in the other: words, cost, tools."""
    base_url = url.removesuffix("/v1")
    options = AnthropicOptions(model="gpt-4o", base_url=base_url, api_key=KEY, bearer=True)
    model = Anthropic(options)
    try:
        await model.start()
        pieces = [piece async for piece in model.reply(asking("hello"))]
        assert "".join(piece.text for piece in pieces if isinstance(piece, Said)) == HELLO
        assert pieces[-1] == Spent(11, 9)
        prompt = Prompt(asking("weather?").messages, TOOLS)
        uses = [piece.use async for piece in model.reply(prompt) if isinstance(piece, Used)]
    finally:
        await model.close()
    assert [(use.name, use.arguments) for use in uses] == [
        ("get_weather", WEATHER["arguments"]),
        ("get_time", {}),
    ]


async def test_an_unknown_model_is_refused(url: str) -> None:
    """In the proxy's words, which name it."""
    error = await failure(url, model="nobody")
    assert isinstance(error, Refused)
    assert error.status_code == 400
    assert "model=nobody" in str(error)


@pytest.mark.parametrize(
    ("words", "kind", "status"),
    [
        ("busy", Unavailable, 429),
        ("broken", Unavailable, 500),
        ("cut", Unavailable, 500),
        ("what nobody knows", Refused, 404),
    ],
)
async def test_a_failure_behind_the_proxy_is_what_it_means(
    url: str, words: str, kind: type[ProviderError], status: int | None
) -> None:
    """Overload, crash, a reply that breaks off, which the proxy calls a 500, and an unknown
    request.
    """
    error = await failure(url, words)
    assert (type(error), error.status_code) == (kind, status)


async def test_a_cancelled_reply_frees_the_model_behind_the_proxy(url: str) -> None:
    """It answers one at a time: nobody else while the reply runs, and the next one afterwards."""
    options = {"model": "endless"}
    async with (
        model_at(url, **options) as model,
        model_at(url, first_token_ms=2000, **options) as hasty,
    ):
        reply = model.reply(asking("hello"))
        assert await anext(reply) == Said("Hello")
        with pytest.raises(TooSlow):
            await words_of(hasty, asking("hello"))
        read = asyncio.Event()

        async def listen() -> None:
            async for _ in reply:
                read.set()

        listener = asyncio.create_task(listen())
        await read.wait()
        listener.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listener
        async with aclosing(model.reply(asking("hello"))) as again:
            assert await anext(again) == Said("Hello")
