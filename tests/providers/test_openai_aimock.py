"""The OpenAI adapter against aimock, a server that nobody here wrote."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from aimock import KEY, aimock, fixture
from antiphon_providers.errors import Malformed, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import Message, Prompt, Said, Spent, ToolSpec, Used
from antiphon_providers.openai import OpenAI, OpenAIOptions
from openai_peer import asking

HELLO = "Hello! How can I help you today?"
WEATHER = {"name": "get_weather", "arguments": {"city": "Zürich", "days": 2}}
TIME = {"name": "get_time", "arguments": {}}
BUSY = {"message": "Rate limited", "type": "rate_limit_error", "code": "rate_limit_exceeded"}


@asynccontextmanager
async def model_at(url: str, **options: Any) -> AsyncIterator[OpenAI]:
    """An adapter for the server, started."""
    settings = {"model": "gpt-4o", "base_url": f"{url}/v1", "api_key": KEY, **options}
    model = OpenAI(OpenAIOptions(**settings))
    await model.start()
    try:
        yield model
    finally:
        await model.close()


async def words_of(model: OpenAI, prompt: Prompt) -> str:
    """What a reply says."""
    return "".join([piece.text async for piece in model.reply(prompt) if isinstance(piece, Said)])


async def test_text_streams_with_its_cost(tmp_path: Path) -> None:
    """In several pieces, whole, and the tokens last."""
    usage = {"prompt_tokens": 11, "completion_tokens": 9, "total_tokens": 20}
    async with (
        aimock(tmp_path, fixture("hello", {"content": HELLO, "usage": usage})) as url,
        model_at(url) as model,
    ):
        *said, spent = [piece async for piece in model.reply(asking("hello"))]
    assert len(said) > 1
    assert "".join(piece.text for piece in said if isinstance(piece, Said)) == HELLO
    assert spent == Spent(11, 9)


async def test_a_tool_is_called_and_its_result_is_answered(tmp_path: Path) -> None:
    """Two calls at once, then the reply to their results, which the server finds by id."""
    async with (
        aimock(
            tmp_path,
            {"match": {"hasToolResult": True}, "response": {"content": "It rains."}},
            fixture("weather", {"toolCalls": [WEATHER, TIME]}),
        ) as url,
        model_at(url) as model,
    ):
        tools = (ToolSpec("get_weather", "Weather."), ToolSpec("get_time", "Time."))
        asked = asking("weather?").messages
        pieces = [piece async for piece in model.reply(Prompt(asked, tools))]
        uses = tuple(piece.use for piece in pieces if isinstance(piece, Used))
        assert [(use.name, use.arguments) for use in uses] == [
            ("get_weather", WEATHER["arguments"]),
            ("get_time", {}),
        ]
        results = [Message(role="tool", content="ok", call_id=use.call_id) for use in uses]
        told = (*asked, Message(role="assistant", tool_uses=uses), *results)
        assert await words_of(model, Prompt(told, tools)) == "It rains."


async def test_thoughts_are_not_said(tmp_path: Path) -> None:
    """A reasoning model's thoughts come in the stream and go no further."""
    reply = {"content": "Forty two.", "reasoning": "Let me think."}
    async with (
        aimock(tmp_path, fixture("think", reply)) as url,
        model_at(url, model="o3") as model,
    ):
        assert await words_of(model, asking("think")) == "Forty two."


async def test_a_wrong_key_is_refused_at_start(tmp_path: Path) -> None:
    """In the server's words."""
    async with aimock(tmp_path, fixture("hello", {"content": HELLO})) as url:
        model = OpenAI(OpenAIOptions(model="gpt-4o", base_url=f"{url}/v1", api_key="wrong"))
        with pytest.raises(Refused, match="Invalid API key") as refused:
            await model.start()
        assert refused.value.provider_code == "invalid_api_key"
        await model.close()


FAILURES: list[tuple[dict[str, Any], type[ProviderError], int | None]] = [
    (fixture("hello", {"error": BUSY, "status": 429}), Unavailable, 429),
    (fixture("hello", {"error": {"message": "no"}, "status": 400}), Refused, 400),
    (fixture("nothing else", {"content": "x"}), Refused, 404),
    (fixture("hello", {"content": HELLO}, chaos={"dropRate": 1}), Unavailable, 500),
    (fixture("hello", {"content": HELLO}, chaos={"malformedRate": 1}), Malformed, None),
    (fixture("hello", {"content": HELLO}, chaos={"disconnectRate": 1}), Unavailable, None),
    (fixture("hello", {"content": HELLO}, truncateAfterChunks=2), Unavailable, None),
    (fixture("hello", {"content": HELLO, "finishReason": "content_filter"}), Refused, None),
    (fixture("hello", {"content": ""}), Malformed, None),
]


@pytest.mark.parametrize(("answer", "kind", "status"), FAILURES)
async def test_each_failure_is_what_it_means(
    tmp_path: Path, answer: dict[str, Any], kind: type[ProviderError], status: int | None
) -> None:
    """Overload, bad request, unknown, crash, garbage, hang-up, cut, filtered and empty."""
    async with aimock(tmp_path, answer) as url, model_at(url) as model:
        with pytest.raises(kind) as raised:
            await words_of(model, asking("hello"))
    assert (raised.value.provider, raised.value.status_code) == ("openai", status)


async def test_a_slow_server_is_too_slow(tmp_path: Path) -> None:
    """Its pause before each chunk is longer than the patience."""
    async with (
        aimock(tmp_path, fixture("hello", {"content": HELLO}), latency_ms=5000) as url,
        model_at(url, first_token_ms=200) as model,
    ):
        with pytest.raises(TooSlow, match="no words within 200 ms"):
            await words_of(model, asking("hello"))
