"""Signatures that other programs made."""

from __future__ import annotations

from antiphon_protocol.webhook_signature import (
    signature,
    standard_key,
    standard_signature,
)

SECRET = "k7Jq2vXw9zR4tY6uB1nM3cP8sD5fG0hL2aE9oI4xZQw"  # noqa: S105 - of no server


def test_a_signature_is_that_of_openssl() -> None:
    """``printf 't.body' | openssl dgst -sha256 -hmac SECRET``."""
    expected = "35e20863ea0f5ba6a9934711a793370ba7b7949889ec84fc1335dc0990321b8e"
    assert signature(SECRET, 1790210425, b'{"event":"session.completed"}') == expected


def test_a_standard_signature_is_that_of_the_standard() -> None:
    """The example of Standard Webhooks, whose secret is base64."""
    body = b'{"test": 2432232314}'
    signed = standard_signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body
    )
    assert signed == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_that_is_no_base64_is_the_key_itself() -> None:
    """Also behind ``whsec_``, where what follows is not base64."""
    assert (
        standard_signature(SECRET, "evt_1", 1790210425, b"{}")
        == "UkxpIKwXrNm1FdCbLZSk1jgjB2GM9DpAo0aZ06JJ8W4="
    )
    assert standard_key("whsec_AAEC") == b"\x00\x01\x02"
    assert standard_key("whsec_not base64!") == b"whsec_not base64!"
