"""Created keys as a table for people and as JSON for programs; without digests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from antiphon_server.security.admission import SCOPES
from antiphon_server.store.keys import StoredKey

_TIMES = ("created_at", "expires_at", "last_used_at", "revoked_at")
_HEAD = ("ID", "NAME", "ACCOUNT", "STATE", "CREATED", "LAST USED", "MAY")


def as_json(keys: Sequence[StoredKey]) -> str:
    """A list of objects; times are RFC 3339 in UTC."""
    return msgspec.json.format(msgspec.json.encode([_object(key) for key in keys])).decode()


def as_table(keys: Sequence[StoredKey], now: float) -> str:
    """A line each, under headings."""
    lines = [_HEAD, *(_line(key, now) for key in keys)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [map(str.ljust, line, widths) for line in lines]
    return "\n".join("  ".join(cells).rstrip() for cells in padded)


def state(key: StoredKey, now: float) -> str:
    """Whether it is good, and until when."""
    if key.revoked_at is not None:
        return f"revoked {moment(key.revoked_at)}"
    if key.expires_at is None:
        return "good"
    return f"{'good until' if key.is_good(now) else 'expired'} {moment(key.expires_at)}"


def moment(at: float) -> str:
    """A time for people: to the minute, in UTC."""
    return date(at).strftime("%Y-%m-%d %H:%MZ")


def _object(key: StoredKey) -> dict[str, object]:
    values = {name: getattr(key, name) for name in key.__struct_fields__ if name != "digest"}
    for name in _TIMES:
        if values[name] is not None:
            values[name] = date(values[name])
    return values


def date(at: float) -> datetime:
    """In UTC; what no calendar has is its last day: one such key must not hide the others."""
    try:
        return datetime.fromtimestamp(at, UTC)
    except (OverflowError, ValueError):
        return datetime.max.replace(microsecond=0, tzinfo=UTC)


def _line(key: StoredKey, now: float) -> tuple[str, ...]:
    used = "never" if key.last_used_at is None else moment(key.last_used_at)
    return (key.id, key.name, key.account, state(key, now), moment(key.created_at), used, _may(key))


def _may(key: StoredKey) -> str:
    limits = (
        (key.max_sessions, "at once"),
        (key.sessions_per_minute, "a minute"),
    )
    return "; ".join(
        [
            "everything" if key.scopes == SCOPES else ", ".join(key.scopes),
            *(f"{number} sessions {unit}" for number, unit in limits if number is not None),
            *([f"from {', '.join(key.origins)}"] if key.origins else []),
        ]
    )
