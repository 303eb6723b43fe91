"""All settings of the server: one frozen object, read once from the environment.

Each field's environment variable is ``ANTIPHON_`` and its name in capitals. Options of a
provider are read the same way from its stage's prefix: ``ANTIPHON_LLM_BASE_URL`` is option
``base_url`` of the language model, ``ANTIPHON_LLM_2_BASE_URL`` that of the second one named.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta, Struct, field

from antiphon_providers.registry import Stage
from antiphon_server.setting_kinds import described

PREFIX = "ANTIPHON_"

STAGE_OPTIONS: dict[str, Stage] = {
    "vad": "voice_activity",
    "turn": "turn_model",
    "stt": "speech_to_text",
    "llm": "language_model",
    "tts": "text_to_speech",
}
"""The setting that names each stage's provider, and the stage's name in the registry."""

WHOLE_TURNS: dict[str, Stage] = {"s2s": "speech_to_speech"}
"""The same of who serves several stages at once, which a server may do without."""
ALL_STAGES = STAGE_OPTIONS | WHOLE_TURNS

OTHER_VARIABLES = frozenset(
    {
        "ANTIPHON_URL",
        "ANTIPHON_KEY",
        "ANTIPHON_API_KEY",
        "ANTIPHON_OPERATOR_KEY",
        "ANTIPHON_FLITE_DIR",
    }
)
"""Variables that other parts of the project read, so that they are no mistakes here."""


POLICY = "policy"
"""The prefix of what is done when providers fail: ``ANTIPHON_POLICY_HEDGE``."""

ROUTE = "route"
"""The prefix of how a turn is given to one of several language models: ``ANTIPHON_ROUTE_RULES``."""

_STAGES = "|".join([*STAGE_OPTIONS, *WHOLE_TURNS])
_OPTION = re.compile(rf"((?:{_STAGES})(?:_[2-9])?|{POLICY}|{ROUTE})_(.+)", re.ASCII)


class SettingsError(Exception):
    """A setting that cannot be; the message says which and what to do."""


def _says(description: str, **limits: Any) -> Meta:
    return Meta(description=description, **limits)


class Candidate(Struct, frozen=True):
    """A provider of a stage, as it was chosen."""

    setting: str
    """Where its options are: ``llm``, or ``llm_2`` of the second one."""
    name: str
    options: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Without the options, of which one may be a key."""
        return f"Candidate({self.setting!r}, {self.name!r})"


class Settings(Struct, frozen=True, kw_only=True):
    """What an operator decides."""

    host: Annotated[str, _says("Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, _says("Port to listen on; 0 takes a free one.", ge=0, le=65535)] = 8400
    api_keys: Annotated[
        tuple[str, ...],
        _says(
            "Keys that clients may use, separated by commas. Without any the server accepts "
            "every client, and starts on a loopback address only."
        ),
    ] = ()
    vad: Annotated[str, _says("Provider of voice activity.")] = "silero"
    turn: Annotated[str, _says("Provider of the turn model.")] = "smart-turn"
    stt: Annotated[
        str,
        _says("Provider of speech-to-text; several, separated by commas, stand in for each other."),
    ] = "moonshine"
    llm: Annotated[
        str,
        _says(
            "Language model, or several; `openai` by itself once `ANTIPHON_LLM_BASE_URL` is set."
        ),
    ] = "dialogue"
    tts: Annotated[str, _says("Provider of text-to-speech, or several.")] = "local"
    s2s: Annotated[
        str,
        _says(
            "Model that hears and speaks by itself, such as `openai-realtime`, or several; "
            "recogniser, language model and voice stand in for it. By default there is none."
        ),
    ] = ""
    route: Annotated[
        Literal["off", "fastest", "cheapest", "rules"],
        _says(
            "Which of several language models answers a turn: by live time to the first token, "
            "by `ANTIPHON_PRICES`, or by `ANTIPHON_ROUTE_RULES`, which come first in any case; "
            "`off`: the first, as long as it can."
        ),
    ] = "off"
    noise: Annotated[str, _says("Noise suppression of sessions that ask for voice focus.")] = (
        "webrtc"
    )
    prices: Annotated[
        tuple[str, ...],
        _says(
            "What providers charge, for `antiphon_provider_cost_total`: "
            "`openai.prompt_tokens=0.00000015`, separated by commas; units are `prompt_tokens`, "
            "`cached_tokens`, `completion_tokens`, `characters` and `seconds`."
        ),
    ] = ()
    filler: Annotated[
        str,
        _says("Said when the language model is slow to begin, such as `One moment.`"),
    ] = ""
    filler_ms: Annotated[
        int, _says("Milliseconds without a word from the language model before the filler.", ge=1)
    ] = 2_500
    apology: Annotated[
        str, _says("Said when the language model failed; empty: the reply just ends.")
    ] = "I'm sorry, something went wrong. Could you say that again?"
    former_voices: Annotated[
        bool, _says("Accept voice names of earlier generations of the API.")
    ] = True
    former_dialects: Annotated[
        bool,
        _says(
            "Serve `/v1/realtime` and `/v1/voice`, the addresses of earlier generations of the "
            "API, where `tool.call` also carries `args`."
        ),
    ] = True
    tool_grounding: Annotated[
        Literal["off", "identifiers", "all"],
        _says(
            "Which arguments of tool calls somebody must have said, or the call is refused and "
            "the agent asks: `identifiers` are numbers, addresses, names and dates."
        ),
    ] = "identifiers"
    one_time_tokens: Annotated[
        bool, _says("Let a temporary token open one session only, not several.")
    ] = False
    env_file: Annotated[
        str,
        _says(
            "File of more variables, `NAME=value` a line, which win over the environment's; "
            "SIGHUP has a server read it again."
        ),
    ] = ""
    data_dir: Annotated[
        str,
        _says(
            "Folder for the database, recordings and the key that seals secrets; by default "
            "`antiphon` in `$XDG_DATA_HOME`, or in `~/.local/share`."
        ),
    ] = ""
    database_url: Annotated[
        str,
        _says(
            "`postgresql://user:password@host/name`; by default a SQLite file in the data folder."
        ),
    ] = ""
    artifacts_url: Annotated[
        str,
        _says("Where recordings are kept: `s3://bucket/prefix`; by default in the data folder."),
    ] = ""
    recording: Annotated[
        bool, _says("Record the audio of every session: user left, agent right.")
    ] = False
    retention_days: Annotated[
        int,
        _says(
            "Days after which sessions are deleted with their records and audio; 0 keeps all.",
            ge=0,
        ),
    ] = 30
    secret_keys: Annotated[
        tuple[str, ...],
        _says(
            "Keys that seal secrets at rest, each 32 bytes in base64, separated by commas: the "
            "first seals, all open. By default one is made in the data folder."
        ),
    ] = ()
    public_url: Annotated[
        str,
        _says(
            "Where clients reach this server, such as `https://voice.example.com`: the base of "
            "links. By default what the request was sent to."
        ),
    ] = ""
    outbound_allow: Annotated[
        tuple[str, ...],
        _says(
            "Hosts on the operator's own network, as `host:port` separated by commas, that tools, "
            "webhooks and models of stored agents may reach; public HTTPS always may be."
        ),
    ] = ()
    resume_seconds: Annotated[
        int,
        _says("Seconds a session outlives its socket and may be resumed; 0: none.", ge=0, le=300),
    ] = 30
    max_sessions_per_key: Annotated[
        int,
        _says("Sessions at once of one key that has no limit of its own.", ge=1),
    ] = 200
    sessions_per_minute_per_key: Annotated[
        int,
        _says("New sessions a minute of one key that has no limit of its own.", ge=1),
    ] = 1_200
    journal_dir: Annotated[
        str,
        _says(
            "Folder in which each call's journal is written, for `antiphon replay`; it holds what "
            "was said, and goes when the session is deleted. By default none is written."
        ),
    ] = ""
    max_sessions: Annotated[
        int, _says("Sessions at once; one more is refused with `at_capacity`.", ge=1)
    ] = 200
    max_session_seconds: Annotated[
        int, _says("Seconds after which a session is cut.", ge=60, le=10_800)
    ] = 10_800
    first_message_seconds: Annotated[
        float, _says("Seconds in which a new socket must send its first message.", gt=0)
    ] = 60.0
    max_message_bytes: Annotated[
        int, _says("The largest message a client may send.", ge=65_536)
    ] = 1_048_576
    ping_seconds: Annotated[
        float, _says("Seconds between pings; a pong must come within as many again.", gt=0)
    ] = 10.0
    audio_lead_ms: Annotated[
        int,
        _says(
            "Milliseconds of reply audio sent ahead of its time: more survives a worse network, "
            "less leaves less to recall on an interruption.",
            ge=20,
            le=2000,
        ),
    ] = 200
    otlp_endpoint: Annotated[
        str,
        _says(
            "Collector of traces of calls, by OTLP over HTTP, such as `http://localhost:4318`; "
            "needs the extra `otel`. By default `OTEL_EXPORTER_OTLP_ENDPOINT`, or none."
        ),
    ] = ""
    otlp_sample_ratio: Annotated[
        float, _says("Share of calls traced, where the caller does not say.", ge=0, le=1)
    ] = 1.0
    otlp_accept_parent: Annotated[
        bool, _says("Let a caller's `traceparent` say whether a call is traced, and in which.")
    ] = True
    otlp_propagate: Annotated[
        bool, _says("Send `traceparent` to HTTP tools and models of stored agents.")
    ] = False
    otlp_content: Annotated[
        bool, _says("Put what was said, and arguments and results of tools, into traces.")
    ] = False
    pages: Annotated[bool, _says("Serve the playground at `/` and the console at `/console`.")] = (
        True
    )
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], _says("The least severe line written.")
    ] = "info"
    log_format: Annotated[
        Literal["auto", "console", "json"], _says("`auto`: console on a terminal, else JSON.")
    ] = "auto"
    options: Annotated[
        dict[str, dict[str, str]], _says("Options of each stage's provider, by setting name.")
    ] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Without secrets: keys and provider options are left out."""
        return f"Settings(host={self.host!r}, port={self.port}, llm={self.llm!r}, …)"

    @property
    def is_open(self) -> bool:
        """Whether anybody may connect, because no key is configured."""
        return not self.api_keys

    def candidates(self, setting: str) -> tuple[Candidate, ...]:
        """The providers of a stage, in order of preference; ``setting`` as in STAGE_OPTIONS, or
        in WHOLE_TURNS, of which there may be none.
        """
        if setting in WHOLE_TURNS and not getattr(self, setting):
            return ()
        names = [name.strip() for name in getattr(self, setting).split(",")]
        places = [setting, *(f"{setting}_{place}" for place in range(2, len(names) + 1))]
        return tuple(
            Candidate(place, name, self.options.get(place, {}))
            for place, name in zip(places, names, strict=True)
        )


def _field_value(raw: str, hint: Any) -> Any:
    if "tuple" in str(hint):
        return [part.strip() for part in raw.split(",") if part.strip()]
    return raw.strip()


def read(environment: Mapping[str, str], **overrides: Any) -> Settings:
    """The settings in an environment; ``overrides`` that are not None win (command line).

    Raises ``SettingsError`` for a variable that is unknown or cannot be.
    """
    hints = get_type_hints(Settings)
    values: dict[str, Any] = {}
    options: dict[str, dict[str, str]] = {stage: {} for stage in STAGE_OPTIONS}
    numbered: dict[str, str] = {}
    for variable, raw in sorted(environment.items()):
        if not variable.startswith(PREFIX) or variable in OTHER_VARIABLES:
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name in hints and name != "options":
            values[name] = _field_value(raw, hints[name])
        elif (found := _OPTION.fullmatch(name)) is not None:
            options.setdefault(found[1], {})[found[2]] = raw
            numbered.setdefault(found[1], variable)
        else:
            raise SettingsError(_unknown(variable, hints))
    values.update({name: value for name, value in overrides.items() if value is not None})
    if options["llm"].get("base_url") and "llm" not in values:
        values["llm"] = "openai"
    kinds = get_type_hints(Settings, include_extras=True)
    converted = {name: _converted(name, value, kinds[name]) for name, value in values.items()}
    settings = Settings(**converted, options=options)
    stages = (*STAGE_OPTIONS, *WHOLE_TURNS)
    used = {each.setting for stage in stages for each in settings.candidates(stage)}
    for place in sorted(options.keys() - used - {POLICY, ROUTE}):
        stage, _, number = place.partition("_")
        if not number:
            raise SettingsError(
                f"{numbered[place]} is of a provider that {PREFIX}{stage.upper()} does not name"
            )
        raise SettingsError(
            f"{numbered[place]} is of provider {number}, which {PREFIX}{stage.upper()} does not "
            "name: name as many there, separated by commas"
        )
    return settings


def _unknown(variable: str, hints: Mapping[str, Any]) -> str:
    known = [name for name in hints if name != "options"]
    close = difflib.get_close_matches(variable.removeprefix(PREFIX).lower(), known, n=1)
    advice = (
        f"did you mean {PREFIX}{close[0].upper()}?" if close else "see docs/reference/settings.md"
    )
    return f"unknown setting {variable}: {advice}"


def _converted(name: str, value: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(value, kind, strict=False)
    except msgspec.ValidationError as wrong:
        raise SettingsError(
            f"{PREFIX}{name.upper()} cannot be used: '{value}' is not {described(kind)}; "
            "see docs/reference/settings.md"
        ) from wrong


def is_loopback(host: str) -> bool:
    """Whether an address to listen on can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
