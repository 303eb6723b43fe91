"""Language models of agents' own: an address, a model, a key; several are tried in order.

What is asked is what the OpenAI adapter asks (voice agent protocol, section 3.5), through the
outbound guard. A list of several models is an extension of ours.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from antiphon_providers.errors import ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import LanguageModel, Piece, Prompt
from antiphon_providers.openai import OpenAI, OpenAIOptions
from antiphon_server.security.outbound import OutboundGuard
from antiphon_server.security.urls import origin

READ_SECONDS = 10.0
"""To the first words, and from one piece to the next (protocol, section 3.5)."""
FAILING_SECONDS = 30.0
"""How long a model that failed is asked last."""
IDLE_SECONDS = 300.0
"""After which the client of a model nobody asks is closed."""

_ABOUT_THE_REQUEST = {400, 413, 422}
"""Refusals that say something of one conversation, and nothing of the model."""

log = structlog.get_logger()


class ModelTarget(Struct, frozen=True):
    """A model of an agent's own."""

    base_url: str
    model: str
    api_key: str = ""
    reasoning_effort: str | None = None

    def __repr__(self) -> str:
        """Without the key, and without path and query, which may hold one."""
        return f"ModelTarget({self.model!r} at {origin(self.base_url)})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("model", self.model), ("base_url", origin(self.base_url))]


class _Client:
    """The connections to one model, and when they were of use or of none (seconds)."""

    def __init__(self, adapter: OpenAI) -> None:
        self.adapter = adapter
        self.replies = 0
        self.failing_until = float("-inf")
        self.idle: asyncio.TimerHandle | None = None


class OwnModels:
    """The clients of one node, by model: shared by calls, made when first asked, closed when idle.

    A call that starts loads and connects nothing. ``clock`` gives seconds.
    """

    def __init__(self, guard: OutboundGuard, clock: Callable[[], float] = time.monotonic) -> None:
        self._guard = guard
        self._clock = clock
        self._clients: dict[ModelTarget, _Client] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False

    def of(self, targets: tuple[ModelTarget, ...]) -> LanguageModel:
        """The language model of an agent that has these, at least one, in order of preference."""
        return _OwnModel(self, targets)

    async def close(self) -> None:
        """Closes all connections; running replies end."""
        self._closed = True
        for target in list(self._clients):
            self._drop(target)
        await asyncio.gather(*self._closing)

    def in_order(self, targets: tuple[ModelTarget, ...]) -> list[ModelTarget]:
        """As the agent prefers, but those that failed lately last."""
        return sorted(targets, key=self._is_failing)

    def failed(self, target: ModelTarget, failure: ProviderError) -> None:
        """Remembers a failure that tells something about the model."""
        client = self._clients.get(target)
        if client is not None and failure.status_code not in _ABOUT_THE_REQUEST:
            client.failing_until = self._clock() + FAILING_SECONDS

    @contextmanager
    def lent(self, target: ModelTarget) -> Iterator[OpenAI]:
        """The model's client for one reply. Raises ``ProviderError`` where there can be none."""
        client = self._clients.get(target) or self._open(target)
        client.replies += 1
        if client.idle is not None:
            client.idle.cancel()
        try:
            yield client.adapter
        finally:
            client.replies -= 1
            if not client.replies and not self._closed:
                loop = asyncio.get_running_loop()
                client.idle = loop.call_later(IDLE_SECONDS, self._drop, target)

    def _open(self, target: ModelTarget) -> _Client:
        if self._closed:
            raise Unavailable("the server is stopping", provider=OpenAI.name)
        try:
            options = _options(target)
        except ValueError as wrong:
            raise Refused(f"the model cannot be asked: {wrong}", provider=OpenAI.name) from None
        client = _Client(OpenAI(options, transport=self._guard.transport()))
        client.adapter.prepare()
        self._clients[target] = client
        return client

    def _drop(self, target: ModelTarget) -> None:
        client = self._clients.pop(target)
        if client.idle is not None:
            client.idle.cancel()
        task = asyncio.get_running_loop().create_task(client.adapter.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    def _is_failing(self, target: ModelTarget) -> bool:
        client = self._clients.get(target)
        return client is not None and client.failing_until > self._clock()


class _OwnModel:
    """The models of one agent, as one."""

    name = "own"

    def __init__(self, models: OwnModels, targets: tuple[ModelTarget, ...]) -> None:
        self._models = models
        self._targets = targets

    async def start(self) -> None:
        """Nothing: the first reply connects."""

    async def close(self) -> None:
        """Nothing: the clients are the node's."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """The reply of the first model that gives one.

        Another is asked only as long as no words came. All together have ``READ_SECONDS`` to
        the first words: one that has others behind it is given half of what is left. Raises
        the last one's ``ProviderError``.
        """
        targets = self._models.in_order(self._targets)
        until = asyncio.get_running_loop().time() + READ_SECONDS
        for place, target in enumerate(targets, 1):
            attempt = _Attempt(self._models, target)
            patience = None if place == len(targets) else until
            try:
                async with aclosing(attempt.pieces(prompt, patience)) as pieces:
                    async for piece in pieces:
                        yield piece
            except ProviderError as failure:
                self._models.failed(target, failure)
                if attempt.begun or place == len(targets):
                    raise
                log.info("another model is asked", model=target.model, reason=failure.code)
            else:
                return


class _Attempt:
    """One model's reply; ``begun`` once there was a piece of it, which cannot be taken back."""

    def __init__(self, models: OwnModels, target: ModelTarget) -> None:
        self._models = models
        self._target = target
        self.begun = False

    async def pieces(self, prompt: Prompt, until: float | None) -> AsyncGenerator[Piece, None]:
        """The reply, whose first piece takes half of the time ``until`` then at most."""
        first = None if until is None else (asyncio.get_running_loop().time() + until) / 2
        with self._models.lent(self._target) as adapter:
            async with aclosing(adapter.reply(prompt)) as stream:
                while (piece := await self._next(stream, first)) is not None:
                    self.begun = True
                    yield piece

    async def _next(self, stream: AsyncGenerator[Piece, None], first: float | None) -> Piece | None:
        try:
            async with asyncio.timeout_at(None if self.begun else first):
                return await anext(stream, None)
        except TimeoutError:
            raise TooSlow("the language model said nothing in time", provider=OpenAI.name) from None


def _options(target: ModelTarget) -> OpenAIOptions:
    """Raises ``ValueError`` for an address or a key that cannot be."""
    extra = {"reasoning_effort": target.reasoning_effort} if target.reasoning_effort else {}
    return OpenAIOptions(
        model=target.model,
        base_url=target.base_url,
        api_key=target.api_key,
        extra_body=msgspec.json.encode(extra).decode(),
        first_token_ms=round(READ_SECONDS * 1000),
        progress_ms=round(READ_SECONDS * 1000),
    )
