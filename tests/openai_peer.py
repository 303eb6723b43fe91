"""An OpenAI adapter and the server it talks to, which says what a test wants."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from antiphon_providers.interfaces import Message, Prompt, Said, Spent, Used
from antiphon_providers.openai import OpenAI, OpenAIOptions
from raw_http import Answer, Exchange, RawServer, raw_server

KEY = "sk-very-secret"


def asking(words: str) -> Prompt:
    """A prompt in which the user says this."""
    return Prompt((Message(role="user", content=words),))


def event(data: Any) -> bytes:
    """One event of a stream."""
    return b"data: " + (data if isinstance(data, bytes) else json.dumps(data).encode()) + b"\n\n"


def text(words: str, finish: str | None = None) -> bytes:
    """An event with some of the reply's text."""
    return event({"choices": [{"delta": {"content": words}, "finish_reason": finish}]})


HELLO = text("Hel") + text("lo", "stop") + event(b"[DONE]")
HELLO_SAID = [Said("Hel"), Said("lo")]


def streaming(*pieces: bytes) -> Answer:
    """An answer: a whole stream in these chunks."""

    async def answer(exchange: Exchange) -> None:
        await exchange.stream(*pieces)

    return answer


def responding(status: int, body: bytes, *headers: str) -> Answer:
    """An answer: a plain response."""

    async def answer(exchange: Exchange) -> None:
        await exchange.respond(status, body, *headers)

    return answer


@dataclass
class Meeting:
    """Both sides."""

    server: RawServer
    model: OpenAI

    async def reply(self, answer: Answer | None = None) -> list[Said | Used | Spent]:
        """The whole reply to a hello, the server answering as it does or as told."""
        self.server.answer = answer or self.server.answer
        return [piece async for piece in self.model.reply(asking("hello"))]


@asynccontextmanager
async def meeting(
    answer: Answer | None = None, *, started: bool = True, **options: Any
) -> AsyncIterator[Meeting]:
    """A server that answers so, by default with hello, and an adapter that was started."""
    async with raw_server(answer or streaming(HELLO)) as server:
        settings = {"model": "m", "base_url": f"{server.url}/v1", "api_key": KEY, **options}
        model = OpenAI(OpenAIOptions(**settings))
        if started:
            await model.start()
        try:
            yield Meeting(server, model)
        finally:
            await model.close()
