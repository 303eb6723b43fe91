"""Settings that are read again while calls go on: the providers they choose take over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import msgspec
import structlog

from antiphon_server.edge.backstage import StartFailed
from antiphon_server.edge.pipeline import RECOGNISER, Pipeline, advice
from antiphon_server.env_file import Environment
from antiphon_server.settings import (
    ALL_STAGES,
    PREFIX,
    ROUTE,
    WHOLE_TURNS,
    Settings,
    SettingsError,
)
from antiphon_server.stages.changes import ChangeFailed, without_secrets

log = structlog.get_logger()

Reading = Callable[[Mapping[str, str]], Settings]
"""Settings from variables. Raises ``SettingsError``."""

_LIVE = frozenset({*ALL_STAGES, ROUTE, "prices", "filler", "filler_ms", "apology", "options"})
"""Settings that count from the next call, turn or amount on."""


class Reload:
    """Takes what has changed in the environment's file each time that it is asked to.

    What cannot be is refused as a whole, with a line in the log, and nothing changes.
    """

    def __init__(self, pipeline: Pipeline, environment: Environment, reading: Reading) -> None:
        self._pipeline = pipeline
        self._first = pipeline.settings
        self._environment = environment
        self._reading = reading
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Somebody wants it read again; if it is being read, then once more after that."""
        self._asked.set()

    async def run(self) -> None:
        """Reads when asked, until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            try:
                await self.read()
            except Exception:
                # A fault of our own, or a provider's: calls go on as they were served.
                log.exception("settings could not be taken")

    async def read(self) -> None:
        """Reads and takes them, or tells why not."""
        reason = await self._take()
        if reason:
            log.error("settings were refused; nothing changes", reason=reason)

    async def _take(self) -> str:
        """Empty, or why nothing has changed."""
        try:
            variables = await asyncio.to_thread(self._environment.read)
            settings = self._reading(variables)
        except SettingsError as wrong:
            return str(wrong)
        former = self._environment.foreign()
        undo = self._environment.use(variables)
        try:
            anew = self._environment.foreign() != former
            changed = await self._pipeline.follow(settings, anew=anew)
        except (ChangeFailed, StartFailed) as failure:
            undo()
            return _why(failure, settings)
        except BaseException:
            undo()
            raise
        log.info("settings were read again", changed=changed)
        if waiting := needing_restart(self._first, settings):
            log.warning("settings that changed need a restart", settings=waiting)
        return ""


def needing_restart(first: Settings, now: Settings) -> list[str]:
    """The variables that say something else than at the start, and count at a start only."""
    changed = [
        field.name
        for field in msgspec.structs.fields(Settings)
        if field.name not in _LIVE and getattr(first, field.name) != getattr(now, field.name)
    ]
    if first.turn != now.turn and RECOGNISER in {first.turn, now.turn}:
        changed.append("turn")
    changed += [
        name for name in WHOLE_TURNS if bool(first.candidates(name)) != bool(now.candidates(name))
    ]
    return [f"{PREFIX}{name.upper()}" for name in changed]


def _why(failure: ChangeFailed | StartFailed, settings: Settings) -> str:
    if isinstance(failure, StartFailed):
        return str(failure)
    setting = failure.setting
    if setting not in ALL_STAGES:
        return str(failure)
    return without_secrets(advice(setting, failure.failure), settings.candidates(setting))
