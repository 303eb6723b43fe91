"""The providers of a node, stage by stage: chosen by settings, started, watched, and replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
import structlog

from antiphon_providers.errors import ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.interfaces import Provider, SpeechToSpeech
from antiphon_providers.resilience.policy import Policy
from antiphon_server.call.ears import HearingServices
from antiphon_server.call.reply import SpeakingServices
from antiphon_server.call.writing import Courtesy
from antiphon_server.edge.backstage import StartFailed
from antiphon_server.observe.providers import ProviderWatch
from antiphon_server.observe.usage import Usage, read_prices
from antiphon_server.settings import ALL_STAGES, POLICY, PREFIX, Candidate, Settings
from antiphon_server.stages.changes import ChangeFailed, same
from antiphon_server.stages.lineup import SEVERAL, SHAPES, Casting, Lineup
from antiphon_server.stages.route import read_route

log = structlog.get_logger()

RECOGNISER = "recogniser"
"""In place of a turn model: the verdict of a recogniser that gives one counts."""
_SETTINGS: dict[str, str] = {
    **{stage: setting for setting, stage in ALL_STAGES.items()},
    "turn_detection": "turn",
}
"""By stage, also as calls name it."""
START_SECONDS = 60.0
"""How long providers that are to take over may load and connect."""


class Pipeline:
    """One node's providers. ``providers`` are what calls are served by, by setting."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.providers: dict[str, Any] = {}
        self.lineups: dict[str, Lineup] = {}
        """Who serves, by setting."""
        self.usage = Usage()
        """Counts what they are used for."""
        self.casting = Casting()
        self._changing = asyncio.Lock()
        self._closed = False

    @property
    def watches(self) -> dict[str, ProviderWatch]:
        """How the providers do, by setting."""
        return {setting: lineup.watch for setting, lineup in self.lineups.items()}

    def create(self) -> None:
        """Makes the providers. Raises ``StartFailed``."""
        self.casting = casting_of(self.settings)
        self.usage = Usage(self.casting.prices)
        for setting in ALL_STAGES:
            chosen = self.settings.candidates(setting)
            if not chosen or (setting == "turn" and self.settings.turn == RECOGNISER):
                continue
            try:
                lineup = self.casting.lineup(setting, chosen)
            except ProviderError as failure:
                raise StartFailed(advice(setting, failure)) from failure
            self.lineups[setting] = lineup
            self.providers[setting] = SHAPES[setting].swappable(lineup.provider)

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

    async def change(
        self, wanted: Mapping[str, Sequence[Candidate]], casting: Casting | None = None
    ) -> dict[str, Lineup]:
        """These stages are served by others from their next turns on: all of them or, where a
        provider cannot be made or started, none. What is begun is ended with the old ones.

        Stages that are served so already are left alone, unless there is a new ``casting``;
        nobody stands for those who serve.
        Returns what has changed. Raises ``ChangeFailed``.
        """
        async with self._changing:
            cast = casting or self.casting
            made: dict[str, Lineup] = {}
            for setting, chosen in wanted.items():
                now = self.lineup(setting)
                if casting is None and same(now.chosen, chosen):
                    continue
                try:
                    made[setting] = cast.lineup(setting, chosen or now.chosen, now.version + 1)
                except ProviderError as failure:
                    raise ChangeFailed(setting, failure) from failure
            await self._prepare(made)
            for setting, lineup in made.items():
                await self.providers[setting].swap(lineup.provider, prepared=True)
                lineup.watch.take_over(self.lineups[setting].watch)
                self.lineups[setting] = lineup
            self.casting = cast
        return made

    async def follow(self, settings: Settings, *, anew: bool = False) -> list[str]:
        """Stages whose providers these settings choose differently than the former ones did are
        changed; ``anew``: all that may have several are made again.

        What an operator has put meanwhile stays otherwise. Returns the stages. Raises
        ``ChangeFailed`` and ``StartFailed``, and the former settings count on then.
        """
        casting = casting_of(settings)
        differs = not self.casting.agrees_with(casting)
        anew = anew or casting.policy != self.casting.policy
        wanted: dict[str, Sequence[Candidate]] = {}
        for setting in self.lineups:
            chosen = settings.candidates(setting)
            if not chosen or (setting == "turn" and settings.turn == RECOGNISER):
                continue
            if not same(chosen, self.settings.candidates(setting)):
                wanted[setting] = chosen
            elif (anew and setting in SEVERAL) or (differs and setting == "llm"):
                wanted[setting] = ()
        changed = await self.change(wanted, casting if anew or differs else None)
        self.settings = settings
        self.usage.prices = read_prices(settings.prices)
        return [ALL_STAGES[setting] for setting in changed]

    def lineup(self, setting: str) -> Lineup:
        """Who serves a stage now. Raises ``ChangeFailed`` for the recogniser's own verdict."""
        if setting not in self.lineups:
            told = "the recogniser's own verdict serves this stage: a change needs a restart"
            raise ChangeFailed(setting, Refused(told))
        return self.lineups[setting]

    def model(self, stage: str, provider: str) -> str:
        """The model of a stage's provider, where settings name one; else nothing."""
        setting = _SETTINGS.get(stage)
        lineup = None if setting is None else self.lineups.get(setting)
        if lineup is None or provider not in lineup.names:
            return ""
        return lineup.chosen[lineup.names.index(provider)].options.get("model", "")

    async def _prepare(self, made: Mapping[str, Lineup]) -> None:
        """Starts all of them. Raises ``ChangeFailed``, and none of them runs then."""
        ready: list[Lineup] = []
        try:
            outcomes = await asyncio.gather(
                *(self._start(lineup, ready) for lineup in made.values()), return_exceptions=True
            )
        except BaseException:
            await _close(ready)
            raise
        failed = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        if self._closed:
            failed.append(ChangeFailed("", Unavailable("the server stops")))
        if failed:
            await _close(ready)
            raise failed[0]

    async def _start(self, lineup: Lineup, ready: list[Lineup]) -> None:
        try:
            async with asyncio.timeout(START_SECONDS):
                await self.providers[lineup.setting].prepare(lineup.provider)
        except ProviderError as failure:
            raise ChangeFailed(lineup.setting, failure) from failure
        except TimeoutError:
            late = TooSlow(f"not started within {START_SECONDS:.0f} s")
            raise ChangeFailed(lineup.setting, late) from None
        ready.append(lineup)

    async def close(self) -> None:
        """Releases all of them, whatever one of them does."""
        self._closed = True
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

    @property
    def speech_to_speech(self) -> SpeechToSpeech | None:
        """Who does both, where there is one."""
        provider: SpeechToSpeech | None = self.providers.get("s2s")
        return provider


async def _close(lineups: Sequence[Lineup]) -> None:
    """Nobody will be served by them, however that goes."""
    for lineup in lineups:
        with suppress(Exception):
            await lineup.provider.close()


def casting_of(settings: Settings) -> Casting:
    """What settings say of all providers. Raises ``StartFailed``."""
    try:
        prices = read_prices(settings.prices)
    except ValueError as wrong:
        raise StartFailed(f"{PREFIX}PRICES cannot be used: {wrong}") from wrong
    given = settings.options.get(POLICY, {})
    try:
        policy = msgspec.convert(given, Policy, strict=False)
    except msgspec.ValidationError as wrong:
        known = ", ".join(Policy.__struct_fields__)
        raise StartFailed(
            f"{PREFIX}{POLICY.upper()}_… cannot be used: {wrong}; its options: {known}"
        ) from wrong
    try:
        route = read_route(settings)
    except ValueError as wrong:
        raise StartFailed(str(wrong)) from wrong
    return Casting(policy=policy, route=route, prices=prices)


def advice(setting: str, failure: ProviderError) -> str:
    """What cannot start, why, and which variables decide about it."""
    stages = ALL_STAGES
    stage = stages.get(setting, "noise_suppression").replace("_", " ")
    variable = f"{PREFIX}{setting.upper()}"
    options = f", its options are {variable}_…" if setting in stages else ""
    return (
        f"{stage} cannot start: {failure.message} "
        f"(chosen by {variable}{options}; see docs/reference/settings.md)"
    )
