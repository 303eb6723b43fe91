"""The OpenAI adapter, and a whole call, against a llama.cpp server that really computes.

Its model is a Markov chain (see chain_model.py), so that what it says is known beforehand.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import antiphon as sdk
from antiphon.caller import Caller
from antiphon_providers.contract.human_speech import clip
from antiphon_providers.errors import Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import Prompt, Said, Spent, ToolSpec, Used
from antiphon_providers.openai import OpenAI, OpenAIOptions
from end_to_end.product import to_say
from hostile.serving import serving
from longer.llama import KEY, llama
from openai_peer import asking

Reply = AsyncGenerator[Said | Used | Spent, None]

SENTENCE = "Hello there, how can I help you today?"
WORDS = ["Hello", " there,", " how", " can", " I", " help", " you", " today?"]
BOOK = ToolSpec(
    "book_table",
    "Books a table.",
    {
        "type": "object",
        "properties": {
            "people": {"type": "integer"},
            "day": {"enum": ["tuesday", "monday"]},
            "name": {"type": "string"},
        },
        "required": ["people", "day", "name"],
    },
)
MUST_BOOK = {"tool_choice": {"type": "function", "function": {"name": BOOK.name}}}
"""This server calls no tool unless it is told which."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that says the sentence."""
    with llama(tmp_path_factory.mktemp("llama"), SENTENCE) as found:
        yield found


@asynccontextmanager
async def model_at(url: str, **options: Any) -> AsyncIterator[OpenAI]:
    """An adapter for the server, started."""
    model = OpenAI(OpenAIOptions(**{"model": "chain", "base_url": url, "api_key": KEY, **options}))
    try:
        await model.start()
        yield model
    finally:
        await model.close()


async def test_a_sentence_streams_token_by_token(url: str) -> None:
    """One piece for each token, white space kept, and nothing after the model's end."""
    async with model_at(url) as model:
        for _ in range(2):
            said = [piece async for piece in model.reply(asking("hello"))]
            assert said == [Said(word) for word in WORDS]


async def test_a_wrong_key_is_refused(url: str) -> None:
    """At the start, in the server's words, without the key."""
    with pytest.raises(Refused, match="Invalid API key") as refused:
        async with model_at(url, api_key="sk-wrong"):
            pass
    assert refused.value.status_code == 401
    assert "sk-wrong" not in repr(refused.value)


async def test_a_request_that_cannot_be_is_told_in_the_servers_words(url: str) -> None:
    """This server answers 500 to whatever it does not like; its words say what that was."""
    async with model_at(url, extra_body='{"top_k": "many"}') as model:
        with pytest.raises(Unavailable, match="top_k") as told:
            await anext(model.reply(asking("hello")))
    assert told.value.status_code == 500


async def test_a_tool_call_has_the_arguments_that_its_schema_allows(url: str) -> None:
    """The grammar made of the schema binds a model that would rather say its sentence; where a
    text is allowed, it does.
    """
    async with model_at(url, temperature=0, extra_body=json.dumps(MUST_BOOK)) as model:
        prompt = Prompt(asking("a table for eight").messages, (BOOK,))
        pieces = [piece async for piece in model.reply(prompt)]
    [used] = [piece for piece in pieces if isinstance(piece, Used)]
    assert pieces == [used]
    assert used.use.call_id
    assert (used.use.name, used.use.arguments) == (
        BOOK.name,
        {"people": 8, "day": "monday", "name": SENTENCE},
    )


@asynccontextmanager
async def endless_reply(folder: Path) -> AsyncIterator[Reply]:
    """A reply that has begun and would not end, of a server that serves one at a time.

    Whoever gives the reply up in the block frees the server: afterwards it must answer again.
    """
    with llama(folder, SENTENCE, "endless") as url:
        async with model_at(url) as model, model_at(url, first_token_ms=2000) as hasty:
            reply = model.reply(asking("hello"))
            assert await anext(reply) == Said(WORDS[0])
            with pytest.raises(TooSlow):
                await anext(hasty.reply(asking("hello")))
            yield reply
            async with aclosing(model.reply(asking("hello"))) as again:
                assert await anext(again) == Said(WORDS[0])


async def test_a_reply_that_is_put_down_frees_the_server(tmp_path: Path) -> None:
    """Nobody else is answered while it runs, and the next one as soon as it is closed."""
    async with endless_reply(tmp_path) as reply:
        await reply.aclose()


async def test_a_cancelled_reply_frees_the_server(tmp_path: Path) -> None:
    """So does cancelling whoever reads it, in the middle of the stream."""
    async with endless_reply(tmp_path) as reply:
        read = asyncio.Event()

        async def listen() -> None:
            async for _ in reply:
                read.set()

        listener = asyncio.create_task(listen())
        await read.wait()
        listener.cancel()
        with pytest.raises(asyncio.CancelledError):
            await listener


async def test_a_call_hears_the_models_sentence(url: str, tmp_path: Path) -> None:
    """Through the whole server: the caller speaks, the model answers, and the transcript of what
    the agent said is the sentence, spoken to its end.
    """
    events: list[sdk.Event] = []
    variables = {
        "ANTIPHON_LLM": "openai",
        "ANTIPHON_LLM_BASE_URL": url,
        "ANTIPHON_LLM_MODEL": "chain",
        "ANTIPHON_LLM_API_KEY": KEY,
    }
    with serving(tmp_path / "log", **variables) as server:
        async with (
            sdk.connect(server.ws, system_prompt="Be brief.") as call,
            Caller(call, witness=events.append) as caller,
        ):
            await caller.converse(to_say(clip("best")))
        assert server.stop() == 0
    assert "Traceback" not in server.log
    assert KEY not in server.log
    said = [event for event in events if isinstance(event, sdk.AgentTranscript)]
    assert [(event.text, event.interrupted) for event in said] == [(SENTENCE, False)]
