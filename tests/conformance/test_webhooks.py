"""Webhooks: subscriptions, deliveries, signatures (§6.5, Appendix B)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from conformance.dialogue import stored
from conformance.peer import Request, Response
from conformance.shapes import Shape, boolean, integer, list_of, misfits, nullable, one_of, text
from conformance.spec import SESSION_ID
from conformance.stage import Trace, shows, traced
from conformance.target import Target
from conformance.test_rest import envelope
from conformance.wire import Call, opened, ready

PATH = "/v1/webhook-subscriptions"
SECRET = "0123456789abcdef" * 3
EVENTS = ["session.started", "session.completed", "call.connected", "call.ended", "call.failed"]
BODY: dict[str, Any] = {
    "url": "https://example.com/hook",
    "events": ["session.completed"],
    "secret": SECRET,
}
SUBSCRIPTION: dict[str, Shape] = {
    "id": text,
    "agent_id": nullable(text),
    "url": text,
    "events": list_of(text),
    "enabled": boolean,
    "secret_version": integer,
    "created_at": text,
    "updated_at": text,
}
DELIVERY: dict[str, Shape] = {
    "id": text,
    "subscription_id": nullable(text),
    "session_id": SESSION_ID,
    "attempt_count": integer,
    "status": one_of("pending", "delivered", "failed"),
    "http_status_code": nullable(integer),
    "error": nullable(text),
    "delivered_at": nullable(text),
    "next_retry_at": nullable(text),
    "created_at": text,
}


@asynccontextmanager
async def subscribed(rest: httpx.AsyncClient, **fields: Any) -> AsyncIterator[dict[str, Any]]:
    """A subscription that exists for as long as the block runs."""
    answer = await rest.post(PATH, json={**BODY, **fields})
    assert answer.status_code == 201, answer.text
    subscription: dict[str, Any] = answer.json()
    try:
        yield subscription
    finally:
        await rest.delete(f"{PATH}/{subscription['id']}")


@pytest.mark.needs("callback-url")
async def test_a_subscription_is_created_read_changed_and_deleted(target: Target) -> None:
    """§6.5: 201, GET, PATCH, DELETE; the secret is never told."""
    address, _ = target.peer.box()
    async with target.rest() as rest, subscribed(rest, url=address) as made:
        assert misfits(made, SUBSCRIPTION) == []
        assert (made["agent_id"], made["enabled"]) == (None, True)
        path = f"{PATH}/{made['id']}"
        assert (await rest.get(path)).json() == made
        changed = await rest.patch(path, json={"events": EVENTS[:2]})
        assert changed.status_code == 200
        assert sorted(changed.json()["events"]) == sorted(EVENTS[:2])
        assert SECRET not in changed.text + str(made) + (await rest.get(PATH)).text
        gone = await rest.delete(path)
        assert (gone.status_code, gone.content) == (204, b"")
        envelope(await rest.get(path), 404, "webhook_subscription_not_found")


@pytest.mark.needs("callback-url")
async def test_a_new_secret_is_a_new_version(target: Target) -> None:
    """§6.5: ``secret_version`` counts."""
    address, _ = target.peer.box()
    async with target.rest() as rest, subscribed(rest, url=address) as made:
        path = f"{PATH}/{made['id']}"
        changed = (await rest.patch(path, json={"secret": SECRET[::-1]})).json()
        assert changed["secret_version"] > made["secret_version"]


@pytest.mark.needs("callback-url")
async def test_a_disabled_subscription_is_listed_when_asked_for(target: Target) -> None:
    """§6.5: ``include_disabled``."""
    address, _ = target.peer.box()
    async with target.rest() as rest, subscribed(rest, url=address, enabled=False) as made:
        assert made["enabled"] is False
        assert made["id"] not in (await rest.get(PATH)).text
        listed = await rest.get(PATH, params={"include_disabled": "true", "limit": 200})
        assert made["id"] in [one["id"] for one in listed.json()["subscriptions"]]


BAD: dict[str, dict[str, Any]] = {
    "no url": {"url": None},
    "no events": {"events": []},
    "an event twice": {"events": ["session.completed", "session.completed"]},
    "an unknown event": {"events": ["session.exploded"]},
    "a short secret": {"secret": "s" * 31},
    "a long secret": {"secret": "s" * 257},
    "a secret that is not ASCII": {"secret": "ß" * 40},
    "no https": {"url": "http://example.com/hook"},
    "no url at all": {"url": "hook"},
    "a long url": {"url": f"https://example.com/{'a' * 2048}"},
    "a private address": {"url": "https://10.0.0.1/hook"},
    "this machine": {"url": "https://127.0.0.1/hook"},
}


@pytest.mark.parametrize("fault", BAD)
async def test_a_subscription_that_cannot_be_is_refused(target: Target, fault: str) -> None:
    """§6.1, §6.5, §B: 422 ``validation_error``."""
    body = {key: value for key, value in {**BODY, **BAD[fault]}.items() if value is not None}
    async with target.rest() as rest:
        envelope(await rest.post(PATH, json=body), 422, "validation_error")


@pytest.mark.needs("other-key", "callback-url")
async def test_a_subscription_of_another_account_does_not_exist(target: Target) -> None:
    """§6.5: 404 to another account, and not in its list."""
    address, _ = target.peer.box()
    async with (
        target.rest() as rest,
        target.rest(target.other_key) as other,
        subscribed(rest, url=address) as made,
    ):
        answer = await other.get(f"{PATH}/{made['id']}")
        envelope(answer, 404, "webhook_subscription_not_found")
        assert made["id"] not in (await other.get(PATH)).text


def events_of(requests: list[Request], session_id: str) -> list[str]:
    """The events of one session that a box received."""
    bodies = [request.json for request in requests]
    return [body["event"] for body in bodies if body["session_id"] == session_id]


async def a_call(call: Call, agent_id: str) -> str:
    """A session of an agent from its start to its end; its id."""
    session_id: str = (await ready(call, agent_id=agent_id))["session_id"]
    await call.send("session.end")
    await call.closed()
    return session_id


async def delivered(rest: httpx.AsyncClient, session_id: str, count: int) -> list[dict[str, Any]]:
    """The deliveries of a session once so many were delivered."""
    async with asyncio.timeout(20):
        while True:
            answer = await rest.get(f"/v1/sessions/{session_id}/webhook-deliveries")
            found: list[dict[str, Any]] = answer.json()["deliveries"]
            if len([one for one in found if one["status"] == "delivered"]) >= count:
                return found
            await asyncio.sleep(0.2)


async def reported(target: Target) -> Trace:
    """A session whose start and end were reported."""
    address, box = target.peer.box()
    async with (
        target.rest() as rest,
        stored(rest) as agent,
        subscribed(rest, url=address, events=EVENTS[:2], agent_id=agent["id"]) as made,
        opened(target) as call,
        opened(target) as another,
    ):
        await ready(another)
        session_id = await a_call(call, agent["id"])
        await box.wait(lambda got: len(events_of(got, session_id)) >= 2)
        deliveries = await delivered(rest, session_id, 2)
        latest = (await rest.get(f"/v1/sessions/{session_id}/webhook-deliveries/latest")).json()
        return traced(
            call,
            session_id=session_id,
            agent_id=agent["id"],
            subscription_id=made["id"],
            received=list(box.received),
            deliveries=deliveries,
            latest=latest,
        )


needs_callback = pytest.mark.needs("callback-url")


@needs_callback
@shows(reported)
def test_start_and_end_are_each_reported_once(trace: Trace) -> None:
    """§6.5: a subscription of an agent gets its sessions only."""
    events = [request.json["event"] for request in trace.notes["received"]]
    assert sorted(events) == ["session.completed", "session.started"]
    sessions = {request.json["session_id"] for request in trace.notes["received"]}
    assert sessions == {trace.notes["session_id"]}


@needs_callback
@shows(reported)
def test_a_report_is_signed(trace: Trace) -> None:
    """§6.5, §B: ``X-AAI-Signature: t=…,v1=…`` over ``t.body``, within 300 s."""
    for request in trace.notes["received"]:
        signature = request.headers["x-aai-signature"]
        parts = dict(part.split("=", 1) for part in signature.split(","))
        signed = f"{parts['t']}.".encode() + request.body
        assert parts["v1"] == hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert abs(time.time() - int(parts["t"])) < 300


@needs_callback
@shows(reported)
def test_a_report_is_json_with_its_ids(trace: Trace) -> None:
    """§6.5: POST; ``event``, ``event_id``, ``session_id``, ``agent_id`` at the top."""
    ids = set()
    for request in trace.notes["received"]:
        assert request.method == "POST"
        assert request.headers["content-type"].startswith("application/json")
        body = request.json
        assert body["session_id"] == trace.notes["session_id"]
        assert body["agent_id"] == trace.notes["agent_id"]
        ids.add(body["event_id"])
    assert len(ids) == len(trace.notes["received"])


@pytest.mark.recommended
@needs_callback
@shows(reported)
def test_the_end_is_reported_with_duration_and_reason(trace: Trace) -> None:
    """§6.5, §9 row 26: also nested under ``session``."""
    bodies = {request.json["event"]: request.json for request in trace.notes["received"]}
    session = bodies["session.completed"]["session"]
    assert session["id"] == trace.notes["session_id"]
    assert session["public_close_reason"] == "client_end"
    assert session["duration_seconds"] >= 0


@needs_callback
@pytest.mark.parametrize("key", DELIVERY)
@shows(reported)
def test_deliveries_can_be_read(trace: Trace, key: str) -> None:
    """§6.5: ``/v1/sessions/{id}/webhook-deliveries`` and ``/latest``."""
    for delivery in trace.notes["deliveries"]:
        assert misfits(delivery, {key: DELIVERY[key]}) == []
        assert delivery["subscription_id"] == trace.notes["subscription_id"]
    latest = json.dumps(trace.notes["latest"])
    assert any(delivery["id"] in latest for delivery in trace.notes["deliveries"])


async def retried(target: Target) -> Trace:
    """A receiver that is out of order at first."""
    address, box = target.peer.box(Response(503, b"later"), Response(body=b"{}"))
    async with (
        target.rest() as rest,
        stored(rest) as agent,
        subscribed(rest, url=address, agent_id=agent["id"]),
        opened(target) as call,
    ):
        session_id = await a_call(call, agent["id"])
        await box.wait(lambda got: len(got) >= 2, seconds=90)
        deliveries = await delivered(rest, session_id, 1)
        return traced(call, received=list(box.received), deliveries=deliveries)


@needs_callback
@shows(retried)
def test_a_failed_delivery_is_tried_again(trace: Trace) -> None:
    """§6.5, §9 row 26: a 503 is retried, with the same ``event_id`` and a good signature."""
    first, second = trace.notes["received"][:2]
    assert first.json["event_id"] == second.json["event_id"]
    (delivery,) = trace.notes["deliveries"]
    assert (delivery["status"], delivery["http_status_code"]) == ("delivered", 200)
    assert delivery["attempt_count"] == 2


async def inline(target: Target) -> Trace:
    """A session with a webhook of its own."""
    address, box = target.peer.box()
    webhook = {"url": address, "events": ["session.completed"], "secret": SECRET}
    async with opened(target) as call:
        event = await ready(call, webhook=webhook)
        assert SECRET not in str(event)
        await call.send("session.end")
        await call.closed()
        await box.wait(lambda got: bool(events_of(got, event["session_id"])))
        return traced(call, received=list(box.received))


@needs_callback
@shows(inline)
def test_an_inline_webhook_is_called(trace: Trace) -> None:
    """§3.1, §6.5: ``webhook`` of the first update, for this session alone."""
    (request,) = trace.notes["received"]
    assert request.json["event"] == "session.completed"
    assert "x-aai-signature" in request.headers


@needs_callback
async def test_an_address_that_is_subscribed_twice_is_a_conflict(target: Target) -> None:
    """§6.1: 409 ``webhook_subscription_already_exists``."""
    address, _ = target.peer.box()
    async with target.rest() as rest, subscribed(rest, url=address):
        answer = await rest.post(PATH, json={**BODY, "url": address})
        envelope(answer, 409, "webhook_subscription_already_exists")
