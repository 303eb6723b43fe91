"""Who serves a stage: providers made from settings, of which one is made for calls to ask.

A stage that may have several providers (speech-to-text, language model, text-to-speech) is
served through the wrappers of ``antiphon_providers.resilience``, also when it has one, so that
its deadlines and measurements are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct

from antiphon_providers import registry
from antiphon_providers.errors import Refused
from antiphon_providers.observer import Observer
from antiphon_providers.resilience.candidates import Candidate
from antiphon_providers.resilience.language_model import ResilientLanguageModel
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.routing import Router
from antiphon_providers.resilience.speech_to_speech import ResilientSpeechToSpeech
from antiphon_providers.resilience.speech_to_text import ResilientSpeechToText
from antiphon_providers.resilience.swap import (
    SwappableLanguageModel,
    SwappableSpeechToText,
    SwappableTextToSpeech,
)
from antiphon_providers.resilience.swapped_conversation import SwappableSpeechToSpeech
from antiphon_providers.resilience.swapped_turns import SwappableTurnModel, SwappableVoiceActivity
from antiphon_providers.resilience.text_to_speech import ResilientTextToSpeech
from antiphon_server.observe.providers import ProviderWatch
from antiphon_server.observe.usage import Prices
from antiphon_server.settings import ALL_STAGES
from antiphon_server.settings import Candidate as Chosen
from antiphon_server.stages.route import Route


class Shape(Struct, frozen=True):
    """How one provider is replaced in mid-call, and how it is made of a stage's several."""

    swappable: Callable[[Any], Any]
    resilient: Callable[[Sequence[Candidate[Any]], Policy, Observer], Any] | None = None
    """None: one provider serves the stage."""


SHAPES = {
    "vad": Shape(SwappableVoiceActivity),
    "turn": Shape(SwappableTurnModel),
    "stt": Shape(SwappableSpeechToText, ResilientSpeechToText),
    "llm": Shape(SwappableLanguageModel, ResilientLanguageModel),
    "tts": Shape(SwappableTextToSpeech, ResilientTextToSpeech),
    "s2s": Shape(SwappableSpeechToSpeech, ResilientSpeechToSpeech),
}
"""By setting."""
SEVERAL = tuple(setting for setting, shape in SHAPES.items() if shape.resilient is not None)
"""The settings that may name several providers."""


class Lineup(Struct, frozen=True, kw_only=True):
    """One version of a stage: who was chosen, and the provider that was made of them."""

    setting: str
    version: int
    chosen: tuple[Chosen, ...]
    provider: Any
    """As calls ask it; not started by this."""
    names: tuple[str, ...]
    """Those in metrics: two of one name are told apart by their place."""
    candidates: tuple[Candidate[Any], ...]
    """With their breakers; none where nobody can stand in."""
    watch: ProviderWatch
    since: datetime


class Casting(Struct, frozen=True, kw_only=True):
    """What settings say of all providers, beside who they are."""

    policy: Policy = Policy()
    route: Route | None = None
    prices: Prices = {}

    def agrees_with(self, other: Casting) -> bool:
        """Whether providers would be made alike; prices count for the cheapest only."""
        mine, others = [
            (each.policy, each.route, each.prices if each.route is not None else None)
            for each in (self, other)
        ]
        return mine == others

    def lineup(self, setting: str, chosen: Sequence[Chosen], version: int = 1) -> Lineup:
        """A new version of a stage. Raises ``ProviderError``."""
        stage, shape = ALL_STAGES[setting], SHAPES[setting]
        if shape.resilient is None and len(chosen) > 1:
            raise Refused(f"one provider serves this stage, and {len(chosen)} are named")
        made = [registry.create(stage, each.name, each.options) for each in chosen]
        names = told_apart([each.name for each in chosen])
        watch = ProviderWatch(stage, names, serves=version == 1)
        provider = made[0]
        candidates: tuple[Candidate[Any], ...] = ()
        if shape.resilient is not None:
            candidates = self._candidates(made, chosen, names)
            provider = shape.resilient(candidates, self.policy, watch)
            provider.name = names[0]
            if setting == "llm" and self.route is not None and len(names) > 1:
                provider = self._routed(provider, names)
        elif hasattr(provider, "observer"):
            provider.observer = watch
        return Lineup(
            setting=setting,
            version=version,
            chosen=tuple(chosen),
            provider=provider,
            names=names,
            candidates=candidates,
            watch=watch,
            since=datetime.now(UTC),
        )

    def _candidates(
        self, made: Sequence[Any], chosen: Sequence[Chosen], names: Sequence[str]
    ) -> tuple[Candidate[Any], ...]:
        return tuple(
            Candidate(provider, self.policy, name=name, model=each.options.get("model", ""))
            for provider, each, name in zip(made, chosen, names, strict=True)
        )

    def _routed(self, models: ResilientLanguageModel, names: Sequence[str]) -> Router:
        """Raises ``ProviderError``."""
        assert self.route is not None  # noqa: S101 - for the type checker
        small = self.route.small
        return Router(
            models,
            self.route.routing_of(names, self.prices),
            None if small is None else registry.create("language_model", small.name, small.options),
        )


def told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """Several of one name have their place behind it."""
    return tuple(
        name if names.count(name) == 1 else f"{name}-{place}" for place, name in enumerate(names, 1)
    )
