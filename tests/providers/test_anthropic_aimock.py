"""The Anthropic adapter against aimock, a server that nobody here wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aimock import KEY, aimock, fixture
from antiphon_providers.anthropic import Anthropic, AnthropicOptions
from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import Message, Prompt, Said, Spent, ToolSpec, Used
from openai_peer import asking

HELLO = "Hello! How can I help you today?"
WEATHER = {"name": "get_weather", "arguments": {"city": "Zürich", "days": 2}}
TIME = {"name": "get_time", "arguments": {}}
TOOLS = (ToolSpec("get_weather", "Weather."), ToolSpec("get_time", "Time."))
BUSY = {"message": "Rate limited", "type": "rate_limit_error"}
OVERLOADED = {"message": "Overloaded", "type": "overloaded_error"}


@asynccontextmanager
async def model_at(url: str, **options: Any) -> AsyncIterator[Anthropic]:
    """An adapter for the server, started."""
    settings = {"model": "claude-haiku-4-5", "base_url": url, "api_key": KEY, **options}
    model = Anthropic(AnthropicOptions(**settings))
    try:
        await model.start()
        yield model
    finally:
        await model.close()


async def words_of(model: Anthropic, prompt: Prompt) -> str:
    """What a reply says."""
    return "".join([piece.text async for piece in model.reply(prompt) if isinstance(piece, Said)])


@pytest.mark.parametrize("bearer", [False, True])
async def test_text_streams_with_its_cost(tmp_path: Path, *, bearer: bool) -> None:
    """In several pieces, whole, and the tokens last; with the key in either header."""
    usage = {"input_tokens": 11, "output_tokens": 9}
    async with (
        aimock(tmp_path, fixture("hello", {"content": HELLO, "usage": usage})) as url,
        model_at(url, bearer=bearer) as model,
    ):
        *said, spent = [piece async for piece in model.reply(asking("hello"))]
    assert len(said) > 1
    assert "".join(piece.text for piece in said if isinstance(piece, Said)) == HELLO
    assert spent == Spent(11, 9)


async def test_a_tool_is_called_and_its_result_is_answered(tmp_path: Path) -> None:
    """Words and two calls in one message, then the reply to their results, found by id."""
    async with (
        aimock(
            tmp_path,
            {"match": {"hasToolResult": True}, "response": {"content": "It rains."}},
            fixture("weather", {"content": "One moment.", "toolCalls": [WEATHER, TIME]}),
        ) as url,
        model_at(url) as model,
    ):
        asked = asking("weather?").messages
        pieces = [piece async for piece in model.reply(Prompt(asked, TOOLS))]
        said = "".join(piece.text for piece in pieces if isinstance(piece, Said))
        uses = tuple(piece.use for piece in pieces if isinstance(piece, Used))
        assert said == "One moment."
        assert [(use.name, use.arguments) for use in uses] == [
            ("get_weather", WEATHER["arguments"]),
            ("get_time", {}),
        ]
        results = [Message(role="tool", content="ok", call_id=use.call_id) for use in uses]
        told = (*asked, Message(role="assistant", content=said, tool_uses=uses), *results)
        assert await words_of(model, Prompt(told, TOOLS)) == "It rains."


async def test_the_system_prompt_reaches_the_model(tmp_path: Path) -> None:
    """The server answers so only where it finds these words in the request's system prompt."""
    answer = {"match": {"systemMessage": "Be kind"}, "response": {"content": "Gladly."}}
    system = Message(role="system", content="Be kind.")
    async with aimock(tmp_path, answer) as url, model_at(url) as model:
        told = Prompt((system, *asking("hello").messages))
        assert await words_of(model, told) == "Gladly."
        with pytest.raises(ProviderError):
            await words_of(model, asking("hello"))


async def test_thoughts_are_not_said(tmp_path: Path) -> None:
    """A thinking block comes before the words and goes no further."""
    reply = {"content": "Forty two.", "reasoning": "Let me think."}
    async with (
        aimock(tmp_path, fixture("think", reply)) as url,
        model_at(url, model="claude-opus-4-1") as model,
    ):
        assert await words_of(model, asking("think")) == "Forty two."


async def test_a_wrong_key_is_refused_at_start(tmp_path: Path) -> None:
    """In the server's words, and without the key."""
    async with aimock(tmp_path, fixture("hello", {"content": HELLO})) as url:
        with pytest.raises(Refused, match="Invalid API key") as refused:
            async with model_at(url, api_key="sk-wrong"):
                pass
    error = refused.value
    assert error.status_code == 401
    assert "sk-wrong" not in repr(error)


FAILURES: list[tuple[dict[str, Any], type[ProviderError], int | None]] = [
    (fixture("hello", {"error": BUSY, "status": 429}), Unavailable, 429),
    (fixture("hello", {"content": HELLO}, chaos={"rateLimitRate": 1}), Unavailable, 429),
    (fixture("hello", {"error": OVERLOADED, "status": 529}), Unavailable, 529),
    (fixture("hello", {"error": {"message": "no"}, "status": 400}), Refused, 400),
    (fixture("nothing else", {"content": "x"}), Refused, 404),
    (fixture("hello", {"content": HELLO}, chaos={"dropRate": 1}), Unavailable, 500),
    (fixture("hello", {"content": HELLO}, chaos={"malformedRate": 1}), Malformed, None),
    (fixture("hello", {"content": HELLO}, chaos={"disconnectRate": 1}), Unavailable, None),
    (fixture("hello", {"content": HELLO}, truncateAfterChunks=3), Unavailable, None),
    (fixture("hello", {"content": HELLO, "finishReason": "refusal"}), Refused, None),
    (fixture("hello", {"content": ""}), Malformed, None),
]


@pytest.mark.parametrize(("answer", "kind", "status"), FAILURES)
async def test_each_failure_is_what_it_means(
    tmp_path: Path, answer: dict[str, Any], kind: type[ProviderError], status: int | None
) -> None:
    """Rate limit, overload, bad request, unknown, crash, garbage, hang-up, cut, refusal, empty."""
    async with aimock(tmp_path, answer) as url, model_at(url) as model:
        with pytest.raises(kind) as raised:
            await words_of(model, asking("hello"))
    assert (raised.value.provider, raised.value.status_code) == ("anthropic", status)


async def test_a_limit_says_how_long_it_lasts(tmp_path: Path) -> None:
    """The server's ``Retry-After`` is kept."""
    limited = {"error": BUSY, "status": 429, "retryAfter": 7}
    async with aimock(tmp_path, fixture("hello", limited)) as url, model_at(url) as model:
        with pytest.raises(Unavailable, match="Rate limited") as raised:
            await words_of(model, asking("hello"))
    assert raised.value.retry_after_s == 7


async def test_a_slow_server_is_too_slow(tmp_path: Path) -> None:
    """Its pause before each chunk is longer than the patience."""
    async with (
        aimock(tmp_path, fixture("hello", {"content": HELLO}), latency_ms=5000) as url,
        model_at(url, first_ms=200) as model,
    ):
        with pytest.raises(TooSlow):
            await words_of(model, asking("hello"))


async def test_a_cancelled_reply_leaves_the_model_to_the_next(tmp_path: Path) -> None:
    """In the middle of its words; its only connection is free again at once."""
    long = fixture("long", {"content": HELLO * 50}, latency=200)
    async with (
        aimock(tmp_path, long, fixture("hello", {"content": HELLO})) as url,
        model_at(url, max_connections=1, first_ms=3000) as model,
    ):
        begun = asyncio.Event()

        async def listen() -> None:
            async with aclosing(model.reply(asking("long"))) as pieces:
                async for _ in pieces:
                    begun.set()

        listener = asyncio.create_task(listen())
        await begun.wait()
        listener.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listener
        assert await words_of(model, asking("hello")) == HELLO
