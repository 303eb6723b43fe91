"""The providers of a node, stage by stage: chosen by settings, started, watched, and replaced.

A stage that may have several providers (speech-to-text, language model, text-to-speech) is
served through the wrappers of ``antiphon_providers.resilience``, also when it has one, so that
its deadlines and measurements are the same; but for a lone recogniser, which is served as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from antiphon_providers import registry
from antiphon_providers.errors import ProviderError, Refused
from antiphon_providers.interfaces import Provider
from antiphon_providers.observer import Observer
from antiphon_providers.resilience.candidates import Candidate
from antiphon_providers.resilience.language_model import ResilientLanguageModel
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.speech_to_text import ResilientSpeechToText
from antiphon_providers.resilience.swap import (
    SwappableLanguageModel,
    SwappableSpeechToText,
    SwappableTextToSpeech,
)
from antiphon_providers.resilience.text_to_speech import ResilientTextToSpeech
from antiphon_server.call.ears import HearingServices
from antiphon_server.call.reply import SpeakingServices
from antiphon_server.call.writing import Courtesy
from antiphon_server.edge.backstage import StartFailed
from antiphon_server.observe.providers import ProviderWatch
from antiphon_server.observe.usage import Usage, read_prices
from antiphon_server.settings import POLICY, PREFIX, STAGE_OPTIONS, Settings
from antiphon_server.settings import Candidate as Chosen

log = structlog.get_logger()

RECOGNISER = "recogniser"
"""In place of a turn model: the verdict of a recogniser that gives one counts."""


class Shape(Struct, frozen=True):
    """How one provider is made of a stage's several, and how it is replaced in mid-call."""

    resilient: Callable[[Sequence[Candidate[Any]], Policy, Observer], Any]
    swappable: Callable[[Any], Any]


SHAPES = {
    "stt": Shape(ResilientSpeechToText, SwappableSpeechToText),
    "llm": Shape(ResilientLanguageModel, SwappableLanguageModel),
    "tts": Shape(ResilientTextToSpeech, SwappableTextToSpeech),
}
"""By setting; the other stages have one provider, for as long as the server runs."""


class Pipeline:
    """One node's providers. ``providers`` are what calls are served by, by setting."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.providers: dict[str, Any] = {}
        self.usage = Usage()
        """Counts what they are used for."""
        self.watches = {
            setting: ProviderWatch(stage)
            for setting, stage in STAGE_OPTIONS.items()
            if setting in SHAPES
        }
        """How the providers do, by setting."""

    def create(self) -> None:
        """Makes the providers. Raises ``StartFailed``."""
        policy = self._policy()
        try:
            self.usage = Usage(read_prices(self.settings.prices))
        except ValueError as wrong:
            raise StartFailed(f"{PREFIX}PRICES cannot be used: {wrong}") from wrong
        for setting in STAGE_OPTIONS:
            if setting == "turn" and self.settings.turn == RECOGNISER:
                continue
            try:
                self.providers[setting] = self._served(setting, policy)
            except ProviderError as failure:
                raise StartFailed(advice(setting, failure)) from failure

    def _policy(self) -> Policy:
        given = self.settings.options.get(POLICY, {})
        try:
            return msgspec.convert(given, Policy, strict=False)
        except msgspec.ValidationError as wrong:
            known = ", ".join(Policy.__struct_fields__)
            raise StartFailed(
                f"{PREFIX}{POLICY.upper()}_… cannot be used: {wrong}; its options: {known}"
            ) from wrong

    def _served(self, setting: str, policy: Policy) -> Any:
        """What serves a stage. Raises ``ProviderError``."""
        chosen = self.settings.candidates(setting)
        shape = SHAPES.get(setting)
        # A recogniser that nobody stands in for has nothing to be replayed to.
        lone = setting == "stt" and len(chosen) == 1
        if shape is not None and not lone:
            return shape.swappable(self._made(setting, chosen, policy))
        if len(chosen) > 1:
            raise Refused(f"one provider serves this stage, and {len(chosen)} are named")
        return registry.create(STAGE_OPTIONS[setting], chosen[0].name, chosen[0].options)

    def _made(self, setting: str, chosen: Sequence[Chosen], policy: Policy) -> Any:
        """One provider of those chosen, in order of preference. Raises ``ProviderError``."""
        stage = STAGE_OPTIONS[setting]
        made = [registry.create(stage, each.name, each.options) for each in chosen]
        names = [each.name for each in chosen]
        candidates = [
            # Two of one name are told apart by their place.
            Candidate(
                provider,
                policy,
                name=each.name if names.count(each.name) == 1 else f"{each.name}-{place}",
                model=each.options.get("model", ""),
            )
            for place, (provider, each) in enumerate(zip(made, chosen, strict=True), 1)
        ]
        served = SHAPES[setting].resilient(candidates, policy, self.watches[setting])
        served.name = candidates[0].name
        return served

    async def start(self) -> None:
        """Loads everything, so that a call starts without loading anything.

        Raises ``StartFailed`` for what cannot get better; all are closed then. One that is
        merely not there yet is a warning.
        """
        results = await asyncio.gather(
            *(provider.start() for provider in self.providers.values()), return_exceptions=True
        )
        for setting, result in zip(self.providers, results, strict=True):
            if isinstance(result, ProviderError) and result.retryable:
                # It may come back while the server runs; until then its calls say so.
                log.warning("provider is not there yet", advice=advice(setting, result))
            elif isinstance(result, ProviderError):
                await self.close()
                raise StartFailed(advice(setting, result)) from result
            elif isinstance(result, BaseException):
                await self.close()
                raise result

    async def close(self) -> None:
        """Releases all of them, whatever one of them does."""
        providers: list[Provider] = list(self.providers.values())
        await asyncio.gather(*(provider.close() for provider in providers), return_exceptions=True)

    @property
    def hearing(self) -> HearingServices:
        """The providers that listen."""
        serve = self.providers
        return HearingServices(serve["vad"], serve.get("turn"), serve["stt"])

    @property
    def speaking(self) -> SpeakingServices:
        """The providers that answer."""
        own = self.settings
        courtesy = Courtesy(own.filler, own.filler_ms, own.apology)
        return SpeakingServices(self.providers["llm"], self.providers["tts"], courtesy)


def advice(setting: str, failure: ProviderError) -> str:
    """What cannot start, why, and which variables decide about it."""
    stage = STAGE_OPTIONS.get(setting, "noise_suppression").replace("_", " ")
    variable = f"{PREFIX}{setting.upper()}"
    options = f", its options are {variable}_…" if setting in STAGE_OPTIONS else ""
    return (
        f"{stage} cannot start: {failure.message} "
        f"(chosen by {variable}{options}; see docs/reference/settings.md)"
    )
