"""How a webhook is signed, in both schemes; a receiver and the server reckon the same.

``X-AAI-Signature: t=1790210425,v1=<hex>`` is HMAC-SHA256 of ``<t>.<body>`` with the secret as
it stands (voice agent protocol, section 6.5). ``webhook-signature: v1,<base64>`` is HMAC-SHA256
of ``<webhook-id>.<webhook-timestamp>.<body>`` (Standard Webhooks 1.0).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

SIGNATURE_HEADER = "X-AAI-Signature"
STANDARD_ID_HEADER = "webhook-id"
STANDARD_TIMESTAMP_HEADER = "webhook-timestamp"
STANDARD_SIGNATURE_HEADER = "webhook-signature"

TOLERANCE_SECONDS = 300
"""How far a receiver lets the time of a signature be from its own clock, either way."""

STANDARD_SECRET_PREFIX = "whsec_"  # noqa: S105 - what secrets begin with


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The ``v1`` of ``X-AAI-Signature``, 64 hexadecimal digits. ``timestamp`` is Unix seconds."""
    signed = b"%d.%b" % (timestamp, body)
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


def standard_signature(secret: str, event_id: str, timestamp: int, body: bytes) -> str:
    """The base64 after ``v1,`` in ``webhook-signature``. ``timestamp`` is Unix seconds."""
    signed = b"%b.%d.%b" % (event_id.encode(), timestamp, body)
    return base64.b64encode(hmac.digest(standard_key(secret), signed, "sha256")).decode()


def standard_key(secret: str) -> bytes:
    """The key of the standard scheme: what base64 stands for after ``whsec_``.

    A secret of another form is the key itself; a library of Standard Webhooks is then given its
    base64.
    """
    if secret.startswith(STANDARD_SECRET_PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(STANDARD_SECRET_PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode()
