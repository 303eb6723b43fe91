"""Keys as people and programs see them."""

from __future__ import annotations

import json

from msgspec.structs import replace

from antiphon_server.keys_report import as_json, as_table, moment, state
from antiphon_server.store.keys import StoredKey

NOW = 1_800_000_000.0
KEY = StoredKey(id="key_1", account="shop", name="Wörk", digest=b"canary", created_at=NOW - 60)
NARROW = replace(
    KEY, id="key_22", name="web", scopes=("calls", "usage"), origins=("https://a.example",),
    max_sessions=3, sessions_per_minute=60, expires_at=NOW + 60, last_used_at=NOW,
)  # fmt: skip


def test_a_table_has_a_line_for_each_key() -> None:
    """Columns below each other; what it may do comes last, because it is long."""
    head, first, second = as_table([KEY, NARROW], NOW).splitlines()
    assert head.split("  ")[0] == "ID"
    for line in (first, second):
        for name, text in (("NAME", "w"), ("ACCOUNT", "shop"), ("CREATED", "2027-01-15 07:59Z")):
            assert line.lower()[head.index(name) :].startswith(text.lower())
    assert first.endswith("never              everything")
    assert second.endswith(
        "calls, usage; 3 sessions at once; 60 sessions a minute; from https://a.example"
    )


def test_the_state_says_until_when() -> None:
    """A revoked key is revoked, whatever else."""
    assert state(KEY, NOW) == "good"
    assert state(NARROW, NOW) == f"good until {moment(NOW + 60)}"
    assert state(NARROW, NOW + 60) == f"expired {moment(NOW + 60)}"
    assert state(replace(NARROW, revoked_at=NOW), NOW + 99) == f"revoked {moment(NOW)}"


def test_programs_get_every_field_but_the_digest() -> None:
    """Times are RFC 3339 in UTC, null is never."""
    whole, narrow = json.loads(as_json([KEY, NARROW]))
    assert whole == {
        "id": "key_1", "account": "shop", "name": "Wörk", "origins": [],
        "scopes": ["calls", "agents", "sessions", "webhooks", "usage"], "max_sessions": None,
        "sessions_per_minute": None, "created_at": "2027-01-15T07:59:00Z", "expires_at": None,
        "last_used_at": None, "revoked_at": None,
    }  # fmt: skip
    assert narrow["expires_at"] == "2027-01-15T08:01:00Z"
    assert "canary" not in as_json([KEY]) + as_table([KEY], NOW)
    assert json.loads(as_json([])) == []


def test_a_key_that_outlives_the_calendar_does_not_hide_the_others() -> None:
    """Its end is the calendar's last day."""
    for end in (1e12, 1e300):
        lasting = replace(KEY, expires_at=end)
        assert "good until 9999-12-31" in as_table([KEY, lasting], NOW)
        assert json.loads(as_json([lasting]))[0]["expires_at"].startswith("9999-12-31T")
