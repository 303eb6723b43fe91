"""Stored agents, as they are written and read: ``/v1/agents``.

What is written and what is read differ where there are secrets: a header's value and a model's
key go in and never come out. Source: voice agent protocol, sections 3.3, 3.5, 3.6 and 6.2.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Struct, UnsetType, field

from antiphon_protocol.rest import Page
from antiphon_protocol.rest_agent_providers import AgentProviders, AgentProvidersChange
from antiphon_protocol.session_config import (
    AudioFormatUpdate,
    ExecutionMode,
    HttpMethod,
    InputConfig,
    InputUpdate,
    Modality,
    OutputConfig,
    ResponseInstructions,
    SessionUpdateSwitch,
)
from antiphon_protocol.units import ranged, says, shaped

MOST_MODELS = 4
"""The hosted service takes one; here an ordered list is a chain of fallbacks."""
CALL_FACTS = ("caller_number", "dialed_number", "direction", "agent_id", "session_id")
"""What any pre-connect request may send."""

_TEXT = r"^[^\u0000]*$"
"""No character that PostgreSQL cannot hold."""
_VISIBLE = "^[!-~]*$"
_E164 = r"^\+[1-9][0-9]{1,14}$"

_NAME = ranged("For people.", min_length=1, max_length=512, pattern=_TEXT)
_PROMPT = ranged("Who the agent is and what it does; the model reads it.", max_length=131_072)
_GREETING = ranged("Spoken word for word at the start; null: it listens first.", max_length=131_072)
_VOICE = says("The voice that speaks.")
_INPUT = says("What the agent hears and how it listens; replaced as a whole.")
_OUTPUT = says("How the agent sounds; replaced as a whole. The voice is in `voice`.")
_TOOLS = "Functions the model may call; a list replaces the stored one."
_PRE_CONNECT = "Asked before a telephone call begins; without effect on a WebSocket session."
_TARGETS = "Where a telephone call may go; without effect on a WebSocket session."
_TRUNK = ranged("SIP trunk of transfers.", min_length=1, max_length=256)
_CALLER = ranged("Number shown to those who are called: E.164.", pattern=_E164)
_LLM = "The models that answer instead of the server's own: the first that does, of up to four."
_PLATFORM_TOOLS = says("Whether the model is given the platform's tools, of which there are none.")
_PROVIDERS = says(
    "Who serves the stages of its sessions instead of the server's own; replaced as a whole. "
    "An extension; absent where there are none."
)
_URL = ranged("`https`, with a public name.", min_length=1, max_length=2048)
_METHOD = says("GET and DELETE carry the arguments in the query, the others as a JSON body.")
_SCHEMA = "JSON Schema of the arguments object; `{}` takes none."
_TIMEOUT = ranged("Seconds until a call counts as failed.", ge=1, le=300)
_EXECUTION = says("`hold` keeps the conversation waiting for the result.")
_AFTER = says("Guidance for the spoken reply that follows the result.")
_KEYPAD = "Arguments from the keypad of a telephone; a WebSocket session with such a tool fails."
_SWITCH = says("Undocumented in the hosted service; echoed and otherwise ignored.")
_EFFORT = ranged(
    "How much the model thinks, such as `low`; empty: as it does by itself.",
    pattern="^([a-z][a-z0-9_-]{0,31})?$",
)


_HEADER = ranged(
    "Such as `Authorization`.", max_length=128, pattern="^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
)


class VoiceChoice(Struct, frozen=True):
    """Which voice speaks."""

    voice_id: Annotated[str, says("Its id in `GET /v1/voices`.")]


# --- requests the server makes -------------------------------------------------------------


class HeaderChange(Struct, frozen=True):
    """A header of a tool's requests: with a value it is set, without one it is kept."""

    name: Annotated[str, _HEADER]
    value: Annotated[
        str | None,
        ranged(
            "Write-only; kept encrypted. Visible ASCII, with spaces and tabs inside.",
            max_length=8192,
            pattern=r"^[!-~]([\t -~]*[!-~])?$",
        ),
    ] = None
    remove: Annotated[bool | None, says("True: it is deleted, as when it is not listed.")] = None

    def __repr__(self) -> str:
        """Without the value."""
        return f"HeaderChange({self.name!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("name", self.name)]


class Header(Struct, frozen=True):
    """A header whose value is kept."""

    name: Annotated[str, says("As it was set.")]
    last_set_at: Annotated[datetime, says("When its value was set: RFC 3339, UTC.")]


class HttpCallChange(Struct, frozen=True):
    """A request that the server makes, as it is written."""

    url: Annotated[str, _URL]
    http_method: Annotated[HttpMethod | None, _METHOD] = None
    headers: Annotated[
        tuple[HeaderChange, ...] | None, ranged("Sent with every request.", max_items=32)
    ] = None


class HttpCall(Struct, frozen=True):
    """A request that the server makes, as it is read."""

    url: Annotated[str, _URL]
    http_method: Annotated[HttpMethod, _METHOD] = "POST"
    headers: Annotated[tuple[Header, ...], says("Sent with every request.")] = ()


class Capture(Struct, frozen=True):
    """A value taken out of the answer to a pre-connect request."""

    name: Annotated[str, ranged("What it is called.", min_length=1, max_length=128)]
    path: Annotated[str, ranged("Such as `customer.tier`.", min_length=1, max_length=512)]
    default: Annotated[str | None, ranged("Where the path is not there.", max_length=4096)] = None


class PreConnectChange(Struct, frozen=True):
    """A request before a telephone call begins, as it is written."""

    http: Annotated[HttpCallChange, says("Header values are kept by position in the list.")]
    sends: Annotated[
        tuple[str, ...] | None,
        ranged("Call facts, and captures of earlier requests.", max_items=32),
    ] = None
    returns: Annotated[tuple[Capture, ...] | None, ranged("What is captured.", max_items=32)] = None
    timeout_ms: Annotated[int | None, ranged("Milliseconds.", ge=1, le=800)] = None
    allow_overrides: Annotated[
        tuple[Literal["greeting"], ...] | None, ranged("What it may replace.", max_items=1)
    ] = None


class PreConnect(Struct, frozen=True):
    """A request before a telephone call begins, as it is read."""

    http: Annotated[HttpCall, says("The request.")]
    sends: Annotated[tuple[str, ...], says("Call facts, and captures of earlier requests.")] = ()
    returns: Annotated[tuple[Capture, ...], says("What is captured.")] = ()
    timeout_ms: Annotated[int | None, says("Milliseconds; null: 800.")] = None
    allow_overrides: Annotated[tuple[str, ...], says("What it may replace.")] = ()


# --- tools ---------------------------------------------------------------------------------


class DtmfCollectionProfile(Struct, frozen=True):
    """An argument that is typed on the keypad of a telephone."""

    parameter_name: Annotated[str, ranged("Which argument.", min_length=1, max_length=128)]
    min_digits: Annotated[int, ranged("Fewest digits.", ge=1, le=64)]
    max_digits: Annotated[int, ranged("Most digits.", ge=1, le=64)]
    prompt: Annotated[str, ranged("Said when it is asked for.", min_length=1, max_length=4096)]
    sensitive: Annotated[bool, says("True: it is neither spoken nor kept.")]
    terminator: Annotated[str | None, ranged("Ends the entry; null: `#`.", pattern="^[0-9*#]$")] = (
        None
    )
    confirm: Annotated[bool | None, says("True: it is read back.")] = None
    timeout_seconds: Annotated[int | None, ranged("Seconds of silence.", ge=1, le=300)] = None
    escalate_hotkey_disabled: Annotated[bool | None, says("True: `*` leads to nobody.")] = None


class AgentToolChange(Struct, frozen=True):
    """A tool as it is written. Its ``id`` is the server's, and ignored."""

    name: Annotated[
        str, ranged("What the model calls it; unique in the list.", min_length=1, max_length=128)
    ]
    description: Annotated[str, ranged("When and what for; the model reads it.", max_length=32_768)]
    parameters: Annotated[dict[str, Any] | None, says(_SCHEMA)] = None
    timeout_seconds: Annotated[int | None, _TIMEOUT] = None
    execution_mode: Annotated[ExecutionMode | None, _EXECUTION] = None
    response_instructions: Annotated[ResponseInstructions | None, _AFTER] = None
    dtmf_collected_arguments: Annotated[
        tuple[DtmfCollectionProfile, ...] | None, ranged(_KEYPAD, max_items=32)
    ] = None
    http: Annotated[
        HttpCallChange | None, says("The server calls it; without, the client does.")
    ] = None
    session_update: Annotated[SessionUpdateSwitch | None, _SWITCH] = None


class AgentTool(Struct, frozen=True, kw_only=True):
    """A tool as it is read."""

    id: Annotated[str, says("Stays while the name does.")]
    name: Annotated[str, says("What the model calls it.")]
    description: Annotated[str, says("When and what for.")] = ""
    parameters: Annotated[dict[str, Any], says(_SCHEMA)] = field(default_factory=dict)
    timeout_seconds: Annotated[int, says("Seconds until a call counts as failed.")] = 120
    execution_mode: Annotated[ExecutionMode, _EXECUTION] = "interactive"
    response_instructions: Annotated[ResponseInstructions | None, _AFTER] = None
    dtmf_collected_arguments: Annotated[tuple[DtmfCollectionProfile, ...], says(_KEYPAD)] = ()
    http: Annotated[HttpCall | None, says("Null: the client calls it.")] = None
    session_update: Annotated[SessionUpdateSwitch | None, _SWITCH] = None


# --- models and telephones -----------------------------------------------------------------


class ModelChange(Struct, frozen=True):
    """A model as it is written. A key or an effort that is absent is kept where the entry stays:
    the same ``base_url``.
    """

    base_url: Annotated[str, ranged("OpenAI-compatible: `https`.", min_length=1, max_length=2048)]
    model: Annotated[str, ranged("Its name there.", min_length=1, max_length=256)]
    api_key: Annotated[
        str | None,
        ranged(
            "Write-only; kept encrypted. Visible ASCII.",
            min_length=1,
            max_length=4096,
            pattern=_VISIBLE,
        ),
    ] = None
    reasoning_effort: Annotated[str | None, _EFFORT] = None

    def __repr__(self) -> str:
        """Without the key."""
        return f"ModelChange({self.model!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("model", self.model)]


class Model(Struct, frozen=True):
    """A model as it is read."""

    base_url: Annotated[str, says("Where it is.")]
    model: Annotated[str, says("Its name there.")]
    reasoning_effort: Annotated[str | None, says("How much the model thinks.")] = None


class TransferTarget(Struct, frozen=True):
    """Where a telephone call may go."""

    name: Annotated[str, ranged("What the model calls it.", min_length=1, max_length=128)]
    kind: Annotated[Literal["human", "agent"], says("Who is there.")]
    phone_number: Annotated[str | None, ranged("Of a human: E.164.", pattern=_E164)] = None
    agent_id: Annotated[str | None, ranged("Of an agent.", max_length=80)] = None
    mode: Annotated[Literal["cold", "warm"] | None, says("`warm` asks first; null: `cold`.")] = None
    consult_instructions: Annotated[str | None, ranged("What is asked.", max_length=32_768)] = None
    ring_timeout_seconds: Annotated[int | None, ranged("Seconds.", ge=1, le=600)] = None
    consult_timeout_seconds: Annotated[int | None, ranged("Seconds.", ge=1, le=3600)] = None
    record_consult: Annotated[bool | None, says("Whether the asking is recorded.")] = None


class OutputChange(Struct, frozen=True):
    """How the agent sounds, as it is written."""

    type: Annotated[Modality | UnsetType | None, says("How the agent answers.")] = UNSET
    format: Annotated[Any, shaped("Encoding of the reply audio.", AudioFormatUpdate | None)] = UNSET
    volume: Annotated[float | UnsetType | None, ranged("Percent.", ge=0, le=100)] = UNSET


# --- agents --------------------------------------------------------------------------------


class AgentCreate(Struct, frozen=True, kw_only=True):
    """The body of ``POST /v1/agents``; null stands for absence."""

    name: Annotated[str, _NAME]
    system_prompt: Annotated[str, _PROMPT]
    voice: Annotated[VoiceChoice, _VOICE]
    greeting: Annotated[str | None, _GREETING] = None
    input: Annotated[InputUpdate | None, _INPUT] = None
    output: Annotated[OutputChange | None, _OUTPUT] = None
    tools: Annotated[tuple[AgentToolChange, ...] | None, ranged(_TOOLS, max_items=64)] = None
    pre_connect_requests: Annotated[
        tuple[PreConnectChange, ...] | None, ranged(_PRE_CONNECT, max_items=2)
    ] = None
    transfer_targets: Annotated[
        tuple[TransferTarget, ...] | None, ranged(_TARGETS, max_items=64)
    ] = None
    outbound_trunk_id: Annotated[str | None, _TRUNK] = None
    caller_id: Annotated[str | None, _CALLER] = None
    llm: Annotated[tuple[ModelChange, ...] | None, ranged(_LLM, max_items=MOST_MODELS)] = None
    platform_tools_enabled: Annotated[bool | None, _PLATFORM_TOOLS] = None
    providers: Annotated[AgentProvidersChange | None, _PROVIDERS] = None


class AgentChange(Struct, frozen=True, kw_only=True):
    """The body of ``PUT /v1/agents/{agent_id}``: what is absent is kept. Null clears what an
    agent may have none of (``greeting``, ``outbound_trunk_id``, ``caller_id``), and otherwise
    stands for absence.
    """

    name: Annotated[str | None, _NAME] = None
    system_prompt: Annotated[str | None, _PROMPT] = None
    voice: Annotated[VoiceChoice | None, _VOICE] = None
    greeting: Annotated[str | UnsetType | None, _GREETING] = UNSET
    input: Annotated[InputUpdate | None, _INPUT] = None
    output: Annotated[OutputChange | None, _OUTPUT] = None
    tools: Annotated[tuple[AgentToolChange, ...] | None, ranged(_TOOLS, max_items=64)] = None
    pre_connect_requests: Annotated[
        tuple[PreConnectChange, ...] | None, ranged(_PRE_CONNECT, max_items=2)
    ] = None
    transfer_targets: Annotated[
        tuple[TransferTarget, ...] | None, ranged(_TARGETS, max_items=64)
    ] = None
    outbound_trunk_id: Annotated[str | UnsetType | None, _TRUNK] = UNSET
    caller_id: Annotated[str | UnsetType | None, _CALLER] = UNSET
    llm: Annotated[tuple[ModelChange, ...] | None, ranged(_LLM, max_items=MOST_MODELS)] = None
    platform_tools_enabled: Annotated[bool | None, _PLATFORM_TOOLS] = None
    providers: Annotated[AgentProvidersChange | None, _PROVIDERS] = None


class AgentBody(Struct, frozen=True, kw_only=True):
    """Everything about an agent that may be read and is not the server's to decide."""

    name: Annotated[str, says("For people.")]
    system_prompt: Annotated[str, says("Who the agent is and what it does.")]
    voice: Annotated[VoiceChoice, _VOICE]
    greeting: Annotated[str | None, says("Spoken at the start; null: it listens first.")] = None
    input: Annotated[InputConfig, says("What the agent hears and how it listens.")] = InputConfig()
    output: Annotated[OutputConfig, says("How the agent sounds.")] = OutputConfig()
    tools: Annotated[tuple[AgentTool, ...], says("Functions the model may call.")] = ()
    pre_connect_requests: Annotated[tuple[PreConnect, ...], says(_PRE_CONNECT)] = ()
    transfer_targets: Annotated[tuple[TransferTarget, ...], says(_TARGETS)] = ()
    outbound_trunk_id: Annotated[str | None, says("SIP trunk of transfers.")] = None
    caller_id: Annotated[str | None, says("Number shown to those who are called.")] = None
    llm: Annotated[tuple[Model, ...], says(_LLM)] = ()
    platform_tools_enabled: Annotated[bool, _PLATFORM_TOOLS] = True
    providers: Annotated[AgentProviders | UnsetType, _PROVIDERS] = UNSET


class Agent(AgentBody, frozen=True, kw_only=True):
    """A stored agent."""

    id: Annotated[str, says("What a session's `agent_id` takes.")]
    created_at: Annotated[datetime, says("RFC 3339, UTC.")]
    updated_at: Annotated[datetime, says("RFC 3339, UTC.")]


class AgentSummary(Struct, frozen=True):
    """An agent in a list."""

    id: Annotated[str, says("What a session's `agent_id` takes.")]
    name: Annotated[str, says("For people.")]
    created_at: Annotated[datetime, says("RFC 3339, UTC.")]
    updated_at: Annotated[datetime, says("RFC 3339, UTC.")]


class AgentList(Page, frozen=True, kw_only=True):
    """The answer of ``GET /v1/agents``."""

    agents: Annotated[tuple[AgentSummary, ...], says("Newest first.")] = ()
