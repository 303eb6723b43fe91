"""Times in queries: RFC 3339, or a date, which is its first moment in UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from antiphon_protocol.rest import Fault
from antiphon_server.rest.fields import shown

_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII
)
_UNESCAPED = re.compile(r" (?=\d\d:\d\d\Z)")


def moment(text: str, name: str) -> float | Fault:
    """Unix seconds of a query's parameter; a time without a zone is in UTC."""
    # A plus sign that was not escaped arrives as a space.
    written = _UNESCAPED.sub("+", text).upper()
    try:
        if _MOMENT.fullmatch(written):
            read = datetime.fromisoformat(written)
            read = read if read.tzinfo else read.replace(tzinfo=UTC)
            return read.astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        pass  # A month 13 has the form of one; the first hours of year 1 may lie before it.
    told = "Input should be a time of RFC 3339, such as 2026-10-31T12:00:00Z, or a date"
    return Fault("datetime_parsing", ("query", name), told, shown(text))


def told(at: float) -> datetime:
    """A time for an answer, in UTC."""
    return datetime.fromtimestamp(at, UTC)
