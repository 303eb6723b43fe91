"""How patient a wrapper is, and what it may spend on being quick."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Policy(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One stage's. Times are milliseconds.

    The defaults are those of a voice call: people leave gaps of 200 to 300 ms between turns,
    and above 1.5 s an answer feels slow.
    """

    first_ms: Annotated[
        int,
        Meta(
            ge=1,
            description="Milliseconds to the first useful piece, after which the next candidate "
            "is asked; the last one has what is left of `budget_ms`.",
        ),
    ] = 1000
    progress_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds that an answer may pause once begun.")
    ] = 5000
    budget_ms: Annotated[
        int,
        Meta(ge=1, description="Milliseconds to the first useful piece, all candidates together."),
    ] = 6000
    cooldown_ms: Annotated[
        int,
        Meta(
            ge=1,
            description="Milliseconds for which a candidate that fails is left alone; doubled "
            "each time that the one probe after it fails.",
        ),
    ] = 5000
    longest_cooldown_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds beyond which it is not doubled.")
    ] = 60_000
    longest_retry_after_ms: Annotated[
        int,
        Meta(
            ge=0,
            description="Milliseconds for which a vendor's wish not to be asked is respected "
            "at most.",
        ),
    ] = 600_000
    consecutive_failures: Annotated[
        int, Meta(ge=1, description="Failures on end after which a candidate is left alone.")
    ] = 3
    window: Annotated[
        int, Meta(ge=1, description="Attempts over which the share of failures is counted.")
    ] = 20
    failure_share: Annotated[
        float,
        Meta(ge=0, le=1, description="Share of failures in a full window that is too much."),
    ] = 0.5
    hedge: Annotated[
        bool,
        Meta(description="Whether a second attempt is made when the first is slow; costs calls."),
    ] = False
    hedge_least_ms: Annotated[
        int, Meta(ge=0, description="Milliseconds before which no second attempt is made.")
    ] = 250
    hedge_most_ms: Annotated[
        int,
        Meta(
            ge=0,
            description="Milliseconds after which it is made, however slow the candidate usually "
            "is; between the two it is the 95th percentile of what it took lately.",
        ),
    ] = 800
    hedge_share: Annotated[
        float, Meta(ge=0, le=1, description="Second attempts per request, at most.")
    ] = 0.1

    warm_standby: Annotated[
        bool,
        Meta(
            description="Speech to text only: whether the next candidate's stream is opened in "
            "advance, so that it need not connect when it takes over."
        ),
    ] = False

    def __post_init__(self) -> None:
        if self.hedge_least_ms > self.hedge_most_ms:
            raise ValueError("hedge_least_ms must not be more than hedge_most_ms")
        if self.cooldown_ms > self.longest_cooldown_ms:
            raise ValueError("cooldown_ms must not be more than longest_cooldown_ms")
