"""An observer that remembers, and candidates to be watched."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from antiphon_providers.interfaces import (
    Chosen,
    LanguageModel,
    Message,
    Piece,
    Prompt,
    Said,
    ToolSpec,
)
from antiphon_providers.observer import BreakerState
from antiphon_providers.resilience.candidates import Candidate
from antiphon_providers.resilience.language_model import ResilientLanguageModel
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.scripted import Fault, ScriptedLanguageModel
from antiphon_providers.scripted.language_model import LanguageModelScript

Told = tuple[str, ...]


class Watching:
    """Everything that was told, without the seconds; ``times`` has those, by what and who."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.times: dict[tuple[str, str], list[float]] = {}

    def connected(self, provider: str, seconds: float) -> None:
        """Remembers it."""
        self._timed("connected", provider, seconds)

    def began(self, provider: str, seconds: float) -> None:
        """Remembers it."""
        self._timed("began", provider, seconds)

    def finished(self, provider: str, seconds: float) -> None:
        """Remembers it."""
        self._timed("finished", provider, seconds)

    def failed(self, provider: str, code: str) -> None:
        """Remembers it."""
        self.told.append(("failed", provider, code))

    def breaker(self, provider: str, state: BreakerState) -> None:
        """Remembers it."""
        self.told.append(("breaker", provider, state))

    def hedged(self, provider: str, *, won: bool | None) -> None:
        """Remembers it."""
        self.told.append(("hedged", provider, str(won)))

    def switched(self, provider: str, to: str, reason: str) -> None:
        """Remembers it."""
        self.told.append(("switched", provider, to, reason))

    def chose(self, provider: str, reason: str) -> None:
        """Remembers it."""
        self.told.append(("chose", provider, reason))

    def of(self, *kinds: str) -> list[Told]:
        """What was told of these kinds."""
        return [told for told in self.told if told[0] in kinds]

    def _timed(self, what: str, provider: str, seconds: float) -> None:
        self.told.append((what, provider))
        self.times.setdefault((what, provider), []).append(seconds)


def scripted(fault: str = "", *, says: str = "", first_ms: float = 100) -> ScriptedLanguageModel:
    """A model that says a few words, the first after 100 ms and the others 20 ms apart."""
    script = LanguageModelScript(
        replies=says or "All is well.", first_token_ms=first_ms, per_token_ms=20, fault=fault
    )
    return ScriptedLanguageModel(script)


def model_of(
    models: Sequence[LanguageModel], policy: Policy | None = None, watching: Watching | None = None
) -> ResilientLanguageModel:
    """The candidates ``a``, ``b``... on the clock of the running loop."""
    policy = policy or Policy()
    candidates = [
        Candidate(model, policy, name=name, model=f"{name}-1")
        for name, model in zip("abcdef", models, strict=False)
    ]
    clock = asyncio.get_running_loop().time
    return ResilientLanguageModel(candidates, policy, watching or Watching(), clock)


def asking(words: str = "Hello?", conversation: str = "", tools: Sequence[str] = ()) -> Prompt:
    """A prompt in which the user says this."""
    specs = tuple(ToolSpec(name) for name in tools)
    return Prompt((Message(role="user", content=words),), specs, conversation)


async def pieces_of(model: LanguageModel, prompt: Prompt | None = None) -> list[Piece]:
    """The whole reply."""
    return [piece async for piece in model.reply(prompt or asking())]


def text_of(pieces: Sequence[Piece]) -> str:
    """What it says."""
    return "".join(piece.text for piece in pieces if isinstance(piece, Said))


def chosen_in(pieces: Sequence[Piece]) -> list[Chosen]:
    """Who wrote it."""
    return [piece for piece in pieces if isinstance(piece, Chosen)]


def dead(model: ScriptedLanguageModel, fault: str = "unavailable") -> None:
    """It fails from now on; an empty fault makes it well."""
    model.desk.fault = Fault.parse(fault)
