"""Temporary tokens (§1.4, §1.5, Appendix B)."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from conformance.shapes import misfits, text
from conformance.stage import Trace, shows, traced
from conformance.target import Target
from conformance.wire import opened, ready


@pytest.mark.parametrize("seconds", [1, 60, 600])
async def test_get_token_gives_a_token_and_echoes_its_window(
    rest: httpx.AsyncClient, seconds: int
) -> None:
    """§1.4, §B: ``expires_in_seconds`` 1 to 600; the body is ``token`` and the echo."""
    answer = await rest.get("/v1/token", params={"expires_in_seconds": seconds})
    assert answer.status_code == 200
    assert misfits(answer.json(), {"token": text}) == []
    assert answer.json()["expires_in_seconds"] == seconds


@pytest.mark.parametrize("seconds", [60, 10800])
async def test_get_token_takes_a_longest_session(rest: httpx.AsyncClient, seconds: int) -> None:
    """§1.4, §B: ``max_session_duration_seconds`` 60 to 10800."""
    wanted = {"expires_in_seconds": 60, "max_session_duration_seconds": seconds}
    assert (await rest.get("/v1/token", params=wanted)).status_code == 200


async def test_get_token_ignores_the_product(rest: httpx.AsyncClient) -> None:
    """§1.4: ``product=voice_agent`` is sent by the official starter."""
    wanted = {"expires_in_seconds": "60", "product": "voice_agent"}
    assert (await rest.get("/v1/token", params=wanted)).status_code == 200


OUT_OF_RANGE = [
    ("expires_in_seconds", 0, "greater_than_equal", {"ge": 1}),
    ("expires_in_seconds", 601, "less_than_equal", {"le": 600}),
    ("max_session_duration_seconds", 59, "greater_than_equal", {"ge": 60}),
    ("max_session_duration_seconds", 10801, "less_than_equal", {"le": 10800}),
]


@pytest.mark.parametrize(("name", "value", "kind", "limit"), OUT_OF_RANGE)
async def test_get_token_refuses_what_is_out_of_range(
    rest: httpx.AsyncClient, name: str, value: int, kind: str, limit: dict[str, int]
) -> None:
    """§1.4, §B: 422 with a bare ``detail`` that says which, what was sent and the limit."""
    answer = await rest.get("/v1/token", params={"expires_in_seconds": 60, name: value})
    assert answer.status_code == 422
    (detail,) = answer.json()["detail"]
    assert detail["type"] == kind
    assert detail["loc"] == ["query", name]
    words = kind.replace("_", " ").replace("than equal", "than or equal to")
    assert detail["msg"] == f"Input should be {words} {next(iter(limit.values()))}"
    assert detail["input"] == str(value)
    assert detail["ctx"] == limit


async def test_get_token_wants_a_window(rest: httpx.AsyncClient) -> None:
    """§1.4: without ``expires_in_seconds`` 422 ``missing``."""
    answer = await rest.get("/v1/token")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["type"] == "missing"
    assert answer.json()["detail"][0]["loc"] == ["query", "expires_in_seconds"]


async def test_get_token_wants_a_key(target: Target) -> None:
    """§1.4: without ``Authorization`` 422 with one item, exactly."""
    async with httpx.AsyncClient(base_url=target.url) as client:
        answer = await client.get("/v1/token", params={"expires_in_seconds": 60})
    assert answer.status_code == 422
    missing = {"type": "missing", "loc": ["header", "authorization"], "msg": "Field required"}
    assert answer.json()["detail"] == [{**missing, "input": None}]


async def test_get_token_does_not_know_a_wrong_key(target: Target) -> None:
    """§1.4, §11.2: 404 ``Invalid API key``, in a bare ``detail``."""
    async with target.rest("not-a-key") as client:
        answer = await client.get("/v1/token", params={"expires_in_seconds": 60})
    assert answer.status_code == 404
    assert answer.json()["detail"] == "Invalid API key"


def _ahead(expires_at: str) -> float:
    """Seconds from now to an RFC 3339 time."""
    parsed = datetime.fromisoformat(expires_at)
    assert parsed.tzinfo is not None, expires_at
    return parsed.timestamp() - time.time()


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (None, 60),
        ({}, 60),
        ({"expires_in_seconds": 1}, 1),
        ({"expires_in_seconds": 600}, 600),
    ],
)
async def test_post_tokens_says_when_its_token_expires(
    rest: httpx.AsyncClient, body: Any, seconds: int
) -> None:
    """§1.5, §B: ``expires_in_seconds`` 1 to 600, default 60; ``expires_at`` is RFC 3339 in UTC."""
    answer = await rest.post("/v1/tokens", json=body) if body is not None else None
    answer = answer or await rest.post("/v1/tokens")
    assert answer.is_success, answer.text
    assert misfits(answer.json(), {"token": text, "expires_at": text}) == []
    assert seconds - 5 <= _ahead(answer.json()["expires_at"]) <= seconds + 5


@pytest.mark.parametrize("seconds", [0, 601, -1, "soon"])
async def test_post_tokens_refuses_what_is_out_of_range(
    rest: httpx.AsyncClient, seconds: Any
) -> None:
    """§1.5, §6.1, §B: 422 ``validation_error``."""
    answer = await rest.post("/v1/tokens", json={"expires_in_seconds": seconds})
    assert answer.status_code == 422
    assert answer.json()["code"] == "validation_error"


async def test_a_token_is_no_api_key(target: Target, rest: httpx.AsyncClient) -> None:
    """§1.2: temporary tokens open sessions; they do not make more tokens or agents."""
    token = (await rest.post("/v1/tokens", json={})).json()["token"]
    async with target.rest(token) as client:
        assert not (await client.get("/v1/agents")).is_success
        assert not (await client.post("/v1/tokens", json={})).is_success


@pytest.mark.recommended
@pytest.mark.parametrize("seconds", [60, 900])
async def test_expires_at_is_when_the_session_will_be_cut(target: Target, seconds: int) -> None:
    """§1.4, §9 row 3: ``session.ready.expires_at`` is an integer and the real end."""
    wanted = {"expires_in_seconds": 60, "max_session_duration_seconds": seconds}
    async with target.rest() as client:
        token = (await client.get("/v1/token", params=wanted)).json()["token"]
    async with opened(target, query=f"?token={quote(token)}", keyless=True) as call:
        event = await ready(call)
        assert isinstance(event["expires_at"], int)
        assert seconds - 3 <= event["expires_at"] - time.time() <= seconds + 3


async def sixty_seconds(target: Target) -> Trace:
    """The shortest session there is, to its end."""
    wanted = {"expires_in_seconds": 60, "max_session_duration_seconds": 60}
    async with target.rest() as client:
        token = (await client.get("/v1/token", params=wanted)).json()["token"]
    async with opened(target, query=f"?token={quote(token)}", keyless=True) as call:
        await ready(call)
        start = asyncio.get_running_loop().time()
        await call.closed(75)
        return traced(call, seconds=asyncio.get_running_loop().time() - start)


@pytest.mark.slow
@pytest.mark.recommended
@shows(sixty_seconds)
def test_a_session_is_cut_at_its_longest_duration(trace: Trace) -> None:
    """§1.4, §4.11, §5.2: ``session_expired``, then ``session.ended``, then close 1008."""
    assert trace.kinds()[-2:] == ["session.error", "session.ended"]
    assert trace.events[-2]["code"] == "session_expired"
    assert 58 <= trace.events[-1]["session_duration_seconds"] <= 62
    assert trace.close_code == 1008
    assert 58 <= trace.notes["seconds"] <= 65
