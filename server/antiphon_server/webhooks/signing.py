"""The headers of one attempt: what it is, and the signature of its body."""

from __future__ import annotations

from antiphon_protocol.webhook_signature import (
    SIGNATURE_HEADER,
    STANDARD_ID_HEADER,
    STANDARD_SIGNATURE_HEADER,
    STANDARD_TIMESTAMP_HEADER,
    signature,
    standard_signature,
)


def signed_headers(secret: str | None, event_id: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of an attempt made at this time, in Unix seconds; unsigned without a secret.

    A retry has a time of its own: a receiver refuses a signature that is five minutes old.
    """
    headers = {
        "Content-Type": "application/json",
        STANDARD_ID_HEADER: event_id,
        STANDARD_TIMESTAMP_HEADER: str(at),
    }
    if secret is None:
        return headers
    return headers | {
        SIGNATURE_HEADER: f"t={at},v1={signature(secret, at, body)}",
        STANDARD_SIGNATURE_HEADER: f"v1,{standard_signature(secret, event_id, at, body)}",
    }
