"""The providers that an agent may bring a key of its own for, and what it may set of them.

A list of what is allowed, for an option may be an address inside the network, a file, or a
field of a request that no one here has thought about: those are the operator's alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from antiphon_protocol.rest_agent_providers import OFF, OWN
from antiphon_providers import registry
from antiphon_providers.errors import ProviderError, Refused
from antiphon_server.settings import ALL_STAGES, WHOLE_TURNS

LONGEST_OPTION = 4096
"""Characters of a text."""

_VOICES = ("model", "voice", "voices", "language")
OFFERED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "stt": {
        "assemblyai": ("model", "language", "format_turns"),
        "deepgram": ("model", "language", "smart_format"),
        "deepgram-flux": ("model", "language", "eot_threshold", "eager_eot_threshold"),
        "openai": ("model", "language", "stream"),
        "openai-realtime": ("model", "language", "noise_reduction"),
    },
    "llm": {
        "anthropic": ("model", "temperature", "max_tokens", "cache"),
        "openai": ("model", "temperature", "max_tokens"),
    },
    "tts": {
        "assemblyai": _VOICES,
        "cartesia": (*_VOICES, "speed", "volume", "emotion"),
        "deepgram": ("voice", "voices"),
        "elevenlabs": (
            *_VOICES, "stability", "similarity_boost", "style", "use_speaker_boost", "speed",
            "auto_mode",
        ),
        "openai": ("model", "voice", "voices", "instructions", "speed"),
    },
    "s2s": {
        "openai-realtime": (*_VOICES, "transcription_model", "noise_reduction"),
    },
}  # fmt: skip
"""By setting and name: the options."""

_UNSETTABLE = {
    OWN: "The server's own provider is the operator's to set",
    OFF: "Where nobody serves there is nothing to set",
}
"""Why there are no options of these."""


class ProviderTarget(Struct, frozen=True):
    """A provider of an agent's own, its key open; ``options`` is a JSON object."""

    name: str
    options: str = "{}"
    api_key: str = ""

    def __repr__(self) -> str:
        """Without the key."""
        return f"ProviderTarget({self.name!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("name", self.name)]


def check_name(setting: str, name: str) -> None:
    """Raises ``ValueError`` for a provider that an agent may not choose."""
    names = _names(setting)
    if name not in names:
        known = ", ".join(names)
        raise ValueError(f"There is no such provider for an agent to choose; there are: {known}")


def check_options(setting: str, name: str, options: Mapping[str, Any], api_key: str) -> None:
    """Whether the provider could be made so. Raises ``ValueError`` that never has the key."""
    if name in _UNSETTABLE:
        if options or api_key:
            raise ValueError(_UNSETTABLE[name])
        return
    allowed = OFFERED[setting][name]
    unknown = next((option for option in options if option not in allowed), None)
    if unknown is not None:
        raise ValueError(
            f"'{unknown[:64]}' is no option that an agent may set; its options: "
            + ", ".join(allowed)
        )
    if not api_key:
        raise ValueError("It needs the api_key of an account of yours")
    flat = _flat(options)
    for option, value in flat.items():
        if isinstance(value, str) and (
            len(value) > LONGEST_OPTION or "\0" in value or r"\u0000" in value
        ):
            raise ValueError(f"'{option}' is no text of at most {LONGEST_OPTION} characters")
    try:
        struct = registry.options_of(_factory(setting, name))
        msgspec.convert({**flat, "api_key": api_key}, struct, strict=False)
    except msgspec.ValidationError as wrong:
        raise ValueError(f"It cannot use its options: {wrong}") from None
    except ProviderError as failure:
        raise ValueError(failure.message) from None


def make(setting: str, target: ProviderTarget, base_url: str | None) -> Any:
    """The provider, not yet started. Raises ``ProviderError``.

    ``base_url`` is where the operator has it, if that is not the vendor's own address.
    """
    if target.name not in OFFERED[setting]:
        raise Refused(f"'{target.name}' is not offered any more", provider=target.name)
    given = msgspec.json.decode(target.options, type=dict[str, Any])
    options = {**_flat(given), "api_key": target.api_key}
    if base_url is not None:
        options["base_url"] = base_url
    factory = _factory(setting, target.name)
    try:
        return factory(msgspec.convert(options, registry.options_of(factory), strict=False))
    except msgspec.ValidationError as wrong:
        told = f"it cannot use its options any more: {wrong}"
        raise Refused(told, provider=target.name) from None


@cache
def _factory(setting: str, name: str) -> Any:
    """Remembered, for a look at what is installed holds all calls up. Raises ``ProviderError``."""
    return registry.load(ALL_STAGES[setting], name)


@cache
def _names(setting: str) -> tuple[str, ...]:
    there = registry.installed(ALL_STAGES[setting])
    nobody = (OFF,) if setting in WHOLE_TURNS else ()
    return (OWN, *nobody, *(name for name in OFFERED[setting] if name in there))


def _flat(options: Mapping[str, Any]) -> dict[str, Any]:
    """As settings would have them: objects are texts."""
    return {
        name: msgspec.json.encode(value).decode() if isinstance(value, dict) else value
        for name, value in options.items()
    }
