"""What an attempt's headers say."""

from __future__ import annotations

import pytest

from antiphon import webhooks
from antiphon_server.webhooks.signing import signed_headers

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of no server
BODY = (
    b'{"event":"session.started","event_id":"evt_1","session_id":"sess_1","agent_id":null,'
    b'"created_at":"2026-09-24T00:00:25Z"}'
)


def test_a_receiver_believes_them() -> None:
    """The server signs and the SDK checks, in both schemes; they share the formulas only."""
    headers = signed_headers(SECRET, "evt_1", 1_000, BODY)
    assert webhooks.verify(BODY, headers, SECRET, now=1_000).event_id == "evt_1"
    for scheme in ("X-AAI-Signature", "webhook-signature"):
        alone = {name: value for name, value in headers.items() if name != scheme}
        webhooks.verify(BODY, alone, SECRET, now=1_000)
    assert headers["Content-Type"] == "application/json"


def test_every_attempt_has_a_time_of_its_own() -> None:
    """An attempt an hour later would be refused as a replay otherwise."""
    later = signed_headers(SECRET, "evt_1", 4_600, BODY)
    assert later["webhook-timestamp"] == "4600"
    assert later["X-AAI-Signature"].startswith("t=4600,v1=")
    webhooks.verify(BODY, later, SECRET, now=4_600)


def test_without_a_secret_nothing_is_signed() -> None:
    """A session's own webhook may have none; the id and the time are still said."""
    headers = signed_headers(None, "evt_1", 1_000, BODY)
    assert headers == {
        "Content-Type": "application/json",
        "webhook-id": "evt_1",
        "webhook-timestamp": "1000",
    }
    with pytest.raises(webhooks.WebhookRefused):
        webhooks.verify(BODY, headers, SECRET, now=1_000)
