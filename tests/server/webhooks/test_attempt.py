"""One attempt: what is sent, and what its answer means."""

from __future__ import annotations

import pytest

from antiphon import webhooks
from antiphon_server.security.outbound import OutboundGuard, OutboundResponse
from antiphon_server.security.secrets import Vault
from antiphon_server.store.webhook_deliveries import Due
from antiphon_server.store.webhook_outbox import inline_context
from antiphon_server.store.webhook_subscriptions import secret_context
from antiphon_server.webhooks.attempt import Attempt, Failure, judged, post, readable
from raw_http import Exchange
from server.webhooks.outbox_rig import SECRET, VAULT, answering

AT = 1_790_210_425.75
BODY = (
    b'{"event":"session.started","event_id":"evt_1","session_id":"sess_1","agent_id":null,'
    b'"created_at":"2026-09-24T00:00:25Z"}'
)


def _due(url: str, secret: bytes | None, subscription_id: str | None = "whs_1") -> Due:
    return Due(
        id="whd_1", account="a", subscription_id=subscription_id, session_id="sess_1",
        event_id="evt_1", url=url, secret=secret, body=BODY, attempts=0, leased_until=AT + 60,
    )  # fmt: skip


async def _take(exchange: Exchange) -> None:
    await exchange.respond(202, b"thanks", "retry-after: 3")


async def _sent(secret: bytes | None, subscription_id: str | None) -> dict[str, str]:
    """The headers that arrive, once body and method are as they should be."""
    async with answering(_take) as server:
        guard = OutboundGuard((server.url.removeprefix("http://"),))
        due = _due(f"{server.url}/hook?x=1", secret, subscription_id)
        answer = await post(guard, VAULT, Attempt(due, AT, 10))
        await guard.close()
    assert (answer.status, answer.body) == (202, b"thanks")
    (request,) = server.requests
    assert (request.method, request.path, request.body) == ("POST", "/hook?x=1", BODY)
    return request.headers


async def test_a_subscription_gets_a_signed_post() -> None:
    """Signed with its secret at the second of the attempt; a receiver believes it."""
    headers = await _sent(VAULT.seal(SECRET.encode(), secret_context("whs_1")), "whs_1")
    assert webhooks.verify(BODY, headers, SECRET, now=AT).event_id == "evt_1"
    assert headers["x-aai-signature"].startswith("t=1790210425,v1=")
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("Antiphon/")


async def test_a_sessions_own_webhook_is_signed_where_it_has_a_secret() -> None:
    """Its secret is sealed for the session."""
    headers = await _sent(VAULT.seal(SECRET.encode(), inline_context("sess_1")), None)
    webhooks.verify(BODY, headers, SECRET, now=AT)
    assert "x-aai-signature" not in await _sent(None, None)


async def test_a_receiver_that_tells_the_secret_is_not_quoted() -> None:
    """The beginning of its answer is kept with the delivery, and shown."""

    async def complain(exchange: Exchange) -> None:
        await exchange.respond(401, f"the secret is {SECRET}, is it not?".encode())

    async with answering(complain) as server:
        guard = OutboundGuard((server.url.removeprefix("http://"),))
        due = _due(server.url, VAULT.seal(SECRET.encode(), secret_context("whs_1")))
        answer = await post(guard, VAULT, Attempt(due, AT, 10))
        await guard.close()
    assert answer.body == b"the secret is [secret], is it not?"


async def test_a_secret_that_cannot_be_opened_is_told_without_a_request() -> None:
    """Its key is gone, or it was sealed for another subscription."""
    other = Vault((bytes([1] * 32),))
    guard = OutboundGuard()
    for sealed in (
        other.seal(SECRET.encode(), secret_context("whs_1")),
        VAULT.seal(SECRET.encode(), secret_context("whs_2")),
    ):
        with pytest.raises(Failure, match="cannot open the secret"):
            await post(guard, VAULT, Attempt(_due("https://a.example/", sealed), AT, 10))
    await guard.close()


async def test_an_address_inside_is_not_asked() -> None:
    """What the guard refuses is a failure in its words."""
    guard = OutboundGuard()
    with pytest.raises(Failure, match="https"):
        await post(guard, VAULT, Attempt(_due("http://127.0.0.1/", None, None), AT, 10))
    await guard.close()


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_success_is_delivery(status: int) -> None:
    """Whatever the body says."""
    went = judged(OutboundResponse(status, {}, b"no", cut=True), AT, lambda _: 1.0)
    assert (went.status, went.http_status_code, went.error) == ("delivered", status, None)
    assert (went.at, went.next_retry_at) == (AT, None)


@pytest.mark.parametrize(
    ("answer", "code", "error"),
    [
        (OutboundResponse(401, {}, b"wrong signature"), 401, "HTTP 401: wrong signature"),
        (OutboundResponse(302, {"location": "/x"}, b""), 302, "HTTP 302: Found"),
        (OutboundResponse(100, {}, b""), 100, "HTTP 100: Continue"),
        (OutboundResponse(599, {}, b""), 599, "HTTP 599: not an answer of success"),
        (OutboundResponse(500, {}, b"\x1b[31m\xff\n\x00 red"), 500, "HTTP 500: [31m\ufffd red"),
        (OutboundResponse(410, {}, b"\n\t "), 410, "HTTP 410: Gone"),
        (Failure("no connection in time"), None, "no connection in time"),
    ],
)
def test_anything_else_is_an_attempt_that_failed(
    answer: OutboundResponse | Failure, code: int | None, error: str
) -> None:
    """With the beginning of what was said, on one line; the last one failed for good."""
    went = judged(answer, AT, lambda _: 5.0)
    assert (went.status, went.http_status_code, went.error) == ("pending", code, error)
    assert went.next_retry_at == AT + 5
    last = judged(answer, AT, lambda _: None)
    assert (last.status, last.next_retry_at, last.error) == ("failed", None, error)


def test_what_a_receiver_asks_for_is_passed_on() -> None:
    """Seconds from 503; nothing from 500, nor from silence."""
    asked: list[float | None] = []

    def wait_s(seconds: float | None) -> float:
        asked.append(seconds)
        return 1.0

    for answer in (
        OutboundResponse(503, {"retry-after": "7"}, b""),
        OutboundResponse(500, {"retry-after": "7"}, b""),
        Failure("no"),
    ):
        judged(answer, AT, wait_s)
    assert asked == [7.0, None, None]


def test_an_error_has_200_characters_at_most() -> None:
    """With the status."""
    went = judged(OutboundResponse(500, {}, b"x" * 4_096), AT, lambda _: 1.0)
    assert went.error == "HTTP 500: " + "x" * 190
    assert readable("a\u202eb\u2028c\td") == "a b c d"
