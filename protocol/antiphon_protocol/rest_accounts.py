"""What an account used: the answer of ``GET /v1/usage``, which is an extension of ours."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, get_args

from msgspec import UNSET, Struct, UnsetType, field

from antiphon_protocol.rest import Page
from antiphon_protocol.units import one_of, says

UsageGrouping = Literal["key", "day", "session"]
USAGE_GROUPINGS: tuple[UsageGrouping, ...] = get_args(UsageGrouping)
DEFAULT_USAGE_DAYS = 30
"""How far back usage is added up when no time is given."""


class UsageSums(Struct, frozen=True, kw_only=True):
    """What was used by one key, on one day or in one session: just one of them is told."""

    key_id: Annotated[
        str | UnsetType | None,
        says("The key that was used, or with which the token was minted; null: without a key."),
    ] = UNSET
    day: Annotated[str | UnsetType, says("The day, in UTC, such as `2026-10-31`.")] = UNSET
    session_id: Annotated[str | UnsetType, says("The session.")] = UNSET
    sessions: Annotated[int, says("Sessions that used something.")]
    connected_seconds: Annotated[float, says("Seconds for which sessions were open.")]
    prompt_tokens: Annotated[int, says("Tokens that language models read.")]
    completion_tokens: Annotated[int, says("Tokens that language models wrote.")]
    characters: Annotated[int, says("Characters that were spoken.")]


class UsageList(Page, frozen=True, kw_only=True):
    """The answer of ``GET /v1/usage``."""

    start: Annotated[datetime, says("The first moment that counts: RFC 3339, UTC.")] = field(
        name="from"
    )
    end: Annotated[datetime, says("The moment from which nothing counts: RFC 3339, UTC.")] = field(
        name="to"
    )
    group_by: Annotated[UsageGrouping, one_of("What is added up.", USAGE_GROUPINGS)]
    usage: Annotated[tuple[UsageSums, ...], says("Those that came last come first.")]
