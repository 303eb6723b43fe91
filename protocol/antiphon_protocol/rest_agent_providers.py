"""The providers that a stored agent is served by, as they are written and read.

An extension: the hosted service has no such field, and an agent that has none is read without it.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Struct, field

from antiphon_protocol.units import ranged, says

MOST_PROVIDERS = 3
"""Of one stage."""
OWN = "default"
"""In a list of providers: the server's own for this stage."""
OFF = "off"
"""In place of models that hear and speak: none, not even the server's own."""

_NAME = ranged(
    "Such as `deepgram`; `default` is the server's own, and `off`, for `s2s` alone, none.",
    min_length=1, max_length=64, pattern="^[a-z0-9][a-z0-9_-]*$",
)  # fmt: skip
_OPTIONS = says("Such as `model`, `voice` and `language`; each provider has its own.")
_STT = "Who hears; the first that can, of up to three."
_LLM = "Who thinks; instead of the agent's `llm`."
_TTS = "Who speaks."
_S2S = "Who does it all in one; the others stand in. `off`: nobody, the others do it."


class AgentProviderChange(Struct, frozen=True, forbid_unknown_fields=True):
    """A provider as it is written. A key that is absent is kept while the provider is listed."""

    name: Annotated[str, _NAME]
    options: Annotated[dict[str, Any] | None, _OPTIONS] = None
    api_key: Annotated[
        str | None,
        ranged(
            "Write-only; kept encrypted. Visible ASCII.",
            min_length=1,
            max_length=4096,
            pattern="^[!-~]*$",
        ),
    ] = None

    def __repr__(self) -> str:
        """Without the key."""
        return f"AgentProviderChange({self.name!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("name", self.name)]


class AgentProvider(Struct, frozen=True):
    """A provider as it is read."""

    name: Annotated[str, says("Which provider.")]
    options: Annotated[dict[str, Any], _OPTIONS] = field(default_factory=dict)


_Asked = tuple[AgentProviderChange, ...] | None
_Chosen = tuple[AgentProvider, ...]


class AgentProvidersChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to serve each stage, in order of preference; the server where nobody is listed."""

    stt: Annotated[_Asked, ranged(_STT, max_items=MOST_PROVIDERS)] = None
    llm: Annotated[_Asked, ranged(_LLM, max_items=MOST_PROVIDERS)] = None
    tts: Annotated[_Asked, ranged(_TTS, max_items=MOST_PROVIDERS)] = None
    s2s: Annotated[_Asked, ranged(_S2S, max_items=MOST_PROVIDERS)] = None


class AgentProviders(Struct, frozen=True, omit_defaults=True):
    """Who serves each stage of an agent's sessions that the server does not serve by itself."""

    stt: Annotated[_Chosen, says(_STT)] = ()
    llm: Annotated[_Chosen, says(_LLM)] = ()
    tts: Annotated[_Chosen, says(_TTS)] = ()
    s2s: Annotated[_Chosen, says(_S2S)] = ()
