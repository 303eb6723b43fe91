"""Applying a ``session.update``: what is merged, what is refused, what is frozen.

Pure: a configuration and an update in, the new configuration out, or a ``ProtocolError`` and
nothing applied. Source: voice agent protocol, sections 3, 4.2, 4.10 and 9.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from antiphon_protocol import ranges
from antiphon_protocol.audio import ENCODINGS, PCM
from antiphon_protocol.errors import (
    AgentIdNotFirst,
    ImmutableField,
    InternalError,
    InvalidConfig,
    InvalidFormat,
    InvalidValue,
)
from antiphon_protocol.session_config import (
    FORMER_VOICES,
    IMMUTABLE_PATHS,
    VOICES,
    AudioFormat,
    InputConfig,
    InputUpdate,
    OutputConfig,
    OutputUpdate,
    SessionConfig,
    SessionUpdate,
    Tool,
    ToolUpdate,
    TurnDetection,
    TurnDetectionUpdate,
)
from antiphon_server.dialects.tool_checks import keypad_only

MOST_TOOLS = 64
MOST_SCHEMA_BYTES = 32_768
"""A tool's parameters, as JSON: the model reads them with every reply."""
MOST_PROMPT_CHARACTERS = 131_072
MOST_CONFIG_BYTES = 196_608
"""The whole, as JSON. It is echoed twice at once, within what may wait for a client, and clients
commonly take no message of more than a mebibyte (section 1.6).
"""


def apply(
    current: SessionConfig, update: SessionUpdate, *, first: bool, former_voices: bool
) -> SessionConfig:
    """The configuration after the update.

    ``first``: no update has been accepted yet. Raises a ``ProtocolError``; whether it is fatal
    is the caller's to ask (``on_first_update``).
    """
    refuse_what_is_not_inline(update, first=first)
    changed = replace(
        current,
        **_given(
            {
                "system_prompt": _or_default(update.system_prompt, ""),
                "greeting": update.greeting,
                "input": _input(current.input, update.input, first=first),
                "output": _output(
                    current.output, update.output, first=first, former_voices=former_voices
                ),
                "tools": _tools(update.tools),
                "pre_connect_requests": _requests(update.pre_connect_requests),
            }
        ),
    )
    check_sizes(changed)
    ranges.check(changed)
    if not first:
        _check_immutable(current, changed)
    return changed


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not UNSET}


def _or_default(value: Any, default: Any) -> Any:
    """Null stands for the default (section 9, row 18)."""
    return default if value is None else value


def refuse_what_is_not_inline(update: SessionUpdate, *, first: bool) -> None:
    """An ``agent_id`` stands alone and comes first, a webhook comes first, and an ``llm`` is a
    stored agent's. Raises a ``ProtocolError``.
    """
    if update.agent_id is not UNSET and update.agent_id is not None:
        if not first:
            raise AgentIdNotFirst
        others = [name for name in update.__struct_fields__ if name != "agent_id"]
        if any(getattr(update, name) is not UNSET for name in others):
            raise InvalidValue(
                "agent_id is mutually exclusive with other session fields", "agent_id"
            )
    if update.llm is not UNSET and update.llm is not None:
        raise InvalidValue(
            "BYO LLM config is not allowed on session.update; define it on a stored agent via "
            "POST /v1/agents",
            "llm",
        )
    if update.webhook is not UNSET and update.webhook is not None and not first:
        raise ImmutableField("webhook")


def _requests(value: Any) -> Any:
    if value is UNSET:
        return UNSET
    entries = value or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InvalidFormat("Invalid message format for type 'session.update'")
    return tuple(entries)


# --- input and output --------------------------------------------------------------------


def _input(current: InputConfig, update: InputUpdate | UnsetType | None, *, first: bool) -> Any:
    if update is UNSET or update is None:
        return UNSET
    default = InputConfig()
    values = _given(
        {
            name: _or_default(getattr(update, name), getattr(default, name))
            for name in update.__struct_fields__
            if name not in {"format", "turn_detection"}
        }
    )
    return replace(
        current,
        **values,
        **_given(
            {
                "format": _format(update.format, "input.format", first=first),
                "turn_detection": _turn_detection(current.turn_detection, update.turn_detection),
            }
        ),
    )


def _output(
    current: OutputConfig,
    update: OutputUpdate | UnsetType | None,
    *,
    first: bool,
    former_voices: bool,
) -> Any:
    if update is UNSET or update is None:
        return UNSET
    voice = _or_default(update.voice, OutputConfig().voice)
    # Later any other voice, good or bad, is refused because it is frozen (section 3.1).
    if voice is not UNSET and first:
        _check_voice(voice, former_voices=former_voices)
    return replace(
        current,
        **_given(
            {
                "type": _or_default(update.type, "audio"),
                "voice": voice,
                "format": _format(update.format, "output.format", first=first),
                "volume": update.volume,
            }
        ),
    )


def _check_voice(voice: str, *, former_voices: bool) -> None:
    if voice in VOICES or (former_voices and voice in FORMER_VOICES):
        return
    known = ", ".join(sorted(VOICES))
    raise InvalidValue(f"Invalid voice '{voice}'. Must be one of: {known}", "output.voice")


def _format(value: Any, path: str, *, first: bool) -> Any:
    if value is UNSET:
        return UNSET
    if value is None:
        return AudioFormat("audio/pcm", PCM.rate)
    if not isinstance(value, dict):
        raise InvalidValue("Audio format must be a JSON object", "format")
    encoding = value.get("encoding") or "audio/pcm"
    if not isinstance(encoding, str) or encoding not in ENCODINGS:
        known = ", ".join(ENCODINGS)
        raise InvalidValue(
            f"Invalid encoding '{encoding}'. Must be one of: {known}", f"{path}.encoding"
        )
    rate = value.get("sample_rate")
    if isinstance(rate, float) and rate.is_integer():
        rate = int(rate)
    if encoding != PCM.name:
        # Whatever rate was sent, G.711 has one (section 7.1).
        return AudioFormat(encoding, ENCODINGS[encoding].rate)  # type: ignore[arg-type]
    if rate is not None and (isinstance(rate, bool) or not isinstance(rate, int)):
        raise InvalidFormat("Invalid message format for type 'session.update'")
    # Later another rate is refused because the format is frozen, and ends no session.
    if first and rate not in {None, PCM.rate}:
        raise InternalError(
            f"Internal service error: audio/pcm is {PCM.rate} samples per second, not {rate}; "
            "resample, or leave sample_rate out",
            f"{path}.sample_rate",
        )
    return AudioFormat("audio/pcm", PCM.rate if rate is None else rate)


def _turn_detection(
    current: TurnDetection | None, update: TurnDetectionUpdate | UnsetType | None
) -> Any:
    if update is UNSET or update is None:
        return update
    default = TurnDetection()
    values = {
        name: _or_default(getattr(update, name), getattr(default, name))
        for name in update.__struct_fields__
    }
    merged = replace(current or default, **_given(values))
    if merged.max_silence > merged.min_silence:
        return merged
    if update.max_silence in {UNSET, None}:
        # A client that only asks for a long minimum means no contradiction.
        return replace(merged, max_silence=min(10_000, merged.min_silence + 1_000))
    raise InvalidConfig(
        "'input.turn_detection.max_silence' must be more than 'min_silence'",
        "input.turn_detection.max_silence",
    )


# --- tools -------------------------------------------------------------------------------


def _tools(updates: tuple[ToolUpdate, ...] | UnsetType | None) -> Any:
    if updates is UNSET:
        return UNSET
    tools = updates or ()
    if isinstance(tools, UnsetType):
        return UNSET
    if len(tools) > MOST_TOOLS:
        raise InvalidValue(f"'tools' must be a list of at most {MOST_TOOLS} entries", "tools")
    names = [tool.name for tool in tools]
    for index, name in enumerate(names):
        if not name.strip():
            raise InvalidValue(f"'tools[{index}].name' must not be empty", f"tools[{index}].name")
        if name in names[:index]:
            raise InvalidValue(
                f"'tools[{index}].name' must be unique: '{name}' is taken", f"tools[{index}].name"
            )
    return tuple(_tool(tool, f"tools[{index}]") for index, tool in enumerate(tools))


def _tool(update: ToolUpdate, path: str) -> Tool:
    if update.dtmf_collected_arguments:
        first = update.dtmf_collected_arguments[0]
        argument = first.get("parameter_name", "") if isinstance(first, dict) else first
        raise keypad_only(update.name, argument, path)
    parameters = _parameters(update.parameters, f"{path}.parameters")
    default = Tool("")
    chosen = {
        name: getattr(update, name)
        for name in (
            "description",
            "timeout_seconds",
            "execution_mode",
            "response_instructions",
            "session_update",
        )
        if getattr(update, name) is not None
    }
    return replace(default, name=update.name, parameters=parameters, **chosen)


def _parameters(value: Any, path: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidValue(f"'{path}' must be an object", path)
    if not isinstance(value.get("properties", {}), dict):
        raise InvalidValue(f"'{path}.properties' must be an object", f"{path}.properties")
    if len(msgspec.json.encode(value)) > MOST_SCHEMA_BYTES:
        raise InvalidValue(f"'{path}' must be at most {MOST_SCHEMA_BYTES} bytes of JSON", path)
    return value


# --- the whole ---------------------------------------------------------------------------


def check_sizes(config: SessionConfig) -> None:
    """Raises ``InvalidValue`` for a configuration that is too large to be used or echoed."""
    for name in ("system_prompt", "greeting"):
        if len(getattr(config, name) or "") > MOST_PROMPT_CHARACTERS:
            raise InvalidValue(
                f"'{name}' must be at most {MOST_PROMPT_CHARACTERS} characters long", name
            )
    if len(msgspec.json.encode(config)) > MOST_CONFIG_BYTES:
        raise InvalidValue(
            f"The configuration must be at most {MOST_CONFIG_BYTES} bytes of JSON", "session"
        )


def _check_immutable(current: SessionConfig, changed: SessionConfig) -> None:
    for path in IMMUTABLE_PATHS:
        if _at(current, path) != _at(changed, path):
            raise ImmutableField(path)


def _at(config: Struct, path: str) -> Any:
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    return value
