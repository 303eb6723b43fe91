"""The bodies of webhooks: subscriptions, deliveries, and what is sent."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime

import msgspec
import pytest
from msgspec import UNSET, Struct

from antiphon_protocol import ranges, rest_webhooks
from antiphon_protocol.errors import InvalidValue
from antiphon_protocol.rest_webhooks import (
    WEBHOOK_EVENTS,
    WebhookPayload,
    WebhookSession,
    WebhookSubscriptionChange,
    WebhookSubscriptionRequest,
)

BODIES = [
    kind
    for kind in vars(rest_webhooks).values()
    if inspect.isclass(kind) and issubclass(kind, Struct) and kind is not Struct
]
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize("kind", BODIES, ids=lambda kind: kind.__name__)
def test_every_body_and_field_says_what_it_means(kind: type[Struct]) -> None:
    """In the schema, from which documents are made."""
    (_,), definitions = msgspec.json.schema_components([kind])
    schema = definitions[kind.__name__]
    assert schema["description"]
    assert all(value.get("description") for value in schema["properties"].values())


def test_an_event_says_its_ids_at_the_top_and_in_the_session() -> None:
    """Consumers read them from either place (section 9, row 26); what is not there is null."""
    session = WebhookSession(
        id="sess_1", agent_id=None, status="created", duration_seconds=None,
        audio_duration_seconds=None, close_reason=None, public_close_reason=None,
        created_at=AT, ended_at=None,
    )  # fmt: skip
    payload = WebhookPayload(
        event="session.started", event_id="evt_1", session_id="sess_1", agent_id=None,
        created_at=AT, session=session,
    )  # fmt: skip
    assert msgspec.to_builtins(payload) == {
        "event": "session.started",
        "event_id": "evt_1",
        "session_id": "sess_1",
        "agent_id": None,
        "created_at": "2026-01-02T03:04:05Z",
        "session": {
            "id": "sess_1",
            "agent_id": None,
            "status": "created",
            "duration_seconds": None,
            "audio_duration_seconds": None,
            "close_reason": None,
            "public_close_reason": None,
            "created_at": "2026-01-02T03:04:05Z",
            "ended_at": None,
        },
    }


def test_the_events_are_those_of_the_protocol() -> None:
    """Section 6.5."""
    assert WEBHOOK_EVENTS == (
        "session.started",
        "session.completed",
        "call.connected",
        "call.ended",
        "call.failed",
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "u" * 2049),
        ("events", ()),
        ("secret", "s" * 31),
        ("secret", "s" * 257),
    ],
)
def test_a_subscription_has_limits(field: str, value: object) -> None:
    """Section 6.5; they hold for a change as well."""
    good = {"url": "u" * 2048, "events": ("call.ended",), "secret": "s" * 32}
    ranges.check(msgspec.convert(good, WebhookSubscriptionRequest))
    for kind in (WebhookSubscriptionRequest, WebhookSubscriptionChange):
        with pytest.raises(InvalidValue) as refused:
            ranges.check(msgspec.convert(good | {field: value}, kind))
        assert refused.value.param == field


def test_a_subscription_is_enabled_and_for_every_agent_unless_it_says_otherwise() -> None:
    """What a change leaves out is not there, which is not the same as null."""
    least = {"url": "u", "events": ["call.ended"], "secret": "s" * 32}
    asked = msgspec.convert(least, WebhookSubscriptionRequest)
    assert (asked.enabled, asked.agent_id) == (True, None)
    change = msgspec.convert({"agent_id": None}, WebhookSubscriptionChange)
    assert (change.agent_id, change.url, change.enabled) == (None, UNSET, UNSET)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(least | {"events": ["session.paused"]}, WebhookSubscriptionRequest)
