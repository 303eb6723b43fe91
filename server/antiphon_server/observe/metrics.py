"""Every metric: name, help, labels and buckets in one table.

Nothing is measured per frame; histograms are observed once per turn. Label children are looked
up once and kept, because a look-up costs more than an observation.
"""

from __future__ import annotations

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()

# What people notice in a conversation lies between 50 ms and 2 s: the buckets are densest
# there. The server's own share has finer ones, around its goal of 25 ms.
VOICE_BUCKETS = (
    0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0,
    10.0,
)  # fmt: skip
OVERHEAD_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.05, 0.1, 0.25, 1.0)

STAGE = Histogram(
    "antiphon_stage_seconds",
    "Time a stage took in one turn.",
    ["stage", "provider"],
    buckets=VOICE_BUCKETS,
    registry=REGISTRY,
)
RESPONSE = Histogram(
    "antiphon_response_seconds",
    "End of the user's speech to the first audio of the reply, as sent.",
    ["trigger"],
    buckets=VOICE_BUCKETS,
    registry=REGISTRY,
)
OVERHEAD = Histogram(
    "antiphon_server_overhead_seconds",
    "The part of a response that is neither an endpointing wait nor a provider's time.",
    buckets=OVERHEAD_BUCKETS,
    registry=REGISTRY,
)
SESSIONS = Gauge("antiphon_sessions", "Sessions that are live now.", registry=REGISTRY)
SESSIONS_STARTED = Counter("antiphon_sessions_started", "Sessions started.", registry=REGISTRY)
SESSIONS_ENDED = Counter(
    "antiphon_sessions_ended", "Sessions ended, by how.", ["ending"], registry=REGISTRY
)
SESSIONS_DETACHED = Gauge(
    "antiphon_sessions_detached", "Live sessions whose socket is lost.", registry=REGISTRY
)
RESUMES = Counter(
    "antiphon_session_resumes", "Attempts to resume a session, by outcome.", ["outcome"],
    registry=REGISTRY,
)  # fmt: skip
UNDURABLE = Counter(
    "antiphon_undurable_events", "Events told to clients before their record was durable.",
    registry=REGISTRY,
)  # fmt: skip
SESSIONS_REFUSED = Counter(
    "antiphon_sessions_refused", "Sockets refused, by error code.", ["code"], registry=REGISTRY
)
TURNS = Counter("antiphon_turns", "Turns of users.", registry=REGISTRY)
REPLIES = Counter(
    "antiphon_replies", "Replies, by what they answered and how they ended.",
    ["trigger", "status"], registry=REGISTRY,
)  # fmt: skip
INTERRUPTIONS = Counter(
    "antiphon_interruptions", "Replies that a user interrupted.", registry=REGISTRY
)
TOOL_CALLS = Counter(
    "antiphon_tool_calls", "Tool calls, by outcome.", ["outcome"], registry=REGISTRY
)
CLIENT_ERRORS = Counter(
    "antiphon_client_errors", "Errors told to clients, by code.", ["code"], registry=REGISTRY
)
PROVIDER_ERRORS = Counter(
    "antiphon_provider_errors",
    "Failures of providers, by stage and kind.",
    ["stage", "provider", "code"],
    registry=REGISTRY,
)
PROVIDER_SECONDS = Histogram(
    "antiphon_provider_seconds",
    "Times of a provider's attempts: `connect`, `first` useful byte, `finish`.",
    ["stage", "provider", "phase"],
    buckets=VOICE_BUCKETS,
    registry=REGISTRY,
)
PROVIDER_BREAKER = Gauge(
    "antiphon_provider_breaker",
    "Circuit breaker of a provider: 0 closed, 1 asked once to see, 2 open.",
    ["stage", "provider"],
    registry=REGISTRY,
)
PROVIDER_HEDGES = Counter(
    "antiphon_provider_hedges",
    "Second attempts beside a slow first one: `started`, and how they ended, `won` or `lost`.",
    ["stage", "provider", "outcome"],
    registry=REGISTRY,
)
PROVIDER_SWITCHES = Counter(
    "antiphon_provider_switches",
    "Times that another provider took over, and why.",
    ["stage", "provider", "to", "reason"],
    registry=REGISTRY,
)
PROVIDER_USAGE = Counter(
    "antiphon_provider_usage",
    "What a provider was used for, in the units that vendors charge by.",
    ["stage", "provider", "unit"],
    registry=REGISTRY,
)
PROVIDER_COST = Counter(
    "antiphon_provider_cost",
    "What that cost, by the prices in the settings.",
    ["stage", "provider"],
    registry=REGISTRY,
)
PROVIDER_CHOICES = Counter(
    "antiphon_provider_choices",
    "What a router chose, and why.",
    ["stage", "provider", "reason"],
    registry=REGISTRY,
)
AUDIO_IN = Counter(
    "antiphon_audio_received_seconds", "Microphone audio received.", registry=REGISTRY
)
AUDIO_OUT = Counter("antiphon_audio_sent_seconds", "Reply audio sent.", registry=REGISTRY)
LATE_AUDIO = Counter(
    "antiphon_audio_late", "Times that reply audio ran dry before the reply's end.",
    registry=REGISTRY,
)  # fmt: skip
WEBHOOK_ATTEMPTS = Counter(
    "antiphon_webhook_attempts", "Attempts to deliver a webhook, by outcome.", ["outcome"],
    registry=REGISTRY,
)  # fmt: skip
WEBHOOKS_PENDING = Gauge(
    "antiphon_webhooks_pending", "Webhook deliveries that wait, in the whole database.",
    registry=REGISTRY,
)  # fmt: skip
LOG_LINES_DROPPED = Counter(
    "antiphon_log_lines_dropped", "Log lines dropped because they could not be written in time.",
    registry=REGISTRY,
)  # fmt: skip
SPANS = Counter(
    "antiphon_spans",
    "Spans of traces, by outcome: `sent`, `failed` at the collector, `dropped` for want of room.",
    ["outcome"],
    registry=REGISTRY,
)
RECORDS = Counter(
    "antiphon_records", "Records of sessions that were made durable.", registry=REGISTRY
)
RECORDS_LOST = Counter(
    "antiphon_records_lost", "Records of sessions that could not be written to disk.",
    registry=REGISTRY,
)  # fmt: skip
RECORDS_REJECTED = Counter(
    "antiphon_records_rejected",
    "Records that the database cannot hold; they stay in `rejected.jsonl` of the spool.",
    registry=REGISTRY,
)
RECORD_DURABLE = Histogram(
    "antiphon_record_durable_seconds",
    "Time from a record to its being durable, of the oldest in each write.",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0),
    registry=REGISTRY,
)
SPOOL_BYTES = Gauge(
    "antiphon_spool_bytes", "Bytes of records that the database has not taken yet.",
    registry=REGISTRY,
)  # fmt: skip
RECORDINGS_BROKEN = Counter(
    "antiphon_recordings_broken", "Recordings that broke off: the disk did not take them.",
    registry=REGISTRY,
)  # fmt: skip
JOURNALS_BROKEN = Counter(
    "antiphon_journals_broken", "Journals of calls that broke off: the disk did not take them.",
    registry=REGISTRY,
)  # fmt: skip
NOT_READY = Gauge(
    "antiphon_not_ready",
    "1 while `/readyz` answers 503 for this: `records`, `journals` (their disks), `database`.",
    ["reason"],
    registry=REGISTRY,
)
DATABASE_OUTAGES = Counter(
    "antiphon_database_outages", "Times the database stopped taking records.", registry=REGISTRY
)


@cache
def stage(name: str, provider: str) -> Histogram:
    """The histogram of one stage of one provider."""
    return STAGE.labels(name, provider)


@cache
def response(trigger: str) -> Histogram:
    """The histogram of responses to one kind of trigger."""
    return RESPONSE.labels(trigger)
