"""``GET /v1/token`` and ``POST /v1/tokens``."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from antiphon_server.security.keys import Keys
from antiphon_server.security.tokens import Tokens
from server.rest.rest_client import KEY, api, api_of, ask

GET = "GET /v1/token"
POST = "POST /v1/tokens"


# --- GET /v1/token -------------------------------------------------------------------------


@pytest.mark.parametrize("authorization", [KEY, f"Bearer {KEY}", f"bearer  {KEY} "])
async def test_a_key_gets_a_token(authorization: str) -> None:
    """Raw or with ``Bearer``; the window is echoed, the longest session is 3 hours unless
    something else is asked for (section 1.4).
    """
    app, keys = api()
    got = await ask(app, f"{GET}?expires_in_seconds=60", authorization=authorization)
    assert got.status == 200
    assert got.headers["content-type"] == "application/json"
    assert got.headers["cache-control"] == "no-store"
    assert got.body.keys() == {"token", "expires_in_seconds"}
    assert got.body["expires_in_seconds"] == 60
    admission = await keys.admit(got.body["token"])
    assert admission.account == (await keys.owner(KEY)).account
    assert admission.session_seconds == 10_800


@pytest.mark.parametrize("window", ["1", "600", "+60", "60.0", " 60 ", "1_0"])
async def test_the_window_is_read_as_the_hosted_service_reads_it(window: str) -> None:
    """From 1 to 600 seconds, in any way of writing an integer."""
    app, _ = api()
    query = f"expires_in_seconds={window.replace('+', '%2B').replace(' ', '%20')}"
    got = await ask(app, f"{GET}?{query}")
    assert (got.status, got.body["expires_in_seconds"]) == (
        200,
        int(float(window.replace("_", ""))),
    )


async def test_the_longest_session_can_be_chosen_and_the_product_is_ignored() -> None:
    """As the official starter sends it."""
    app, keys = api()
    query = "product=voice_agent&expires_in_seconds=60&max_session_duration_seconds=60&x="
    got = await ask(app, f"{GET}?{query}")
    assert (await keys.admit(got.body["token"])).session_seconds == 60


async def test_without_a_header_it_is_missing() -> None:
    """Word for word as the hosted service says it; a query is no header."""
    app, _ = api()
    fault = {
        "type": "missing",
        "loc": ["header", "authorization"],
        "msg": "Field required",
        "input": None,
    }
    for query in ("expires_in_seconds=60", f"expires_in_seconds=60&token={KEY}"):
        got = await ask(app, f"{GET}?{query}", authorization=None)
        assert (got.status, got.body) == (422, {"detail": [fault]})
        assert re.fullmatch("[0-9a-f]{32}", got.headers["x-request-id"])


@pytest.mark.parametrize("key", ["wrong", "Bearer wrong", "Bearer Bearer key-1", "Basic a2V5LTE6"])
async def test_a_wrong_key_is_404(key: str) -> None:
    """Not 401 (section 11.2)."""
    app, _ = api()
    got = await ask(app, f"{GET}?expires_in_seconds=60", authorization=key)
    assert (got.status, got.body) == (404, {"detail": "Invalid API key"})


async def test_a_token_mints_no_token() -> None:
    """At neither address."""
    app, keys = api()
    token = keys.mint(await keys.owner(KEY), 60, 60)
    got = await ask(app, f"{GET}?expires_in_seconds=60", authorization=token)
    assert got.status == 404
    got = await ask(app, POST, authorization=token)
    assert (got.status, got.body["code"]) == (401, "unauthorized")


_LOW = "Input should be greater than or equal to"
_HIGH = "Input should be less than or equal to"
_PARSE = "Input should be a valid integer, unable to parse string as an integer"


@pytest.mark.parametrize(
    ("query", "name", "fault"),
    [
        ("", "expires_in_seconds", ("missing", "Field required", None, None)),
        ("expires_in_seconds=0", "expires_in_seconds",
         ("greater_than_equal", f"{_LOW} 1", "0", {"ge": 1})),
        ("expires_in_seconds=-5", "expires_in_seconds",
         ("greater_than_equal", f"{_LOW} 1", "-5", {"ge": 1})),
        ("expires_in_seconds=601", "expires_in_seconds",
         ("less_than_equal", f"{_HIGH} 600", "601", {"le": 600})),
        ("expires_in_seconds=abc", "expires_in_seconds", ("int_parsing", _PARSE, "abc", None)),
        ("expires_in_seconds=", "expires_in_seconds", ("int_parsing", _PARSE, "", None)),
        ("expires_in_seconds=60.5", "expires_in_seconds", ("int_parsing", _PARSE, "60.5", None)),
        ("expires_in_seconds=%D9%A3", "expires_in_seconds", ("int_parsing", _PARSE, "٣", None)),
        ("expires_in_seconds=%FF", "expires_in_seconds",
         ("int_parsing", _PARSE, "\N{REPLACEMENT CHARACTER}", None)),
        ("expires_in_seconds=60&max_session_duration_seconds=59", "max_session_duration_seconds",
         ("greater_than_equal", f"{_LOW} 60", "59", {"ge": 60})),
        ("expires_in_seconds=60&max_session_duration_seconds=10801",
         "max_session_duration_seconds",
         ("less_than_equal", f"{_HIGH} 10800", "10801", {"le": 10_800})),
        ("expires_in_seconds=60&max_session_duration_seconds=x", "max_session_duration_seconds",
         ("int_parsing", _PARSE, "x", None)),
    ],
)  # fmt: skip
async def test_a_parameter_that_cannot_be_is_422(
    query: str, name: str, fault: tuple[str, str, object, object]
) -> None:
    """With the parameter, the reason, what was sent and the limit."""
    app, _ = api()
    got = await ask(app, f"{GET}?{query}")
    kind, message, sent, limit = fault
    expected = {"type": kind, "loc": ["query", name], "msg": message, "input": sent}
    expected |= {"ctx": limit} if limit else {}
    assert (got.status, got.body) == (422, {"detail": [expected]})


async def test_everything_that_is_wrong_is_told_at_once() -> None:
    """The header first."""
    app, _ = api()
    got = await ask(app, f"{GET}?max_session_duration_seconds=1", authorization=None)
    assert [fault["loc"][1] for fault in got.body["detail"]] == [
        "authorization",
        "expires_in_seconds",
        "max_session_duration_seconds",
    ]


async def test_without_keys_anybody_may_mint() -> None:
    """Development mode: with any header or none, at both addresses."""
    for header in (None, "anything"):
        keys = Keys(())
        app = api_of(keys)
        for target in (f"{GET}?expires_in_seconds=60", POST):
            got = await ask(app, target, authorization=header)
            assert got.status == 200
            assert (await keys.admit(got.body["token"])).session_seconds == 10_800


async def test_a_full_store_says_when_to_come_back() -> None:
    """429 at both addresses, each in its own shape."""
    app, _ = api(tokens=Tokens(most=1, clock=lambda: 5.0))
    assert (await ask(app, f"{GET}?expires_in_seconds=33")).status == 200
    got = await ask(app, f"{GET}?expires_in_seconds=60")
    assert (got.status, got.headers["retry-after"]) == (429, "33")
    assert "Too many" in got.body["detail"]
    got = await ask(app, POST)
    assert (got.status, got.headers["retry-after"]) == (429, "33")
    assert got.body["code"] == "too_many_tokens"


# --- POST /v1/tokens -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "window", "session_seconds"),
    [
        ((), 60, 10_800),
        ((b"null",), 60, 10_800),
        ((b"{}",), 60, 10_800),
        ((b" {", b'"expires_in_seconds"', b":600}"), 600, 10_800),
        ((b'{"expires_in_seconds":"30","other":[1]}',), 30, 10_800),
        ((b'{"expires_in_seconds":1.0}',), 1, 10_800),
        ((b'{"expires_in_seconds":null,"max_session_duration_seconds":60}',), 60, 60),
    ],
)
async def test_a_post_gets_a_token_with_the_time_it_expires(
    parts: tuple[bytes, ...], window: int, session_seconds: int
) -> None:
    """60 seconds by default; the body may be absent or come in pieces (section 1.5)."""
    app, keys = api()
    before = datetime.now(UTC)
    got = await ask(app, POST, *parts)
    assert got.status == 200
    assert got.body.keys() == {"token", "expires_at"}
    assert got.body["expires_at"].endswith("Z")
    left = (datetime.fromisoformat(got.body["expires_at"]) - before).total_seconds()
    assert window <= left < window + 5
    assert (await keys.admit(got.body["token"])).session_seconds == session_seconds


@pytest.mark.parametrize(
    ("value", "kind", "sent"),
    [
        ("0", "greater_than_equal", 0),
        ("601", "less_than_equal", 601),
        ("1.5", "int_from_float", 1.5),
        ("true", "int_type", True),
        ("[60]", "int_type", None),
        ('{"a":1}', "int_type", None),
        ('"sixty"', "int_parsing", "sixty"),
        ("9" * 30, "less_than_equal", None),
        ("-" + "9" * 400, "greater_than_equal", None),
        ('"' + "9" * 5000 + '"', "int_parsing_size", "9" * 200),
        ('"' + "x" * 5000 + '"', "int_parsing", "x" * 200),
    ],
)
async def test_a_field_that_cannot_be_is_422(value: str, kind: str, sent: Any) -> None:
    """In the envelope, with FastAPI's own list beside (section 6.1)."""
    app, _ = api()
    got = await ask(app, POST, f'{{"expires_in_seconds":{value}}}'.encode())
    assert got.status == 422
    body = got.body
    assert (body["code"], body["param"]) == ("validation_error", "expires_in_seconds")
    (item,) = body["errors"]
    assert item["param"] == "expires_in_seconds"
    assert body["message"] == f"expires_in_seconds: {item['message']}"
    (fault,) = body["detail"]
    assert (fault["type"], fault["loc"]) == (kind, ["body", "expires_in_seconds"])
    assert (fault["msg"], fault["input"]) == (item["message"], sent)


async def test_a_post_without_a_valid_key_is_401() -> None:
    """Asked for before the body is read."""
    app, _ = api()
    got = await ask(app, POST, b"{", authorization=None)
    assert (got.status, got.body["code"]) == (401, "missing_authorization")
    assert got.headers["www-authenticate"] == "Bearer"
    got = await ask(app, POST, b"{", authorization="Bearer wrong")
    assert (got.status, got.body["code"]) == (401, "unauthorized")
