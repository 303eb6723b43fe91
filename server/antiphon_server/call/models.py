"""Language models of agents' own: an address, a model, a key; several are asked in order.

What is asked is what the OpenAI adapter asks (voice agent protocol, section 3.5), through the
outbound guard, and who is asked when is the resilience wrapper's to say, as for every other
model. A list of several models is an extension of ours.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from antiphon_providers.errors import Refused, Unavailable
from antiphon_providers.interfaces import LanguageModel, Piece, Prompt
from antiphon_providers.openai import OpenAI, OpenAIOptions
from antiphon_providers.resilience.candidates import Candidate
from antiphon_providers.resilience.language_model import ResilientLanguageModel
from antiphon_providers.resilience.policy import Policy
from antiphon_server.observe.providers import ProviderWatch
from antiphon_server.security.outbound import OutboundGuard
from antiphon_server.security.urls import origin
from antiphon_server.settings import ALL_STAGES
from antiphon_server.stages.lineup import told_apart

READ_MS = 10_000
"""To the first words, and from one piece to the next, where nobody else can be asked (protocol,
section 3.5): a model of one's own may be slower than the operator's.
"""
IDLE_SECONDS = 300.0
"""After which the models of a list that nobody asks are closed."""
MOST_IDLE = 100
"""Lists beyond which the longest unused is closed at once."""

_NAME = "own"
"""In metrics and timelines, where an agent's own words for its models have no place."""


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


class _List(Struct, frozen=True):
    """Whose models, and which. Nothing is shared between two accounts: not a connection, not a
    key, and not what is known of a model.
    """

    account: str
    targets: tuple[ModelTarget, ...]
    policy: Policy


class _Shared:
    """The models of one list, and how many replies they write."""

    def __init__(self, model: ResilientLanguageModel) -> None:
        self.model = model
        self.replies = 0
        self.idle: asyncio.TimerHandle | None = None


class OwnModels:
    """Those of one node, by list: shared by calls, made when first asked, closed when idle.

    A call that starts loads and connects nothing. ``clock`` gives seconds.
    """

    def __init__(self, guard: OutboundGuard, clock: Callable[[], float] = time.monotonic) -> None:
        self._guard = guard
        self._clock = clock
        self._shared: dict[_List, _Shared] = {}
        """The longest unused first."""
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False

    def of(
        self, account: str, targets: tuple[ModelTarget, ...], policy: Policy | None = None
    ) -> LanguageModel:
        """The language model of an account's agent that has these, at least one, in order of
        preference; ``policy`` is how patient it is.
        """
        return _OwnModel(self, _List(account, targets, policy or Policy()))

    async def close(self) -> None:
        """Closes all connections; running replies end."""
        self._closed = True
        for listed in list(self._shared):
            self._drop(listed)
        await asyncio.gather(*self._closing)

    @contextmanager
    def lent(self, listed: _List) -> Iterator[ResilientLanguageModel]:
        """A list's models, for one reply. Raises ``ProviderError`` where there can be none."""
        shared = self._shared.get(listed) or self._open(listed)
        shared.replies += 1
        if shared.idle is not None:
            shared.idle.cancel()
            shared.idle = None
        try:
            yield shared.model
        finally:
            shared.replies -= 1
            if not shared.replies and self._shared.get(listed) is shared:
                self._rest(listed, shared)

    def _rest(self, listed: _List, shared: _Shared) -> None:
        """Nobody asks it now."""
        self._shared[listed] = self._shared.pop(listed)
        shared.idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._drop, listed)
        idle = [one for one, its in self._shared.items() if not its.replies]
        for longest in idle[: max(0, len(idle) - MOST_IDLE)]:
            self._drop(longest)

    def _open(self, listed: _List) -> _Shared:
        if self._closed:
            raise Unavailable("the server is stopping", provider=OpenAI.name)
        policy = _patient(listed.policy)
        names = told_apart([_NAME] * len(listed.targets))
        candidates = [
            Candidate(self._adapter(target), policy, name=name, model=target.model)
            for target, name in zip(listed.targets, names, strict=True)
        ]
        watch = ProviderWatch(ALL_STAGES["llm"], names, serves=False)
        model = ResilientLanguageModel(candidates, policy, watch, self._clock)
        shared = self._shared[listed] = _Shared(model)
        return shared

    def _adapter(self, target: ModelTarget) -> LanguageModel:
        try:
            options = _options(target)
        except ValueError as wrong:
            raise Refused(f"the model cannot be asked: {wrong}", provider=OpenAI.name) from None
        adapter = OpenAI(options, transport=self._guard.transport())
        adapter.prepare()
        return adapter

    def _drop(self, listed: _List) -> None:
        shared = self._shared.pop(listed)
        if shared.idle is not None:
            shared.idle.cancel()
        task = asyncio.get_running_loop().create_task(shared.model.close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


class _OwnModel:
    """The models of one agent, as one."""

    name = _NAME

    def __init__(self, models: OwnModels, listed: _List) -> None:
        self._models = models
        self._listed = listed

    async def start(self) -> None:
        """Nothing: the first reply connects."""

    async def close(self) -> None:
        """Nothing: the clients are the node's."""

    async def reply(self, prompt: Prompt) -> AsyncGenerator[Piece, None]:
        """The reply of the first model that begins one. Raises ``ProviderError``."""
        with self._models.lent(self._listed) as model:
            async with aclosing(model.reply(prompt)) as pieces:
                async for piece in pieces:
                    yield piece


def _patient(policy: Policy) -> Policy:
    """The operator's, but that one's own model has its time."""
    return replace(
        policy,
        budget_ms=max(policy.budget_ms, READ_MS),
        progress_ms=max(policy.progress_ms, READ_MS),
    )


def _options(target: ModelTarget) -> OpenAIOptions:
    """Raises ``ValueError`` for an address or a key that cannot be."""
    extra = {"reasoning_effort": target.reasoning_effort} if target.reasoning_effort else {}
    return OpenAIOptions(
        model=target.model,
        base_url=target.base_url,
        api_key=target.api_key,
        extra_body=msgspec.json.encode(extra).decode(),
        first_token_ms=READ_MS,
        progress_ms=READ_MS,
    )
