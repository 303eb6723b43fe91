"""Providers of agents' own: made for the first call that needs them, shared, closed when idle.

What is shared is of one account and one stage, with the same providers, options and keys: nobody
ever uses another's key or connection. They are asked through the node's resilience wrappers;
the node's own provider stands in only where the agent lists it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import structlog
from msgspec.structs import replace

from antiphon_protocol.errors import InvalidConfig
from antiphon_protocol.rest_agent_providers import OFF, OWN
from antiphon_providers.errors import ProviderError
from antiphon_providers.interfaces import HearingOptions, VoiceOptions
from antiphon_providers.resilience.candidates import Candidate
from antiphon_server.call.services import Services
from antiphon_server.edge.pipeline import Pipeline
from antiphon_server.observe.providers import ProviderWatch
from antiphon_server.settings import ALL_STAGES
from antiphon_server.stages.lineup import SHAPES, told_apart
from antiphon_server.stages.offered import ProviderTarget, make

IDLE_SECONDS = 300.0
"""After which what no call uses is closed."""
MOST_IDLE = 100
"""Beyond which the longest unused is closed at once: whoever changes an agent makes new ones."""
CHECK_SECONDS = 3.0
"""How long a session waits to hear that a key, a model or a voice is refused."""

log = structlog.get_logger()

Targets = tuple[ProviderTarget, ...]
_Key = tuple[str, str, Targets]
"""Account, setting and who."""


class _Shared:
    """A stage's provider, and how many calls use it."""

    def __init__(self, key: _Key, provider: Any) -> None:
        self.key = key
        self.provider = provider
        self.calls = 0
        self.started = asyncio.get_running_loop().create_task(_start(provider))
        self.idle: asyncio.TimerHandle | None = None


class Lease:
    """What one call uses, by setting. Given back once, however often."""

    def __init__(self, owner: OwnProviders) -> None:
        self._owner = owner
        self._held: dict[str, _Shared] = {}

    def hold(self, shared: _Shared) -> None:
        """It is used by one call more."""
        shared.calls += 1
        self._held[shared.key[1]] = shared

    async def ready(self) -> None:
        """All have been started. Raises ``InvalidConfig`` for what will never serve."""
        await asyncio.gather(*(self._owner.ready(shared) for shared in self._held.values()))

    def services(self, node: Services) -> Services:
        """The node's, but for the agent's own."""
        own = {setting: shared.provider for setting, shared in self._held.items()}
        hearing, speaking = node.hearing, node.speaking
        return replace(
            node,
            hearing=replace(hearing, speech_to_text=own.get("stt", hearing.speech_to_text)),
            speaking=replace(
                speaking,
                language_model=own.get("llm", speaking.language_model),
                text_to_speech=own.get("tts", speaking.text_to_speech),
            ),
            # An agent that names a stage of the cascade wants that to be asked, even if it is
            # the server's own.
            speech_to_speech=own.get("s2s"),
        )

    def release(self) -> None:
        """The call is over."""
        held, self._held = self._held, {}
        for shared in held.values():
            self._owner.give_back(shared)


class OwnProviders:
    """Those of all accounts on one node."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._shared: dict[_Key, _Shared] = {}
        """The longest unused first."""
        self._closing: set[asyncio.Task[None]] = set()

    async def lease(self, account: str, chosen: Mapping[str, Targets]) -> Lease:
        """An agent's providers, started. Raises ``InvalidConfig`` with a vendor's own words for
        what it refuses; one that is merely away refuses nothing.
        """
        lease = Lease(self)
        try:
            for setting, targets in chosen.items():
                names = {target.name for target in targets}
                if OFF not in names and (setting == "s2s" or names != {OWN}):
                    lease.hold(self._take((account, setting, targets)))
            await lease.ready()
        except BaseException:
            lease.release()
            raise
        return lease

    async def ready(self, shared: _Shared) -> None:
        """Waits for the one check that all calls share. Raises ``InvalidConfig``."""
        setting = shared.key[1]
        try:
            await asyncio.shield(shared.started)
        except ProviderError as failure:
            if not failure.retryable:
                # The next session asks anew: the vendor's mind may have been changed.
                self._drop(shared)
                raise _told(shared.key, failure) from None
            log.warning("an agent's provider is not there yet", stage=setting, code=failure.code)
        except TimeoutError:
            log.warning("an agent's provider is slow to start", stage=setting)

    def give_back(self, shared: _Shared) -> None:
        """One call less."""
        shared.calls -= 1
        if shared.calls or self._shared.get(shared.key) is not shared:
            return
        self._shared[shared.key] = self._shared.pop(shared.key)
        loop = asyncio.get_running_loop()
        shared.idle = loop.call_later(IDLE_SECONDS, self._drop, shared)
        idle = [one for one in self._shared.values() if not one.calls]
        for one in idle[: max(0, len(idle) - MOST_IDLE)]:
            self._drop(one)

    async def close(self) -> None:
        """Closes all of them."""
        for shared in list(self._shared.values()):
            self._drop(shared)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _take(self, key: _Key) -> _Shared:
        shared = self._shared.get(key)
        if shared is None:
            try:
                shared = self._shared[key] = _Shared(key, self._made(key))
            except ProviderError as failure:
                raise _told(key, failure) from None
        if shared.idle is not None:
            shared.idle.cancel()
            shared.idle = None
        return shared

    def _made(self, key: _Key) -> Any:
        """Raises ``ProviderError``."""
        _, setting, targets = key
        stage, policy = ALL_STAGES[setting], self._pipeline.casting.policy
        names = told_apart([target.name for target in targets])
        candidates = [
            Candidate(self._one(setting, target), policy, name=name)
            for target, name in zip(targets, names, strict=True)
        ]
        wrap = SHAPES[setting].resilient
        assert wrap is not None  # noqa: S101 - agents choose such stages only
        made = wrap(candidates, policy, ProviderWatch(stage, names, serves=False))
        made.name = names[0]
        return made

    def _one(self, setting: str, target: ProviderTarget) -> Any:
        if target.name != OWN:
            return make(setting, target, self._base_url(setting, target.name))
        return Borrowed(self._pipeline.providers.get(setting))

    def _base_url(self, setting: str, name: str) -> str | None:
        """Where the operator has this vendor. An ``openai`` may be any server: an agent's key is
        for OpenAI itself.
        """
        if name == "openai":
            return None
        for each in self._pipeline.settings.candidates(setting):
            if each.name == name:
                return each.options.get("base_url")
        return None

    def _drop(self, shared: _Shared) -> None:
        if self._shared.get(shared.key) is not shared:
            return
        del self._shared[shared.key]
        if shared.idle is not None:
            shared.idle.cancel()
        task = asyncio.get_running_loop().create_task(_close(shared))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


class Borrowed:
    """The node's own provider of a stage, in an agent's list: neither started nor closed by it,
    and watched by the node.
    """

    name = OWN

    def __init__(self, provider: Any) -> None:
        if provider is None:
            raise _nobody()
        self._provider = provider

    async def start(self) -> None:
        """Nothing: it runs."""

    async def close(self) -> None:
        """Nothing: it is the node's."""

    @property
    def rate(self) -> int:
        """Samples per second of what it speaks."""
        rate: int = self._provider.rate
        return rate

    def open(self, options: HearingOptions) -> Any:
        """A stream, or a conversation."""
        return self._provider.open(options)

    def reply(self, prompt: Any) -> Any:
        """What it writes."""
        return self._provider.reply(prompt)

    def speak(self, sentences: AsyncIterator[str], options: VoiceOptions) -> Any:
        """What it says."""
        return self._provider.speak(sentences, options)


async def _start(provider: Any) -> None:
    async with asyncio.timeout(CHECK_SECONDS):
        await provider.start()


async def _close(shared: _Shared) -> None:
    shared.started.cancel()
    await asyncio.gather(shared.started, return_exceptions=True)
    with suppress(Exception):
        await shared.provider.close()


def _nobody() -> InvalidConfig:
    return InvalidConfig("The server has no provider of its own for this stage", "providers.s2s")


def _told(key: _Key, failure: ProviderError) -> InvalidConfig:
    """In the vendor's words, without a key that it may have quoted."""
    _, setting, targets = key
    said = failure.message
    for target in targets:
        if target.api_key:
            said = said.replace(target.api_key, "***")
    who = f"{failure.provider}: " if failure.provider else ""
    return InvalidConfig(f"{who}{said}", f"providers.{setting}")
