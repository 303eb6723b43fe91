"""The webhook a session brings along in its first ``session.update``.

Source: voice agent protocol, section 3.1.
"""

from __future__ import annotations

import re
from typing import Any, Protocol

import msgspec

from antiphon_protocol import ranges
from antiphon_protocol.errors import InvalidValue, InvalidWebhook
from antiphon_protocol.session_config import Webhook
from antiphon_server.security.outbound_errors import OutboundError
from antiphon_server.security.secrets import Vault
from antiphon_server.store import webhook_outbox

_PRINTABLE = re.compile("[ -~]*")


class CheckUrl(Protocol):
    """``OutboundGuard``, as far as it is used here."""

    async def check_url(self, url: str) -> None:
        """Raises ``OutboundError`` for a URL that may not be asked."""
        ...


async def inline_check(value: Any, guard: CheckUrl) -> Webhook:
    """The webhook a JSON value stands for, which may be used.

    Raises ``InvalidWebhook`` with the path of what is wrong.
    """
    webhook = _shaped(value)
    if len(set(webhook.events)) < len(webhook.events):
        raise InvalidWebhook("'webhook.events' must list each event once", "webhook.events")
    if webhook.secret is not None and not _PRINTABLE.fullmatch(webhook.secret):
        raise InvalidWebhook("'webhook.secret' must be printable ASCII", "webhook.secret")
    try:
        await guard.check_url(webhook.url)
    except OutboundError as wrong:
        raise InvalidWebhook(f"'webhook.url': {wrong}", "webhook.url") from None
    return webhook


def seal_inline(vault: Vault, session_id: str, webhook: Webhook) -> bytes:
    """The webhook as the session's records hold it, and as the outbox opens it."""
    return webhook_outbox.sealed(vault, session_id, webhook)


def _shaped(value: Any) -> Webhook:
    try:
        webhook = msgspec.convert(value, Webhook)
    except msgspec.ValidationError as wrong:
        # The text names the path of the field, and never its value.
        raise InvalidWebhook(f"'webhook' is not valid: {wrong}", "webhook") from None
    try:
        ranges.check(webhook, "webhook.")
    except InvalidValue as wrong:
        raise InvalidWebhook(wrong.message, wrong.param) from None
    return webhook
