"""The session object: what a client may set, in which ranges, and what may change when.

Two shapes of one thing. ``SessionUpdate`` is what a client sends: every key optional, a key
that is absent (``UNSET``) keeps its value. ``SessionConfig`` is the whole effective
configuration, which the server echoes in ``session.updated`` and ``session.ready``.

Source: voice agent protocol, sections 2.3 (the echo) and 3 (fields, ranges, mutability).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Struct, UnsetType, field

from antiphon_protocol.units import ranged, says

Modality = Literal["audio", "text"]
EncodingName = Literal["audio/pcm", "audio/pcmu", "audio/pcma"]
TranscriptionMode = Literal["min_latency", "balanced", "max_accuracy"]
VoiceFocus = Literal["near-field", "far-field"]
ExecutionMode = Literal["interactive", "hold"]
ProtectedTurn = Literal["greeting", "dtmf_prompt", "tool_refused_ask"]

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


class AudioFormat(Struct, frozen=True, omit_defaults=False):
    """How audio bytes are to be read, in one direction."""

    encoding: Annotated[
        EncodingName,
        says("`audio/pcm`: int16 little-endian mono; `audio/pcmu` and `audio/pcma`: G.711, 8-bit."),
    ] = "audio/pcm"
    sample_rate: Annotated[
        int | None,
        says("Samples per second: 24000 for PCM. G.711 is always 8000, whatever is sent."),
    ] = None


class TurnDetection(Struct, frozen=True):
    """When the server decides that the user has finished, and may be interrupted.

    Any object here, even an empty one, replaces adaptive endpointing by fixed windows
    (section 3.2).
    """

    type: Annotated[
        Literal["semantic_vad", "server_vad"] | None, says("Legacy; accepted and ignored.")
    ] = None
    vad_threshold: Annotated[
        float, ranged("Probability of speech above which a window counts as voice.", ge=0, le=1)
    ] = 0.5
    min_silence: Annotated[
        int, ranged("Milliseconds of silence after which a finished turn ends.", ge=50, le=10_000)
    ] = 1000
    max_silence: Annotated[
        int,
        ranged(
            "Milliseconds of silence after which any turn ends; more than `min_silence`.",
            ge=50,
            le=10_000,
        ),
    ] = 3000
    interrupt_response: Annotated[bool, says("False: the user cannot interrupt the agent.")] = True
    interruption_delay: Annotated[
        int | None,
        ranged(
            "Milliseconds of speech before an interruption counts; by default 0 in "
            "`min_latency`, otherwise 500.",
            ge=0,
            le=1000,
        ),
    ] = None
    uninterruptible_turns: Annotated[
        tuple[ProtectedTurn, ...], says("Kinds of turn during which speech is discarded.")
    ] = ()


class TurnDetectionUpdate(Struct, frozen=True):
    """The keys of ``TurnDetection`` a client sends; an absent key keeps its value."""

    type: Literal["semantic_vad", "server_vad"] | None | UnsetType = UNSET
    vad_threshold: float | None | UnsetType = UNSET
    min_silence: int | None | UnsetType = UNSET
    max_silence: int | None | UnsetType = UNSET
    interrupt_response: bool | None | UnsetType = UNSET
    interruption_delay: int | None | UnsetType = UNSET
    uninterruptible_turns: tuple[ProtectedTurn, ...] | None | UnsetType = UNSET


class ResponseInstructions(Struct, frozen=True):
    """Guidance for the spoken reply that follows a tool's result."""

    success: Annotated[str | None, ranged("After a result.", max_length=500)] = None
    error: Annotated[str | None, ranged("After a failure.", max_length=500)] = None


class HttpTool(Struct, frozen=True):
    """How the server calls a tool itself; stored agents only (section 3.3)."""

    url: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers_ciphertext: str = ""
    headers_encrypted_data_key: str = ""
    headers_kms_key_id: str = ""


class SessionUpdateSwitch(Struct, frozen=True):
    """Undocumented switch of the hosted schema; accepted, echoed and otherwise ignored."""

    enabled: bool = True


class Tool(Struct, frozen=True):
    """A function the model may call, flat, as a client declares it inline."""

    name: Annotated[str, says("What the model calls it; unique in the list.")]
    type: Literal["function"] = "function"
    description: Annotated[str, says("When and what for; the model reads it.")] = ""
    parameters: Annotated[
        dict[str, Any], says("JSON Schema of the arguments object; `{}` takes none.")
    ] = field(default_factory=dict)
    timeout_seconds: Annotated[
        float, ranged("Seconds until an unanswered call counts as failed.", ge=1, le=300)
    ] = 120
    execution_mode: Annotated[
        ExecutionMode, says("`hold` keeps the conversation waiting for the result.")
    ] = "interactive"
    http: HttpTool | None = None
    response_instructions: ResponseInstructions | None = None
    deployment_id: str | None = None
    session_update: SessionUpdateSwitch | None = None
    image_tag: str | None = None


class InputConfig(Struct, frozen=True):
    """What the server hears and how it listens."""

    type: Modality = "audio"
    format: AudioFormat = AudioFormat("audio/pcm", 24_000)
    turn_detection: Annotated[
        TurnDetection | None, says("Null: adaptive endpointing, the recommended default.")
    ] = None
    keyterms: Annotated[
        tuple[str, ...] | None, ranged("Words to expect, such as names.", max_items=100)
    ] = None
    transcription_mode: Annotated[
        TranscriptionMode | None, says("Speed against care in ending turns; null is balanced.")
    ] = None
    continuous_partials: bool | None = None
    transcription_prompt: Annotated[
        str | None, ranged("What the conversation is about.", max_length=1750)
    ] = None
    language_codes: tuple[str, ...] | None = None
    voice_focus: Annotated[VoiceFocus | None, says("Noise suppression; null is off.")] = None
    voice_focus_threshold: Annotated[
        float | None, ranged("How strongly voice focus acts.", ge=0, le=1)
    ] = None


class OutputConfig(Struct, frozen=True):
    """What the server says and how it sounds."""

    type: Modality = "audio"
    voice: str = DEFAULT_VOICE
    format: AudioFormat = AudioFormat("audio/pcm", 24_000)
    volume: Annotated[float | None, ranged("Percent; null is native level.", ge=0, le=100)] = None


class SessionConfig(Struct, frozen=True):
    """The whole effective configuration of a session, as echoed (section 2.3)."""

    id: str
    system_prompt: str = ""
    greeting: str | None = None
    input: InputConfig = InputConfig()
    output: OutputConfig = OutputConfig()
    tools: tuple[Tool, ...] = ()
    llm: tuple[dict[str, Any], ...] = ()
    pre_connect_requests: tuple[dict[str, Any], ...] = ()


class InputUpdate(Struct, frozen=True):
    """The keys of ``input`` a client sends; an absent key keeps its value."""

    type: Modality | None | UnsetType = UNSET
    format: Any = UNSET
    turn_detection: TurnDetectionUpdate | None | UnsetType = UNSET
    keyterms: tuple[str, ...] | None | UnsetType = UNSET
    transcription_mode: TranscriptionMode | None | UnsetType = UNSET
    continuous_partials: bool | None | UnsetType = UNSET
    transcription_prompt: str | None | UnsetType = UNSET
    language_codes: tuple[str, ...] | None | UnsetType = UNSET
    voice_focus: VoiceFocus | None | UnsetType = UNSET
    voice_focus_threshold: float | None | UnsetType = UNSET


class OutputUpdate(Struct, frozen=True):
    """The keys of ``output`` a client sends; an absent key keeps its value."""

    type: Modality | None | UnsetType = UNSET
    voice: str | None | UnsetType = UNSET
    format: Any = UNSET
    volume: float | None | UnsetType = UNSET


class ToolUpdate(Struct, frozen=True):
    """A tool as a client declares it; nulls stand for defaults."""

    name: str
    type: Literal["function"]
    description: str | None = None
    parameters: Any = None
    timeout_seconds: float | None = None
    execution_mode: ExecutionMode | None = None
    response_instructions: ResponseInstructions | None = None
    session_update: SessionUpdateSwitch | None = None
    dtmf_collected_arguments: tuple[Any, ...] | None = None


class Webhook(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the server reports this session's events."""

    url: str
    events: tuple[str, ...]
    secret: str | None = None


class SessionUpdate(Struct, frozen=True, forbid_unknown_fields=True):
    """The ``session`` object of ``session.update``; an unknown top-level key is refused."""

    agent_id: str | UnsetType = UNSET
    greeting: str | UnsetType = UNSET
    input: InputUpdate | None | UnsetType = UNSET
    llm: Any = UNSET
    output: OutputUpdate | None | UnsetType = UNSET
    pre_connect_requests: Any = UNSET
    system_prompt: str | None | UnsetType = UNSET
    tools: tuple[ToolUpdate, ...] | None | UnsetType = UNSET
    webhook: Any = UNSET
