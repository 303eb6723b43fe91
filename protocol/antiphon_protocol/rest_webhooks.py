"""Webhooks: subscriptions to events, what is sent to them, and how the sending went.

Source: voice agent protocol, sections 6.5 and 9 (row 26). The nesting of a session's event and
the ids are ours: those of the hosted service are not known.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from msgspec import UNSET, Struct, UnsetType

from antiphon_protocol.rest import Page
from antiphon_protocol.session_config import WebhookEvent
from antiphon_protocol.units import one_of, ranged, says

WEBHOOK_EVENTS: tuple[WebhookEvent, ...] = get_args(WebhookEvent)
MOST_URL_CHARACTERS = 2048
SECRET_CHARACTERS = (32, 256)
"""The shortest and the longest secret, in printable ASCII characters."""

_URL = ranged("Receives a signed POST for each event; https.", max_length=MOST_URL_CHARACTERS)
_EVENTS = ranged("Which events to report, each once.", min_items=1)
_SECRET = ranged(
    "Key of the signature, in printable ASCII; never told again.",
    min_length=SECRET_CHARACTERS[0],
    max_length=SECRET_CHARACTERS[1],
)
_AGENT_ID = says("Report the sessions of this agent only; null: of every agent, and of none.")
_ENABLED = says("Whether events are reported.")
_SUBSCRIPTION_ID = says("`whs_` and 32 hexadecimal digits.")

# --- what is sent --------------------------------------------------------------------------


class WebhookSession(Struct, frozen=True, kw_only=True):
    """The session an event is about, as it was then."""

    id: Annotated[str, says("The session.")]
    agent_id: Annotated[str | None, says("The stored agent it ran with, if any.")]
    status: Annotated[str, one_of("Where it stood.", ("created", "completed"))]
    duration_seconds: Annotated[float | None, says("From ready to its end; null before.")]
    audio_duration_seconds: Annotated[
        float | None, says("Microphone audio that was received; null before the end.")
    ]
    close_reason: Annotated[str | None, says("How it ended, in this server's words.")]
    public_close_reason: Annotated[str | None, says("How it ended, such as `client_end`.")]
    created_at: Annotated[datetime, says("When it began: RFC 3339, UTC.")]
    ended_at: Annotated[datetime | None, says("When it ended: RFC 3339, UTC.")]


class WebhookPayload(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of a webhook: one event. The same bytes on every attempt."""

    event: Annotated[str, one_of("What happened.", WEBHOOK_EVENTS)]
    event_id: Annotated[
        str, says("The same on every attempt and to every receiver: ignore one you have seen.")
    ]
    session_id: Annotated[str, says("The session it is about.")]
    agent_id: Annotated[str | None, says("The stored agent of the session, if any.")]
    created_at: Annotated[datetime, says("When it happened: RFC 3339, UTC.")]
    session: Annotated[WebhookSession | None, says("The session; in every `session.*` event.")] = (
        None
    )
    call: Annotated[dict[str, Any] | None, says("The telephone call; in every `call.*` event.")] = (
        None
    )


# --- subscriptions -------------------------------------------------------------------------


class WebhookSubscriptionRequest(Struct, frozen=True, kw_only=True):
    """The body of ``POST /v1/webhook-subscriptions``."""

    url: Annotated[str, _URL]
    events: Annotated[tuple[WebhookEvent, ...], _EVENTS]
    secret: Annotated[str, _SECRET]
    agent_id: Annotated[str | None, _AGENT_ID] = None
    enabled: Annotated[bool | None, _ENABLED] = True


class WebhookSubscriptionChange(Struct, frozen=True, kw_only=True):
    """The body of ``PATCH /v1/webhook-subscriptions/{id}``: what is left out or null stays, but
    for ``agent_id``, where null stands for every agent.
    """

    url: Annotated[str | UnsetType | None, _URL] = UNSET
    events: Annotated[tuple[WebhookEvent, ...] | UnsetType | None, _EVENTS] = UNSET
    secret: Annotated[str | UnsetType | None, _SECRET] = UNSET
    agent_id: Annotated[str | UnsetType | None, _AGENT_ID] = UNSET
    enabled: Annotated[bool | UnsetType | None, _ENABLED] = UNSET


class WebhookSubscription(Struct, frozen=True, kw_only=True):
    """A subscription, without its secret."""

    id: Annotated[str, _SUBSCRIPTION_ID]
    agent_id: Annotated[str | None, _AGENT_ID]
    url: Annotated[str, says("Receives the events.")]
    events: Annotated[tuple[str, ...], one_of("Which events.", WEBHOOK_EVENTS)]
    enabled: Annotated[bool, _ENABLED]
    secret_version: Annotated[int, says("1, and one more for each secret that replaced another.")]
    created_at: Annotated[datetime, says("RFC 3339, UTC.")]
    updated_at: Annotated[datetime, says("RFC 3339, UTC.")]


class WebhookSubscriptionList(Page, frozen=True):
    """The answer of ``GET /v1/webhook-subscriptions``."""

    subscriptions: Annotated[tuple[WebhookSubscription, ...], says("Newest first.")] = ()


# --- deliveries ----------------------------------------------------------------------------

INLINE = "inline"
"""Instead of a subscription's id, in deliveries to the webhook of a ``session.update``: clients
of the hosted service want a string.
"""


class WebhookDelivery(Struct, frozen=True, kw_only=True):
    """How the sending of one event to one receiver goes."""

    id: Annotated[str, says("`whd_` and 32 hexadecimal digits.")]
    subscription_id: Annotated[
        str, says("The subscription; `inline` for the webhook of a `session.update`.")
    ]
    session_id: Annotated[str, says("The session the event is about.")]
    event: Annotated[str, one_of("Which event. An extension.", WEBHOOK_EVENTS)]
    event_id: Annotated[str, says("As in the body that is sent. An extension.")]
    attempt_count: Annotated[int, says("Requests that were made and answered, or failed.")]
    status: Annotated[
        Literal["pending", "delivered", "failed"],
        says("`pending` until it was answered with 2xx or the last attempt failed."),
    ]
    http_status_code: Annotated[int | None, says("Of the latest attempt; null: no answer.")]
    error: Annotated[str | None, says("Why the latest attempt failed; null on success.")]
    delivered_at: Annotated[datetime | None, says("When it was taken: RFC 3339, UTC.")]
    next_retry_at: Annotated[datetime | None, says("When it is tried next: RFC 3339, UTC.")]
    created_at: Annotated[datetime, says("When the event happened: RFC 3339, UTC.")]


class WebhookDeliveryList(Page, frozen=True):
    """The answer of ``GET /v1/sessions/{id}/webhook-deliveries`` and of ``…/latest``."""

    deliveries: Annotated[tuple[WebhookDelivery, ...], says("Newest first.")] = ()
