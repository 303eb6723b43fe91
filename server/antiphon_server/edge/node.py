"""One running server: its providers, its keys, its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from antiphon_protocol.errors import AtCapacity
from antiphon_providers import registry
from antiphon_providers.errors import NotInstalled, ProviderError
from antiphon_providers.interfaces import Provider
from antiphon_server.call.ears import Clean, HearingServices
from antiphon_server.call.reply import SpeakingServices
from antiphon_server.call.services import Services
from antiphon_server.security.keys import Keys
from antiphon_server.security.tokens import Tokens
from antiphon_server.settings import STAGE_OPTIONS, Settings

log = structlog.get_logger()


class StartFailed(Exception):
    """A provider cannot serve; the message says which and what to do."""


class Node:
    """What all calls of one process share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.keys = Keys(settings.api_keys, Tokens(one_time=settings.one_time_tokens))
        self.ready = False
        self._sessions = 0
        self._providers: dict[str, Any] = {}
        self._noise_suppression: Callable[[], Clean] | None = None

    @property
    def services(self) -> Services:
        """The providers, by what they do in a call."""
        stages = self._providers
        return Services(
            HearingServices(stages["vad"], stages["turn"], stages["stt"]),
            SpeakingServices(stages["llm"], stages["tts"]),
            self.settings.audio_lead_ms,
            self._noise_suppression,
        )

    def create(self) -> None:
        """Makes the providers from settings. Raises ``StartFailed``."""
        for setting, stage in STAGE_OPTIONS.items():
            name = getattr(self.settings, setting)
            options = self.settings.options.get(setting, {})
            try:
                self._providers[setting] = registry.create(stage, name, options)  # type: ignore[arg-type]
            except ProviderError as failure:
                raise StartFailed(_advice(setting, failure)) from failure
        self._noise_suppression = self._load_noise_suppression()

    def _load_noise_suppression(self) -> Callable[[], Clean] | None:
        """Optional: without it voice focus changes nothing, and the log says so once."""
        try:
            suppression = registry.load("noise_suppression", self.settings.noise)
        except NotInstalled as missing:
            log.warning("voice focus is not available", reason=missing.message)
            return None
        except ProviderError as failure:
            raise StartFailed(_advice("noise", failure)) from failure
        return lambda: suppression().clean

    async def start(self) -> None:
        """Loads everything, so that a call starts without loading anything.

        Raises ``StartFailed``.
        """
        results = await asyncio.gather(
            *(provider.start() for provider in self._providers.values()), return_exceptions=True
        )
        for setting, result in zip(self._providers, results, strict=True):
            if isinstance(result, ProviderError) and result.retryable:
                # It may come back while the server runs; until then its calls say so.
                log.warning("provider is not there yet", advice=_advice(setting, result))
            elif isinstance(result, ProviderError):
                await self.close()
                raise StartFailed(_advice(setting, result)) from result
            elif isinstance(result, BaseException):
                await self.close()
                raise result
        self.ready = True

    async def close(self) -> None:
        """Releases the providers."""
        self.ready = False
        providers: list[Provider] = list(self._providers.values())
        await asyncio.gather(*(provider.close() for provider in providers), return_exceptions=True)

    def enter(self) -> None:
        """One more session. Raises ``AtCapacity``."""
        if self._sessions >= self.settings.max_sessions:
            raise AtCapacity
        self._sessions += 1

    def leave(self) -> None:
        """One session less."""
        self._sessions -= 1


def _advice(setting: str, failure: ProviderError) -> str:
    stage = STAGE_OPTIONS.get(setting, "noise_suppression").replace("_", " ")
    variable = f"ANTIPHON_{setting.upper()}"
    options = f", its options are {variable}_…" if setting in STAGE_OPTIONS else ""
    return (
        f"{stage} cannot start: {failure.message} "
        f"(chosen by {variable}{options}; see docs/reference/settings.md)"
    )
