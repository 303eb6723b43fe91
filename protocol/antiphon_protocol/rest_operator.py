"""What the operator of a server sees and changes of its providers; an extension of ours."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Struct, UnsetType, field

from antiphon_protocol.units import one_of, ranged, says

STAGES = (
    "voice_activity",
    "turn_model",
    "speech_to_text",
    "language_model",
    "text_to_speech",
    "speech_to_speech",
)
BREAKERS = ("closed", "half_open", "open")
MOST_PROVIDERS = 9
"""As many as settings can name."""


class ProviderChoice(Struct, frozen=True, kw_only=True):
    """A provider and what it needs to know."""

    name: Annotated[
        str,
        ranged(
            "Its name, as in `antiphon providers list`.",
            min_length=1,
            max_length=100,
        ),
    ]
    options: Annotated[
        dict[str, str],
        says(
            "Its options, as text: what `ANTIPHON_LLM_MODEL` is in settings is `model` here. "
            "Nothing of the former options stays, and none is ever told again."
        ),
    ] = field(default_factory=dict)


class StageChange(Struct, frozen=True, kw_only=True):
    """The body of ``PUT /v1/operator/providers/{stage}``."""

    providers: Annotated[
        tuple[ProviderChoice, ...],
        ranged(
            "Who is to serve the stage, in order of preference.",
            min_items=1,
            max_items=MOST_PROVIDERS,
        ),
    ]


class LatencyTimes(Struct, frozen=True, kw_only=True):
    """Times of the recent attempts, in ms; null as long as there is none."""

    p50: Annotated[float | None, says("Half of them took no longer.")]
    p95: Annotated[float | None, says("One in twenty took longer.")]


class ProviderLatencies(Struct, frozen=True, kw_only=True):
    """How long a provider takes, by kind."""

    connect: Annotated[LatencyTimes, says("Until a new connection stands.")]
    first: Annotated[LatencyTimes, says("Until the first useful byte.")]
    finish: Annotated[LatencyTimes, says("Until an answer is complete.")]


class ServingProvider(Struct, frozen=True, kw_only=True):
    """One provider of a stage, and how it does since this version began to serve."""

    name: Annotated[str, says("As in metrics: of two with one name, the place is part of it.")]
    model: Annotated[str, says("The vendor's model, where one is chosen.")]
    options: Annotated[tuple[str, ...], says("Which options are set; their values are not told.")]
    breaker: Annotated[
        str | None,
        one_of(
            "`closed`: is asked; `open`: is left alone; `half_open`: is asked once, to see; null: "
            "nobody could stand in.",
            BREAKERS,
        ),
    ]
    attempts: Annotated[int, says("Answers that were complete, or failed.")]
    failures: Annotated[int, says("Those that failed.")]
    errors: Annotated[dict[str, int], says("Failures by code.")]
    latency_ms: Annotated[ProviderLatencies, says("Of recent attempts, in ms.")]
    hedges_started: Annotated[int, says("Times it was asked beside a slow one.")]
    hedges_won: Annotated[int, says("Times it was faster.")]


class ProviderSwitch(Struct, frozen=True, kw_only=True):
    """How often one provider took over from another, and why."""

    provider: Annotated[str, says("Who was to answer.")]
    to: Annotated[str, says("Who did.")]
    reason: Annotated[str, says("An error's code, or a few words.")]
    count: Annotated[int, says("How often.")]


class ProviderRouted(Struct, frozen=True, kw_only=True):
    """How many turns were given to a model, and why."""

    provider: Annotated[str, says("The model's name.")]
    reason: Annotated[str, says("The kind of reason: `fastest`, `cheapest`, `rule`.")]
    count: Annotated[int, says("How many turns.")]


class ServingStage(Struct, frozen=True, kw_only=True):
    """A stage of every call, and who serves it."""

    stage: Annotated[str, one_of("Its name, as in metrics.", STAGES)]
    serves: Annotated[str, says("Who is asked first now.")]
    version: Annotated[int, says("1 at the start of the server, and one more with each change.")]
    since: Annotated[datetime, says("When this version began to serve: RFC 3339, UTC.")]
    providers: Annotated[tuple[ServingProvider, ...], says("In order of preference.")]
    switches: Annotated[tuple[ProviderSwitch, ...], says("Who stood in for whom.")]
    routed: Annotated[
        tuple[ProviderRouted, ...] | UnsetType,
        says("What a router chose; absent where turns are not routed."),
    ] = UNSET


class ServingStages(Struct, frozen=True, kw_only=True):
    """The answer of ``GET /v1/operator/providers``."""

    stages: Annotated[tuple[ServingStage, ...], says("In the order of a turn.")]
