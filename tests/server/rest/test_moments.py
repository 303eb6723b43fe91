"""Times in queries."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from antiphon_protocol.rest import Fault
from antiphon_server.rest.moments import moment, told


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-02", 86_400.0),
        ("1970-01-01T00:00:01Z", 1.0),
        ("1970-01-01t00:00:01z", 1.0),
        ("1970-01-01T01:00:00+01:00", 0.0),
        ("1970-01-01T01:00:00 01:00", 0.0),
        ("1970-01-01 00:00:00.5", 0.5),
    ],
)
def test_a_time_is_unix_seconds(text: str, at: float) -> None:
    """In UTC where it has no zone; a plus sign that was not escaped counts."""
    assert moment(text, "from") == at


@pytest.mark.parametrize("text", ["", "now", "1970", "1970-13-01", "1970-01-01T25", "0" * 999])
def test_what_is_no_time_is_a_fault(text: str) -> None:
    """Of its parameter."""
    fault = moment(text, "to")
    assert isinstance(fault, Fault)
    assert (fault.type, fault.loc) == ("datetime_parsing", ("query", "to"))


def test_a_time_is_told_in_utc() -> None:
    """Whatever the server's zone."""
    assert told(0.5) == datetime(1970, 1, 1, 0, 0, 0, 500_000, UTC)
