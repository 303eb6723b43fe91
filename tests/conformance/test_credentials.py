"""Credentials on the WebSocket (§1.2, §1.3)."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import httpx
import pytest

from conformance.stage import Trace, shows, traced
from conformance.target import Target
from conformance.wire import Call, opened, ready

WAYS = {
    "raw header": ("{}", ""),
    "Bearer header": ("Bearer {}", ""),
    "query": (None, "?token={}"),
}


async def credential(target: Target, kind: str) -> str:
    """A credential of a kind, new where that can be."""
    if kind == "API key":
        return target.key
    async with target.rest() as rest:
        if kind == "GET token":
            answer = await rest.get("/v1/token", params={"expires_in_seconds": 60})
        else:
            answer = await rest.post("/v1/tokens", json={})
    token: str = answer.json()["token"]
    return token


@pytest.mark.parametrize("kind", ["API key", "GET token", "POST token"])
@pytest.mark.parametrize("way", WAYS)
async def test_every_credential_is_taken_everywhere(target: Target, kind: str, way: str) -> None:
    """§1.2: API key and temporary token, in the header with or without ``Bearer`` or in the query.

    All interchangeably.
    """
    header, query = WAYS[way]
    secret = await credential(target, kind)
    async with opened(
        target,
        header=header.format(secret) if header else None,
        query=query.format(quote(secret)),
        keyless=True,
    ) as call:
        await ready(call)


async def test_a_token_in_both_header_and_query_is_fine(target: Target) -> None:
    """§11.1: some clients send the token twice."""
    token = await credential(target, "GET token")
    async with opened(target, header=f"Bearer {token}", query=f"?token={quote(token)}") as call:
        await ready(call)


async def refusal(call: Call) -> None:
    """The one event and the close code of a bad credential; the client sends nothing."""
    event = await call.next()
    assert event["type"] == "session.error"
    assert event["code"] == "unauthorized"
    assert event["message"] == "Authentication failed"
    assert (event["session_id"], event["param"]) == (None, None)
    assert isinstance(event["timestamp"], float)
    assert await call.closed() == 1008
    assert len(call.events) == 1


BAD = {
    "missing": (None, ""),
    "wrong": ("not-a-key", ""),
    "wrong Bearer": ("Bearer not-a-key", ""),
    "wrong query": (None, "?token=not-a-key"),
    "empty query": (None, "?token="),
    "another scheme": ("Basic bm90OmE=", ""),
}


@pytest.mark.parametrize("bad", BAD)
async def test_a_bad_credential_is_told_inside_the_socket(target: Target, bad: str) -> None:
    """§1.3, §5.1: the upgrade succeeds; ``unauthorized`` comes unasked, then close 1008."""
    header, query = BAD[bad]
    async with opened(target, header=header, query=query, keyless=True) as call:
        await refusal(call)


async def test_a_header_without_a_key_is_missing(target: Target) -> None:
    """§1.3: ``Bearer`` alone is no credential."""
    async with opened(target, header="Bearer") as call:
        await refusal(call)


async def silence(target: Target) -> Trace:
    """A good credential, and nothing said for 1.5 s."""
    async with opened(target) as call:
        await call.quiet(1.5)
        trace = traced(call)
        await ready(call)
        return trace


@shows(silence)
def test_the_server_is_silent_until_the_first_message(trace: Trace) -> None:
    """§1.3, §9 row 2: with good credentials nothing is sent before the client speaks."""
    assert trace.events == []


async def expired_token(target: Target) -> Trace:
    """A token used after its window."""
    async with target.rest() as rest:
        answer = await rest.get("/v1/token", params={"expires_in_seconds": 1})
    await asyncio.sleep(2.1)
    async with opened(
        target, query=f"?token={quote(answer.json()['token'])}", keyless=True
    ) as call:
        await refusal(call)
        return traced(call)


@shows(expired_token)
def test_an_expired_token_is_refused_like_a_wrong_one(trace: Trace) -> None:
    """§1.3: identical for missing, wrong and expired credentials."""
    assert trace.close_code == 1008


async def outlived_token(target: Target) -> Trace:
    """A session that lives on after the window of its token."""
    async with target.rest() as rest:
        answer = await rest.get("/v1/token", params={"expires_in_seconds": 3})
    async with opened(
        target, query=f"?token={quote(answer.json()['token'])}", keyless=True
    ) as call:
        await ready(call)
        await call.quiet(3.5)
        await call.fence()
        return traced(call)


@shows(outlived_token)
def test_the_window_of_a_token_stops_mattering_once_ready(trace: Trace) -> None:
    """§1.4: the redemption window ends nothing that has begun."""
    assert trace.close_code is None


@pytest.mark.recommended
async def test_a_token_opens_several_sessions(target: Target) -> None:
    """§1.4, §9 row 4: live, tokens are reusable inside their window, also at once."""
    token = await credential(target, "GET token")
    async with (
        opened(target, query=f"?token={quote(token)}", keyless=True) as one,
        opened(target, query=f"?token={quote(token)}", keyless=True) as two,
    ):
        first = await ready(one)
        second = await ready(two)
        assert first["session_id"] != second["session_id"]


@pytest.mark.parametrize("form", ["{}", "Bearer {}"])
@pytest.mark.parametrize("path", ["/v1/token?expires_in_seconds=60", "/v1/agents", "/v1/sessions"])
async def test_rest_takes_the_key_with_and_without_bearer(
    target: Target, path: str, form: str
) -> None:
    """§1.2: ``Authorization: <key>`` and ``Authorization: Bearer <key>`` both work."""
    async with httpx.AsyncClient(base_url=target.url, transport=target.transport()) as client:
        answer = await client.get(path, headers={"Authorization": form.format(target.key)})
    assert answer.status_code == 200, answer.text
