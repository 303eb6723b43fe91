"""What the console shows of calls and keys: the REST API under ``/v1/console``, an extension."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import Struct, field

from antiphon_protocol.rest_sessions import (
    SESSION_STATUSES,
    ConfigChange,
    SessionArtifact,
    TimelineToolCall,
)
from antiphon_protocol.units import one_of, ranged, says

MOST_SEARCH_CHARACTERS = 200
EVENT_PAGE_LENGTHS = (1, 1_000)
DEFAULT_EVENT_PAGE_LENGTH = 200
POINTS = (1, 500)
DEFAULT_POINTS = 48
PHASES = (
    "greeting",
    "listening",
    "hearing",
    "thinking",
    "speaking",
    "tools",
    "detached",
    "ending",
)
ERROR_SOURCES = ("client", "reply", "provider", "server")

_MS = "Milliseconds from `session.ready`"
_STAGES = "by the stages of `turn.timeline`"

# --- the caller ----------------------------------------------------------------------------


class ConsoleDefaults(Struct, frozen=True, kw_only=True):
    """What a session has that says nothing else."""

    voices: Annotated[tuple[str, ...], says("Those that `output.voice` may name.")]
    providers: Annotated[dict[str, str], says("Who serves each stage.")]


class ConsoleCaller(Struct, frozen=True, kw_only=True):
    """The answer of ``GET /v1/console/me``."""

    account: Annotated[str, says("Whose calls are shown; empty without keys.")]
    key_id: Annotated[str | None, says("The key; null without keys.")]
    scopes: Annotated[tuple[str, ...], says("What the key may be used for.")]
    development: Annotated[bool, says("Whether there are no keys, so that everybody is let in.")]
    version: Annotated[str, says("Of the server.")]
    recording: Annotated[bool, says("Whether calls are recorded.")]
    journals: Annotated[bool, says("Whether journals are kept.")]
    defaults: Annotated[ConsoleDefaults, says("Of sessions that say nothing else.")]


# --- calls that go on ----------------------------------------------------------------------


class LiveCall(Struct, frozen=True, kw_only=True):
    """A call that goes on."""

    id: Annotated[str, says("As in `session.ready`.")]
    agent_id: Annotated[str | None, says("The stored agent it runs with, if any.")]
    state: Annotated[str, one_of("What it is doing.", PHASES)]
    since_ms: Annotated[int, says("For how long.")]
    created_at: Annotated[datetime, says("When it began: RFC 3339, UTC.")]
    seconds: Annotated[float, says("Since then.")]
    turns: Annotated[int, says("Replies that are over.")]
    interruptions: Annotated[int, says("Those of them that the user cut off.")]
    last_user: Annotated[str | None, says("What the user said last.")]
    last_agent: Annotated[str | None, says("What was heard last.")]
    response_ms: Annotated[float | None, says("Of the last reply to speech.")]
    providers: Annotated[dict[str, str], says("Who serves each stage now.")]


class LiveCalls(Struct, frozen=True):
    """The answer of ``GET /v1/console/live``."""

    sessions: Annotated[tuple[LiveCall, ...], says("Newest first.")]


# --- calls that were -----------------------------------------------------------------------


class ConsoleSession(Struct, frozen=True, kw_only=True):
    """A session, and what it came to."""

    id: Annotated[str, says("As in `session.ready`.")]
    agent_id: Annotated[str | None, says("The stored agent it ran with, if any.")]
    agent_name: Annotated[str | None, says("What that is called now; null when it is gone.")]
    status: Annotated[
        str, one_of("`created` while it is live, `completed` after.", SESSION_STATUSES)
    ]
    close_reason: Annotated[
        str | None,
        says("How it ended: `client_ended`, `client_left`, `expired`, `failed` or `lost`."),
    ]
    created_at: Annotated[datetime, says("RFC 3339, UTC.")]
    ended_at: Annotated[datetime | None, says("RFC 3339, UTC.")]
    duration_seconds: Annotated[float | None, says("From ready to its end; null before.")]
    turns: Annotated[int, says("Replies, and what was said to none.")]
    interruptions: Annotated[int, says("Replies that the user cut off.")]
    tool_calls: Annotated[int, says("Calls of tools.")]
    errors: Annotated[int, says("What went wrong, also at providers.")]
    response_p50_ms: Annotated[
        float | None, says("The median, from the end of speech to the first audio.")
    ]
    response_max_ms: Annotated[float | None, says("The longest of these.")]
    first_words: Annotated[str | None, says("What the user said first, as far as it is short.")]
    recorded: Annotated[bool, says("Whether there is audio.")]


class ConsoleSessions(Struct, frozen=True, kw_only=True):
    """The answer of ``GET /v1/console/sessions``."""

    sessions: Annotated[tuple[ConsoleSession, ...], says("Newest first.")]
    next_cursor: Annotated[str | None, says("For `cursor`; null at the end.")]
    total: Annotated[int, says("How many there are on all pages.")]


class ConsoleError(Struct, frozen=True, kw_only=True):
    """Something that went wrong."""

    at_ms: Annotated[int, says(f"{_MS}.")]
    source: Annotated[str, one_of("Where it went wrong.", ERROR_SOURCES)]
    code: Annotated[str, says("As the client was told it, or as in metrics.")]
    message: Annotated[str, says("For a person.")]
    stage: Annotated[str | None, says("Which stage failed, if one did.")]
    provider: Annotated[str | None, says("Who served it.")]


class ConsoleUser(Struct, frozen=True, kw_only=True):
    """What the user said."""

    text: Annotated[str, says("The words.")]
    started_ms: Annotated[int | None, says(f"{_MS} to the voice; null for a message.")]
    ended_ms: Annotated[int | None, says(f"{_MS} to its end; null for a message.")]


class ConsoleAgent(Struct, frozen=True, kw_only=True):
    """What the agent said."""

    heard: Annotated[str, says("What was heard.")]
    unheard: Annotated[str, says("What was written beyond that.")]
    started_ms: Annotated[int | None, says(f"{_MS} to the first audio; null for none.")]
    ended_ms: Annotated[int | None, says(f"{_MS} to its end; null for none.")]
    interrupted_at_ms: Annotated[int | None, says(f"{_MS}; null where it was not interrupted.")]
    method: Annotated[
        str,
        one_of("How it is known what was heard.", ("timed", "estimated", "written")),
    ]
    words: Annotated[
        tuple[tuple[str | int, ...], ...],
        says(f"Each with its begin and its end. {_MS}, as in the recording; as far as known."),
    ]


class ConsoleTurn(Struct, frozen=True, kw_only=True):
    """What the user said, and the reply to it; either may be missing."""

    turn_id: Annotated[str, says("The reply, as in `reply.started`; without one, the item.")]
    trigger: Annotated[
        str,
        one_of("Why there is one.", ("greeting", "user_speech", "tool_result", "reply_create")),
    ]
    status: Annotated[str, one_of("How the reply ended.", ("completed", "interrupted"))]
    at_ms: Annotated[int, says(f"{_MS} to its begin.")]
    instructions: Annotated[str | None, says("Of `reply.create`.")]
    user: Annotated[ConsoleUser | None, says("Null where nothing was said.")]
    agent: Annotated[ConsoleAgent | None, says("Null where there was no reply.")]
    response_ms: Annotated[float | None, says("From the end of speech to the first audio.")]
    stages: Annotated[dict[str, float], says(f"Milliseconds, {_STAGES}.")]
    providers: Annotated[dict[str, str], says("Who served each.")]
    models: Annotated[dict[str, str], says("With which model, where settings name one.")]
    reasons: Annotated[dict[str, str], says("Why, where several could have.")]
    tool_calls: Annotated[tuple[TimelineToolCall, ...], says("In order.")]
    errors: Annotated[tuple[ConsoleError, ...], says("In order.")]


class ConsoleCall(Struct, frozen=True, kw_only=True):
    """The answer of ``GET /v1/console/sessions/{id}``: what is on record so far."""

    session: Annotated[ConsoleSession, says("As in the list.")]
    config: Annotated[dict[str, Any], says("As the first `session.updated` told it.")]
    turns: Annotated[tuple[ConsoleTurn, ...], says("By time.")]
    errors: Annotated[tuple[ConsoleError, ...], says("Those that belong to no turn.")]
    config_changes: Annotated[tuple[ConfigChange, ...], says("Later updates.")]
    artifacts: Annotated[tuple[SessionArtifact, ...], says("As in `GET /v1/sessions/{id}`.")]
    journal: Annotated[bool, says("Whether there is a journal of it.")]


class ConsoleEvents(Struct, frozen=True, kw_only=True):
    """The answer of ``GET /v1/console/sessions/{id}/events``."""

    events: Annotated[
        tuple[dict[str, Any], ...],
        says("Each with `seq`, `at_ms` and `kind`, and what else its record says."),
    ]
    next: Annotated[int | None, says("For `after`; null at the end.")]


# --- times ---------------------------------------------------------------------------------


class LatencyPoint(Struct, frozen=True, kw_only=True):
    """The turns of one step, in milliseconds."""

    at: Annotated[datetime, says("When the step begins: RFC 3339, UTC.")]
    count: Annotated[int, says("How many turns.")]
    p50: Annotated[float, says("Half of them took at most as long; right to 3 %.")]
    p95: Annotated[float, says("95 % of them did.")]
    p99: Annotated[float, says("99 % of them did.")]


class Latency(Struct, frozen=True, kw_only=True):
    """The answer of ``GET /v1/console/latency``: calls that have ended."""

    step_seconds: Annotated[float, says("Of one step.")]
    start: Annotated[datetime, says("RFC 3339, UTC.")] = field(name="from")
    end: Annotated[datetime, says("RFC 3339, UTC.")] = field(name="to")
    stages: Annotated[
        dict[str, tuple[LatencyPoint, ...]], says(f"Steps in which there were turns, {_STAGES}.")
    ]


# --- keys ----------------------------------------------------------------------------------


class KeyRequest(Struct, frozen=True, kw_only=True):
    """The body of ``POST /v1/console/keys``; the options of ``antiphon keys create``."""

    name: Annotated[
        str, ranged("For people: who uses it, and where.", min_length=1, max_length=200)
    ]
    account: Annotated[
        str,
        ranged(
            "Whose it is; keys of one account share agents, sessions, webhooks and usage.",
            pattern=r"^[A-Za-z0-9._:@-]{1,128}$",
        ),
    ] = "default"
    scopes: Annotated[
        tuple[str, ...] | None,
        ranged("What it may be used for; null: all but `operator`.", min_items=1, max_items=20),
    ] = None
    origins: Annotated[
        tuple[str, ...],
        ranged("Origins of web pages that may use it; empty: any.", max_items=50),
    ] = ()
    max_sessions: Annotated[
        int | None, ranged("Sessions at once; null: the server's default.", ge=1, le=1_000_000)
    ] = None
    sessions_per_minute: Annotated[
        int | None,
        ranged("New sessions a minute; null: the server's default.", ge=1, le=1_000_000),
    ] = None
    expires_in_seconds: Annotated[
        int | None,
        ranged("Seconds until it ends by itself; null: never.", ge=60, le=3_153_600_000),
    ] = None


class ConsoleKey(Struct, frozen=True, kw_only=True):
    """A key, without its secret. Times are RFC 3339, UTC."""

    id: Annotated[str, says("May be shown.")]
    account: Annotated[str, says("Whose it is.")]
    name: Annotated[str, says("For people.")]
    scopes: Annotated[tuple[str, ...], says("What it may be used for.")]
    origins: Annotated[tuple[str, ...], says("Pages that may use it; empty: any.")]
    max_sessions: Annotated[int | None, says("Sessions at once; null: the server's default.")]
    sessions_per_minute: Annotated[int | None, says("New ones; null: the server's default.")]
    created_at: Annotated[datetime, says("When it was made.")]
    expires_at: Annotated[datetime | None, says("When it ends by itself; null: never.")]
    last_used_at: Annotated[datetime | None, says("To the minute; null: never.")]
    revoked_at: Annotated[datetime | None, says("When it was ended; null: it was not.")]


class ConsoleKeys(Struct, frozen=True):
    """The answer of ``GET /v1/console/keys``."""

    keys: Annotated[tuple[ConsoleKey, ...], says("Newest first, also those that have ended.")]


class CreatedKey(Struct, frozen=True, kw_only=True):
    """The answer of ``POST /v1/console/keys``."""

    key: Annotated[str, says("The key itself. It is shown this once: only a digest is kept.")]
    created: Annotated[ConsoleKey, says("As in the list.")]
