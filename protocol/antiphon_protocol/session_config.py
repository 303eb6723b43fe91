"""The session object: what a client may set, in which ranges, and what may change when.

Two shapes of one thing. ``SessionUpdate`` is what a client sends: every key optional, a key
that is absent (``UNSET``) keeps its value. ``SessionConfig`` is the whole effective
configuration, which the server echoes in ``session.updated`` and ``session.ready``.

Source: voice agent protocol, sections 2.3 (the echo) and 3 (fields, ranges, mutability).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Struct, UnsetType, field

from antiphon_protocol.units import ranged, says, shaped

Modality = Literal["audio", "text"]
EncodingName = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]
TranscriptionMode = Literal["min_latency", "balanced", "max_accuracy"]
VoiceFocus = Literal["near-field", "far-field"]
ExecutionMode = Literal["interactive", "hold"]
ProtectedTurn = Literal["greeting", "dtmf_prompt", "tool_refused_ask"]
HttpMethod = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
WebhookEvent = Literal[
    "session.started", "session.completed", "call.connected", "call.ended", "call.failed"
]

VOICES = (
    "alba", "anna", "charles", "estelle", "eve", "george", "giovanni", "iris", "jane", "jean",
    "juergen", "lola", "mary", "michael", "paul", "rafael", "reid", "vera",
)  # fmt: skip
"""The catalogue of section 3.4, in the order in which an error message lists it."""

FORMER_VOICES = (
    "arjun", "autumn", "bella", "claire", "david", "dawn", "diego", "dmitri", "eleanor", "emma",
    "ethan", "giulia", "grace", "hana", "helen", "ivy", "jack", "james", "joon", "josh", "kyle",
    "lena", "luca", "lucia", "lukas", "martha", "mateo", "mei", "mia", "mina", "oliver", "pete",
    "pierre", "ren", "river", "sam", "sophie", "tyler", "victor", "winter",
)  # fmt: skip
"""Names of earlier generations that real clients still send (section 3.4)."""

DEFAULT_VOICE = "anna"

IMMUTABLE_PATHS = (
    "greeting",
    "input.type",
    "input.format",
    "output.type",
    "output.voice",
    "output.format",
)
"""Frozen at the first accepted update (section 3.1); re-sending the same value is accepted."""


# --- one meaning and one range per field, for both shapes ----------------------------------

_ENCODING = says(
    "`audio/pcm`: int16 little-endian mono; `audio/pcmu` and `audio/pcma`: G.711, 8-bit mono."
)
_SAMPLE_RATE = says("Samples per second: 24000 for PCM. G.711 is always 8000, whatever is sent.")
_LEGACY_TYPE = says("Legacy; accepted and ignored.")
_VAD_THRESHOLD = ranged("Probability of speech above which a window counts as voice.", ge=0, le=1)
_MIN_SILENCE = ranged("Milliseconds of silence after which a finished turn ends.", ge=50, le=10_000)
_MAX_SILENCE = ranged(
    "Milliseconds of silence after which any turn ends; more than `min_silence`.",
    ge=50,
    le=10_000,
)
_INTERRUPT_RESPONSE = says("False: the user cannot interrupt the agent.")
_INTERRUPTION_DELAY = ranged(
    "Milliseconds of speech before an interruption counts; by default 0 in `min_latency`, "
    "otherwise 500.",
    ge=0,
    le=1000,
)
_UNINTERRUPTIBLE_TURNS = says("Kinds of turn during which the user's speech is discarded.")
_TOOL_NAME = says("What the model calls it; unique in the list.")
_TOOL_TYPE = says("Always `function`.")
_TOOL_DESCRIPTION = says("When and what for; the model reads it.")
_PARAMETERS = says("JSON Schema of the arguments object; `{}` takes none.")
_TIMEOUT_SECONDS = ranged("Seconds until an unanswered call counts as failed.", ge=1, le=300)
_EXECUTION_MODE = says("`hold` keeps the conversation waiting for the result.")
_RESPONSE_INSTRUCTIONS = says("Guidance for the spoken reply that follows the result.")
_SWITCH = says("Undocumented in the hosted service; echoed and otherwise ignored.")
_HEARD_AS = says("`text`: the user writes, and no audio is taken. An extension.")
_SPOKEN_AS = says("`text`: replies come as transcripts only. An extension.")
_INPUT_FORMAT = "Encoding of the microphone audio."
_OUTPUT_FORMAT = "Encoding of the reply audio; independent of the input's."
_TURN_DETECTION = says("Null: adaptive endpointing, the recommended default.")
_KEYTERMS = ranged("Words to expect, such as names.", max_items=100)
_TRANSCRIPTION_MODE = says("Speed against care in ending turns; null is `balanced`.")
_CONTINUOUS_PARTIALS = says("Undocumented in the hosted service; echoed.")
_TRANSCRIPTION_PROMPT = ranged("What the conversation is about.", max_length=1750)
_LANGUAGE_CODES = says("Languages to expect, such as `en`; null detects the language.")
_VOICE_FOCUS = says("Noise suppression; null is off.")
_VOICE_FOCUS_THRESHOLD = ranged("How strongly voice focus acts.", ge=0, le=1)
_VOICE = says("Name of the voice that speaks.")
_VOLUME = ranged("Percent; null is native level.", ge=0, le=100)
_SYSTEM_PROMPT = says("Who the agent is and what it does; the model reads it.")
_GREETING = says("Spoken word for word at the start; without one the agent listens first.")
_INPUT = says("What the server hears and how it listens.")
_OUTPUT = says("What the server says and how it sounds.")
_TOOLS = says("Functions the model may call; an update replaces the whole list.")
_LLM = "The language model of a stored agent; refused in a `session.update`."
_PRE_CONNECT = "Telephony only; without effect on a WebSocket session."

# --- the whole configuration, as echoed ----------------------------------------------------


class AudioFormat(Struct, frozen=True, omit_defaults=False):
    """How audio bytes are to be read, in one direction."""

    encoding: Annotated[EncodingName, _ENCODING] = "audio/pcm"
    sample_rate: Annotated[int | None, _SAMPLE_RATE] = None


class TurnDetection(Struct, frozen=True):
    """When the server decides that the user has finished, and may be interrupted.

    Any object here, even an empty one, replaces adaptive endpointing by fixed windows
    (section 3.2).
    """

    type: Annotated[Literal["semantic_vad", "server_vad"] | None, _LEGACY_TYPE] = None
    vad_threshold: Annotated[float, _VAD_THRESHOLD] = 0.5
    min_silence: Annotated[int, _MIN_SILENCE] = 1000
    max_silence: Annotated[int, _MAX_SILENCE] = 3000
    interrupt_response: Annotated[bool, _INTERRUPT_RESPONSE] = True
    interruption_delay: Annotated[int | None, _INTERRUPTION_DELAY] = None
    uninterruptible_turns: Annotated[tuple[ProtectedTurn, ...], _UNINTERRUPTIBLE_TURNS] = ()


class ResponseInstructions(Struct, frozen=True):
    """Guidance for the spoken reply that follows a tool's result."""

    success: Annotated[str | None, ranged("After a result.", max_length=500)] = None
    error: Annotated[str | None, ranged("After a failure.", max_length=500)] = None


class HttpTool(Struct, frozen=True):
    """How the server calls a tool itself; stored agents only (section 3.3).

    The header fields have the hosted service's names and are always empty: a secret never
    travels to a client.
    """

    url: Annotated[str, ranged("Where the server sends the arguments.", max_length=2048)]
    method: Annotated[HttpMethod, says("HTTP method.")] = "POST"
    headers_ciphertext: Annotated[str, says("Always empty.")] = ""
    headers_encrypted_data_key: Annotated[str, says("Always empty.")] = ""
    headers_kms_key_id: Annotated[str, says("Always empty.")] = ""


class SessionUpdateSwitch(Struct, frozen=True):
    """Undocumented switch of the hosted schema; accepted, echoed and otherwise ignored."""

    enabled: Annotated[bool | None, _SWITCH] = True


class Tool(Struct, frozen=True):
    """A function the model may call, flat, as it counts in the session."""

    name: Annotated[str, _TOOL_NAME]
    type: Annotated[Literal["function"], _TOOL_TYPE] = "function"
    description: Annotated[str, _TOOL_DESCRIPTION] = ""
    parameters: Annotated[dict[str, Any], _PARAMETERS] = field(default_factory=dict)
    timeout_seconds: Annotated[float, _TIMEOUT_SECONDS] = 120
    execution_mode: Annotated[ExecutionMode, _EXECUTION_MODE] = "interactive"
    http: Annotated[
        HttpTool | None, says("Not null: the server runs the tool; do not answer its calls.")
    ] = None
    response_instructions: Annotated[ResponseInstructions | None, _RESPONSE_INSTRUCTIONS] = None
    deployment_id: Annotated[str | None, says("Hosted tools only; always null.")] = None
    session_update: Annotated[SessionUpdateSwitch | None, _SWITCH] = None
    image_tag: Annotated[str | None, says("Hosted tools only; always null.")] = None


class InputConfig(Struct, frozen=True):
    """What the server hears and how it listens."""

    type: Annotated[Modality, _HEARD_AS] = "audio"
    format: Annotated[AudioFormat, says(_INPUT_FORMAT)] = AudioFormat("audio/pcm", 24_000)
    turn_detection: Annotated[TurnDetection | None, _TURN_DETECTION] = None
    keyterms: Annotated[tuple[str, ...] | None, _KEYTERMS] = None
    transcription_mode: Annotated[TranscriptionMode | None, _TRANSCRIPTION_MODE] = None
    continuous_partials: Annotated[bool | None, _CONTINUOUS_PARTIALS] = None
    transcription_prompt: Annotated[str | None, _TRANSCRIPTION_PROMPT] = None
    language_codes: Annotated[tuple[str, ...] | None, _LANGUAGE_CODES] = None
    voice_focus: Annotated[VoiceFocus | None, _VOICE_FOCUS] = None
    voice_focus_threshold: Annotated[float | None, _VOICE_FOCUS_THRESHOLD] = None


class OutputConfig(Struct, frozen=True):
    """What the server says and how it sounds."""

    type: Annotated[Modality, _SPOKEN_AS] = "audio"
    voice: Annotated[str, _VOICE] = DEFAULT_VOICE
    format: Annotated[AudioFormat, says(_OUTPUT_FORMAT)] = AudioFormat("audio/pcm", 24_000)
    volume: Annotated[float | None, _VOLUME] = None


class SessionConfig(Struct, frozen=True):
    """The whole effective configuration of a session, as echoed (section 2.3)."""

    id: Annotated[str, says("The session's id.")]
    system_prompt: Annotated[str, _SYSTEM_PROMPT] = ""
    greeting: Annotated[str | None, _GREETING] = None
    input: Annotated[InputConfig, _INPUT] = InputConfig()
    output: Annotated[OutputConfig, _OUTPUT] = OutputConfig()
    tools: Annotated[tuple[Tool, ...], _TOOLS] = ()
    llm: Annotated[tuple[dict[str, Any], ...], ranged(_LLM, max_items=4)] = ()
    pre_connect_requests: Annotated[
        tuple[dict[str, Any], ...], ranged(_PRE_CONNECT, max_items=2)
    ] = ()


# --- what a client sends: every optional key may be absent, or null for its default --------


class AudioFormatUpdate(Struct, frozen=True):
    """How audio bytes are to be read, as a client declares it."""

    encoding: Annotated[EncodingName | UnsetType | None, _ENCODING] = UNSET
    sample_rate: Annotated[int | UnsetType | None, _SAMPLE_RATE] = UNSET


class TurnDetectionUpdate(Struct, frozen=True):
    """The keys of ``TurnDetection`` a client sends; an absent key keeps its value."""

    type: Annotated[Literal["semantic_vad", "server_vad"] | UnsetType | None, _LEGACY_TYPE] = UNSET
    vad_threshold: Annotated[float | UnsetType | None, _VAD_THRESHOLD] = UNSET
    min_silence: Annotated[int | UnsetType | None, _MIN_SILENCE] = UNSET
    max_silence: Annotated[int | UnsetType | None, _MAX_SILENCE] = UNSET
    interrupt_response: Annotated[bool | UnsetType | None, _INTERRUPT_RESPONSE] = UNSET
    interruption_delay: Annotated[int | UnsetType | None, _INTERRUPTION_DELAY] = UNSET
    uninterruptible_turns: Annotated[
        tuple[ProtectedTurn, ...] | UnsetType | None, _UNINTERRUPTIBLE_TURNS
    ] = UNSET


class InputUpdate(Struct, frozen=True):
    """The keys of ``input`` a client sends; an absent key keeps its value."""

    type: Annotated[Modality | UnsetType | None, _HEARD_AS] = UNSET
    format: Annotated[Any, shaped(_INPUT_FORMAT, AudioFormatUpdate | None)] = UNSET
    turn_detection: Annotated[TurnDetectionUpdate | UnsetType | None, _TURN_DETECTION] = UNSET
    keyterms: Annotated[tuple[str, ...] | UnsetType | None, _KEYTERMS] = UNSET
    transcription_mode: Annotated[TranscriptionMode | UnsetType | None, _TRANSCRIPTION_MODE] = UNSET
    continuous_partials: Annotated[bool | UnsetType | None, _CONTINUOUS_PARTIALS] = UNSET
    transcription_prompt: Annotated[str | UnsetType | None, _TRANSCRIPTION_PROMPT] = UNSET
    language_codes: Annotated[tuple[str, ...] | UnsetType | None, _LANGUAGE_CODES] = UNSET
    voice_focus: Annotated[VoiceFocus | UnsetType | None, _VOICE_FOCUS] = UNSET
    voice_focus_threshold: Annotated[float | UnsetType | None, _VOICE_FOCUS_THRESHOLD] = UNSET


class OutputUpdate(Struct, frozen=True):
    """The keys of ``output`` a client sends; an absent key keeps its value."""

    type: Annotated[Modality | UnsetType | None, _SPOKEN_AS] = UNSET
    voice: Annotated[str | UnsetType | None, _VOICE] = UNSET
    format: Annotated[Any, shaped(_OUTPUT_FORMAT, AudioFormatUpdate | None)] = UNSET
    volume: Annotated[float | UnsetType | None, _VOLUME] = UNSET


class ToolUpdate(Struct, frozen=True, omit_defaults=True):
    """A tool as a client declares it; nulls stand for defaults, other keys are ignored."""

    name: Annotated[str, _TOOL_NAME]
    type: Annotated[Literal["function"], _TOOL_TYPE]
    description: Annotated[str | None, _TOOL_DESCRIPTION] = None
    parameters: Annotated[
        Any, shaped("JSON Schema of the arguments object.", dict[str, Any] | None)
    ] = None
    timeout_seconds: Annotated[float | None, _TIMEOUT_SECONDS] = None
    execution_mode: Annotated[ExecutionMode | None, _EXECUTION_MODE] = None
    response_instructions: Annotated[ResponseInstructions | None, _RESPONSE_INSTRUCTIONS] = None
    session_update: Annotated[SessionUpdateSwitch | None, _SWITCH] = None
    dtmf_collected_arguments: Annotated[
        tuple[Any, ...] | None, says("Telephony only: refused on a WebSocket session.")
    ] = None


class Webhook(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the server reports this session's events."""

    url: Annotated[str, ranged("Receives a signed POST per event.", max_length=2048)]
    events: Annotated[
        tuple[WebhookEvent, ...], ranged("Which events to report, each once.", min_items=1)
    ]
    secret: Annotated[
        str | None,
        ranged("Key of the signature: printable ASCII.", min_length=32, max_length=256),
    ] = None


class SessionUpdate(Struct, frozen=True, forbid_unknown_fields=True):
    """The ``session`` object of ``session.update``; an unknown top-level key is refused.

    The first update has either ``agent_id`` alone or the other keys. ``greeting`` is the one
    key for which null is refused.
    """

    agent_id: Annotated[
        str | UnsetType | None, says("A stored agent: first update only, without other keys.")
    ] = UNSET
    greeting: Annotated[str | UnsetType, _GREETING] = UNSET
    input: Annotated[InputUpdate | UnsetType | None, _INPUT] = UNSET
    llm: Annotated[Any, shaped(_LLM, tuple[dict[str, Any], ...] | None)] = UNSET
    output: Annotated[OutputUpdate | UnsetType | None, _OUTPUT] = UNSET
    pre_connect_requests: Annotated[
        Any, shaped(_PRE_CONNECT, tuple[dict[str, Any], ...] | None)
    ] = UNSET
    system_prompt: Annotated[str | UnsetType | None, _SYSTEM_PROMPT] = UNSET
    tools: Annotated[tuple[ToolUpdate, ...] | UnsetType | None, _TOOLS] = UNSET
    webhook: Annotated[
        Any,
        shaped(
            "Where to report this session's events; a server without webhooks refuses it.",
            Webhook | None,
        ),
    ] = UNSET
