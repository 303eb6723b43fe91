"""Is a webhook genuine? For the server that receives what a voice agent server reports::

    event = webhooks.verify(body, request.headers, secret)

Takes the headers of Antiphon, of the hosted service and of Standard Webhooks. Source: voice
agent protocol, section 6.5.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Mapping, Sequence

import msgspec

from antiphon.errors import AntiphonError
from antiphon_protocol.rest_webhooks import WebhookPayload, WebhookSession
from antiphon_protocol.webhook_signature import (
    SIGNATURE_HEADER,
    STANDARD_ID_HEADER,
    STANDARD_SIGNATURE_HEADER,
    STANDARD_TIMESTAMP_HEADER,
    TOLERANCE_SECONDS,
    signature,
    standard_signature,
)

__all__ = ["WebhookPayload", "WebhookRefused", "WebhookSession", "verify"]

_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_EVENT_ID = re.compile(r"[!-~]{1,256}", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{43}=", re.ASCII)
_decode = msgspec.json.Decoder(WebhookPayload).decode


class WebhookRefused(AntiphonError):
    """A webhook that is not genuine, or too old to be believed; answer it with 400."""


def verify(
    body: bytes,
    headers: Mapping[str, str],
    secret: str | Sequence[str],
    *,
    now: float | None = None,
) -> WebhookPayload:
    """The event of a webhook that was signed with the secret, or with one of several.

    ``body`` is the request's as it came, before anything parsed it: another order of keys is
    another signature. Names of headers may have any case. ``now`` is Unix seconds, by default
    the clock. A signature more than 300 s from it is refused, so that nobody can send an old
    webhook again; inside that time ignore an ``event_id`` you have seen, as attempts of one
    event share it. Every signature that is there must hold. Raises ``WebhookRefused``.
    """
    secrets = (secret,) if isinstance(secret, str) else tuple(secret)
    given = {name.lower(): value for name, value in headers.items()}
    at = time.time() if now is None else now
    is_signed = [
        check(body, given, secrets, at)
        for name, check in _CHECKS.items()
        if given.get(name.lower()) is not None
    ]
    if not is_signed:
        raise WebhookRefused("the webhook has no signature")
    try:
        event = _decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise WebhookRefused("the webhook is signed, but it is no event") from None
    if given.get(STANDARD_ID_HEADER, event.event_id) != event.event_id:
        raise WebhookRefused("the webhook's id is not that of its event")
    return event


def _check_own(body: bytes, headers: Mapping[str, str], secrets: Sequence[str], at: float) -> None:
    """Of ``X-AAI-Signature``; parts of other schemes are passed over."""
    parts = [part.strip().partition("=") for part in headers[SIGNATURE_HEADER.lower()].split(",")]
    times = [value for name, _, value in parts if name == "t"]
    found = [value for name, _, value in parts if name == "v1" and _HEX.fullmatch(value)]
    if len(times) != 1:
        raise WebhookRefused("the webhook's signature has not one time")
    timestamp = _read_timestamp(times[0])
    _match(found, [signature(secret, timestamp, body) for secret in secrets])
    _check_age(timestamp, at)


def _check_standard(
    body: bytes, headers: Mapping[str, str], secrets: Sequence[str], at: float
) -> None:
    """Of Standard Webhooks; signatures of other versions are passed over."""
    parts = [part.partition(",") for part in headers[STANDARD_SIGNATURE_HEADER].split()]
    found = [value for name, _, value in parts if name == "v1" and _BASE64.fullmatch(value)]
    timestamp = _read_timestamp(headers.get(STANDARD_TIMESTAMP_HEADER, ""))
    event_id = headers.get(STANDARD_ID_HEADER, "")
    if not _EVENT_ID.fullmatch(event_id):
        raise WebhookRefused("the webhook has a signature, but no id")
    _match(found, [standard_signature(secret, event_id, timestamp, body) for secret in secrets])
    _check_age(timestamp, at)


_CHECKS = {SIGNATURE_HEADER: _check_own, STANDARD_SIGNATURE_HEADER: _check_standard}


def _read_timestamp(text: str) -> int:
    if not _TIMESTAMP.fullmatch(text):
        raise WebhookRefused("the webhook's signature has no time")
    return int(text)


def _match(found: Sequence[str], expected: Sequence[str]) -> None:
    # Every pair is compared, in constant time, so that the time taken tells nothing.
    matches = [hmac.compare_digest(one, other) for one in found for other in expected]
    if not any(matches):
        raise WebhookRefused("the webhook's signature does not fit its body and the secret")


def _check_age(timestamp: int, at: float) -> None:
    if not abs(at - timestamp) <= TOLERANCE_SECONDS:
        raise WebhookRefused(f"the webhook was signed {abs(at - timestamp):.0f} s from now")
