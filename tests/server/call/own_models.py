"""An agent's own models, and the servers behind them, which answer as a test wants."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from antiphon_providers.interfaces import Chosen, LanguageModel, Prompt, Said
from antiphon_providers.resilience.policy import Policy
from antiphon_server.call.models import ModelTarget, OwnModels
from openai_peer import HELLO, KEY, asking, event, responding, streaming, text
from outbound_peer import guarded
from raw_http import Answer, RawServer, raw_server

WORKING = streaming(HELLO)
SECOND = [Said("second")]
SAYS_SECOND = streaming(text("second", "stop"))


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Meeting:
    """The models of a node, and the servers behind an agent's list."""

    def __init__(self, servers: list[RawServer], own: OwnModels, clock: Clock) -> None:
        self.servers, self.own, self.clock = servers, own, clock
        self.policy = Policy()
        self.targets = tuple(ModelTarget(f"{server.url}/v1", "m", KEY) for server in servers)

    @property
    def model(self) -> LanguageModel:
        """The agent's model."""
        return self.of(self.targets)

    def of(self, targets: tuple[ModelTarget, ...], account: str = "mine") -> LanguageModel:
        """Another agent's."""
        return self.own.of(account, targets, self.policy)

    @property
    def asked(self) -> list[int]:
        """How many requests each server has had."""
        return [len(server.requests) for server in self.servers]

    async def reply(self, prompt: Prompt | None = None) -> list[Any]:
        """A whole reply, but for who wrote it."""
        return await self.words(self.model, prompt)

    async def words(self, model: LanguageModel, prompt: Prompt | None = None) -> list[Any]:
        """As ``reply``, of any model."""
        pieces = model.reply(prompt or asking("hello"))
        return [piece async for piece in pieces if not isinstance(piece, Chosen)]


@asynccontextmanager
async def meeting(*answers: Answer) -> AsyncIterator[Meeting]:
    """An agent whose models answer so, in its order."""
    servers: list[RawServer] = []
    async with _servers(list(answers), servers):
        allow = [server.url.removeprefix("http://") for server in servers]
        async with guarded(*allow) as guard:
            clock = Clock()
            own = OwnModels(guard, clock)
            try:
                yield Meeting(servers, own, clock)
            finally:
                await own.close()


@asynccontextmanager
async def _servers(answers: list[Answer], servers: list[RawServer]) -> AsyncIterator[None]:
    if not answers:
        yield
        return
    async with raw_server(answers[0]) as server:
        servers.append(server)
        async with _servers(answers[1:], servers):
            yield


def failing(status: int, **error: Any) -> Answer:
    """An answer: an error of OpenAI's form."""
    return responding(status, event({"error": {"message": "no", **error}})[6:])
