"""The providers of a stored agent, as they are written: checked, their keys set aside.

An extension. Pure, as ``agent_changes``.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET, UnsetType

from antiphon_protocol.rest import Fault
from antiphon_protocol.rest_agent_providers import (
    OFF,
    OWN,
    AgentProvider,
    AgentProviderChange,
    AgentProviders,
    AgentProvidersChange,
)
from antiphon_server.rest.errors import Invalid
from antiphon_server.rest.shapes import Place
from antiphon_server.stages.offered import OFFERED, check_name, check_options

Keys = Mapping[str, tuple[str, ...]]
"""By stage, and by position in its list."""


def providers_of(
    asked: AgentProvidersChange | None, before: AgentProviders | UnsetType, kept: Keys
) -> tuple[AgentProviders | UnsetType, dict[str, tuple[str, ...]]]:
    """Who is to serve, and with which keys; nobody where no stage is listed.

    What is written replaces all that was, but for keys. Raises ``Invalid``.
    """
    if asked is None:
        return before, dict(kept)
    choices: dict[str, tuple[AgentProvider, ...]] = {}
    keys: dict[str, tuple[str, ...]] = {}
    for stage in OFFERED:
        listed: tuple[AgentProviderChange, ...] = getattr(asked, stage) or ()
        old = [] if before is UNSET else getattr(before, stage)
        known = [(one.name, key) for one, key in zip(old, kept.get(stage, ()), strict=False)]
        if listed:
            place: Place = ("body", "providers", stage)
            keys[stage] = tuple(_key(one, known) for one in listed)
            for index, (one, key) in enumerate(zip(listed, keys[stage], strict=True)):
                _check(stage, one, key, (*place, index))
            _check_off(listed, place)
            choices[stage] = tuple(AgentProvider(one.name, one.options or {}) for one in listed)
    return (AgentProviders(**choices) if choices else UNSET), keys


def check_against_models(providers: AgentProviders | UnsetType, *, has_models: bool) -> None:
    """Raises ``Invalid`` for an agent with two answers to who writes its replies."""
    if not has_models or providers is UNSET:
        return
    converses = any(one.name != OFF for one in providers.s2s)
    if providers.llm or converses:
        which = "llm" if providers.llm else "s2s"
        raise _wrong(("body", "providers", which), "An agent that has `llm` chooses no other model")


def _key(one: AgentProviderChange, known: list[tuple[str, str]]) -> str:
    """The one that is given, or that was kept for the first provider of this name that is left."""
    stored = next((entry for entry in known if entry[0] == one.name), None)
    if stored is not None:
        known.remove(stored)
    if one.api_key is not None:
        return one.api_key
    return "" if stored is None else stored[1]


def _check(stage: str, one: AgentProviderChange, key: str, place: Place) -> None:
    try:
        check_name(stage, one.name)
    except ValueError as wrong:
        raise _wrong((*place, "name"), str(wrong)) from None
    try:
        check_options(stage, one.name, one.options or {}, key)
    except ValueError as wrong:
        names_nobody = one.name in {OWN, OFF}
        where = "options" if key or names_nobody else "api_key"
        raise _wrong((*place, where), str(wrong)) from None


def _check_off(listed: tuple[AgentProviderChange, ...], place: Place) -> None:
    """Nobody stands in for nobody, nor it for somebody."""
    for index, one in enumerate(listed):
        if one.name == OFF and len(listed) > 1:
            raise _wrong((*place, index, "name"), "`off` stands alone in its list")


def _wrong(place: Place, told: str) -> Invalid:
    return Invalid((Fault("value_error", place, told, None),))
