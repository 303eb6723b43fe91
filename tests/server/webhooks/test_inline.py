"""The webhook of a session: what may be, and that its secret is sealed."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon_protocol.errors import InvalidWebhook
from antiphon_protocol.session_config import Webhook
from antiphon_server.security.outbound import OutboundGuard
from antiphon_server.webhooks.inline import inline_check, seal_inline
from outbound_peer import Names
from server.webhooks.outbox_rig import SECRET, VAULT

URL = "https://hook.example/x"
GOOD: dict[str, Any] = {"url": URL, "events": ["session.started"], "secret": SECRET}


async def _checked(value: Any) -> Webhook:
    names = Names({"hook.example": [["93.184.216.34"]], "inside.example": [["10.0.0.1"]]})
    guard = OutboundGuard(resolve=names)
    try:
        return await inline_check(value, guard)
    finally:
        await guard.close()


async def test_a_good_webhook_is_taken() -> None:
    """Events of calls are taken too, though a session may have none; the secret is optional."""
    assert await _checked(GOOD) == Webhook(URL, ("session.started",), SECRET)
    least = {"url": URL, "events": ["call.ended", "session.completed"], "secret": None}
    assert (await _checked(least)).secret is None


@pytest.mark.parametrize(
    ("value", "param"),
    [
        ("https://hook.example/x", "webhook"),
        ([], "webhook"),
        ({}, "webhook"),
        ({"url": URL}, "webhook"),
        (GOOD | {"more": 1}, "webhook"),
        (GOOD | {"url": 1}, "webhook"),
        (GOOD | {"events": ["session.paused"]}, "webhook"),
        (GOOD | {"events": "session.started"}, "webhook"),
        (GOOD | {"events": []}, "webhook.events"),
        (GOOD | {"events": ["session.started"] * 2}, "webhook.events"),
        (GOOD | {"secret": "s" * 31}, "webhook.secret"),
        (GOOD | {"secret": "s" * 257}, "webhook.secret"),
        (GOOD | {"secret": "é" * 40}, "webhook.secret"),
        (GOOD | {"secret": "s" * 40 + "\n"}, "webhook.secret"),
        (GOOD | {"url": URL + "x" * 2048}, "webhook.url"),
        (GOOD | {"url": ""}, "webhook.url"),
        (GOOD | {"url": "http://hook.example/x"}, "webhook.url"),
        (GOOD | {"url": "https://127.0.0.1/"}, "webhook.url"),
        (GOOD | {"url": "https://inside.example/"}, "webhook.url"),
        (GOOD | {"url": "https://nowhere.example/"}, "webhook.url"),
    ],
)
async def test_a_bad_webhook_is_refused_with_its_path(value: Any, param: str) -> None:
    """As ``invalid_webhook``; the secret is never repeated."""
    with pytest.raises(InvalidWebhook) as refused:
        await _checked(value)
    assert refused.value.param == param
    assert SECRET not in refused.value.message


def test_it_is_sealed_for_its_session() -> None:
    """Neither address nor secret can be read in the records."""
    sealed = seal_inline(VAULT, "sess_1", Webhook(URL, ("session.started",), SECRET))
    assert SECRET.encode() not in sealed
    assert b"hook.example" not in sealed
    assert URL.encode() in VAULT.open(sealed, "session-webhook:sess_1")
