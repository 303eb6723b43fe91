"""Providers by name, from entry points.

A package offers a provider under one of the groups ``antiphon.voice_activity``,
``antiphon.turn_model``, ``antiphon.speech_to_text``, ``antiphon.language_model``,
``antiphon.text_to_speech``, ``antiphon.speech_to_speech`` and ``antiphon.noise_suppression``. The
entry point names a callable that takes its options (a ``msgspec.Struct`` given as its attribute
``Options``) and returns the provider::

    [project.entry-points."antiphon.text_to_speech"]
    carillon = "carillon.antiphon:Carillon"

Options come from settings as text (``ANTIPHON_TTS_VOICE=...`` becomes ``voice``) and are
converted to the types of the struct.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

import msgspec

from antiphon_providers.errors import NotInstalled, Refused

Stage = Literal[
    "voice_activity",
    "turn_model",
    "speech_to_text",
    "language_model",
    "text_to_speech",
    "speech_to_speech",
    "noise_suppression",
]
STAGES: tuple[Stage, ...] = (
    "voice_activity",
    "turn_model",
    "speech_to_text",
    "language_model",
    "text_to_speech",
    "speech_to_speech",
    "noise_suppression",
)


class NoOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For a provider that has nothing to set."""


def installed(stage: Stage) -> dict[str, EntryPoint]:
    """The providers of a stage that are installed, by name."""
    return {entry.name: entry for entry in entry_points(group=f"antiphon.{stage}")}


def load(stage: Stage, name: str) -> Any:
    """The provider's factory.

    Raises ``Refused`` for a name that is not installed, naming those that are, and
    ``NotInstalled`` when its own imports fail.
    """
    found = installed(stage)
    if name not in found:
        known = ", ".join(sorted(found)) or "none"
        raise Refused(
            f"there is no {stage.replace('_', ' ')} provider '{name}'; installed: {known}",
            provider=name,
        )
    try:
        return found[name].load()
    except ImportError as missing:
        raise NotInstalled(
            f"the {stage.replace('_', ' ')} provider '{name}' needs a package that is not "
            f"installed: {missing}",
            provider=name,
        ) from missing


def options_of(factory: Any) -> type[msgspec.Struct]:
    """The struct of a provider's options."""
    return getattr(factory, "Options", NoOptions)


def create(stage: Stage, name: str, options: Mapping[str, str] | None = None) -> Any:
    """A provider, made from settings; not yet started.

    Raises ``Refused`` for an unknown name or an option that cannot be.
    """
    factory = load(stage, name)
    struct = options_of(factory)
    try:
        settings = msgspec.convert(dict(options or {}), struct, strict=False)
    except msgspec.ValidationError as wrong:
        known = ", ".join(struct.__struct_fields__) or "none"
        raise Refused(
            f"the {stage.replace('_', ' ')} provider '{name}' cannot use its settings: {wrong}; "
            f"its options: {known}",
            provider=name,
        ) from wrong
    return factory(settings)
