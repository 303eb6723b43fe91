"""Paths, methods, errors and their envelope."""

from __future__ import annotations

import asyncio
import re

import pytest
import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from antiphon_server.observe import logs
from antiphon_server.rest.answers import Handler
from antiphon_server.rest.api import Api
from antiphon_server.rest.operations import Operation
from antiphon_server.store.database import Unreachable
from server.rest.rest_client import KEY, api, ask


def _get(path: str, handler: Handler) -> Operation:
    return Operation(method="GET", path=path, handler=handler, summary="Get", tag="Tests")


async def _echo(request: Request) -> Response:
    return JSONResponse(request.path_params)


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/",
        "/v1/nothing",
        "/v1/token/",
        "/v1/tokens/x",
        "/v1/ws",
        "/v1//token",
        "/v1/Token",
    ],
)
async def test_an_unknown_path_is_404_in_the_envelope(path: str) -> None:
    """Every field of it is there (section 6.1); no key is needed to be told."""
    got = await ask(api()[0], f"GET {path}", authorization=None)
    assert got.status == 404
    assert got.body == {
        "code": "not_found",
        "message": "Not found",
        "param": None,
        "request_id": got.headers["x-request-id"],
        "errors": None,
        "detail": None,
    }


@pytest.mark.parametrize(
    ("target", "allowed"),
    [
        ("POST /v1/token", "GET, HEAD"),
        ("GET /v1/tokens", "POST"),
        ("DELETE /v1/voices", "GET, HEAD"),
        ("OPTIONS /v1/token", "GET, HEAD"),
    ],
)
async def test_another_method_is_405(target: str, allowed: str) -> None:
    """With the one that is allowed; no preflight is answered, because CORS is off."""
    got = await ask(api()[0], target, authorization=None)
    assert (got.status, got.headers["allow"]) == (405, allowed)
    assert not [name for name in got.headers if name.startswith("access-control")]
    assert got.body["code"] == "method_not_allowed"


async def test_every_answer_has_a_request_id_of_its_own() -> None:
    """Errors and successes alike."""
    app, _ = api()
    targets = ["GET /v1/voices", "GET /v1/token", "POST /v1/tokens", "GET /v1/x", "PUT /v1/calls"]
    found = [(await ask(app, target)).headers["x-request-id"] for target in targets]
    assert len(set(found)) == len(targets)
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in found)


async def test_a_body_that_cannot_be_read_is_told_in_the_envelope() -> None:
    """400 and 413, with a code for programs."""
    app, _ = api()
    for raw in (b"{", b'"\xff"'):
        got = await ask(app, "POST /v1/tokens", raw)
        assert (got.status, got.body["code"]) == (400, "invalid_request")
    got = await ask(app, "POST /v1/tokens", b" " * 65_536, b" ")
    assert (got.status, got.body["code"]) == (413, "invalid_request")
    got = await ask(app, "POST /v1/tokens", b"[]")
    assert (got.status, got.body["code"], got.body["param"]) == (422, "validation_error", None)


@pytest.mark.parametrize("host", ["evil/v1/voices?", "evil/x", "[", "a b", ""])
async def test_a_host_header_does_not_bend_the_path(host: str) -> None:
    """The path is the request's."""
    app, _ = api()
    assert (await ask(app, "GET /v1/voices", host=host)).status == 200
    assert (await ask(app, "GET /v1/nothing", host=host)).status == 404


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("/v1/agents/agent_1", {"agent_id": "agent_1"}),
        ("/v1/agents/+1 ö", {"agent_id": "+1 ö"}),
        ("/v1/agents/mine", {}),
        ("/v1/agents/agent_1/parts/2", {"agent_id": "agent_1", "part": "2"}),
    ],
)
async def test_a_name_in_a_path_stands_for_one_segment(path: str, values: dict[str, str]) -> None:
    """Decoded; a path without names wins over one with."""
    paths = ("/v1/agents/{agent_id}", "/v1/agents/mine", "/v1/agents/{agent_id}/parts/{part}")
    app = Api([_get(name, _echo) for name in paths])
    assert (await ask(app, f"GET {path}")).body == values


@pytest.mark.parametrize(
    "path", ["/v1/agents", "/v1/agents/", "/v1/agents/x/y", "/v2/agents/x", "/v1/agents/\0"]
)
async def test_a_name_in_a_path_is_neither_nothing_nor_two_segments(path: str) -> None:
    """Nor does the rest of the path matter less."""
    assert (await ask(Api([_get("/v1/agents/{agent_id}", _echo)]), f"GET {path}")).status == 404


async def test_head_is_get_without_the_body() -> None:
    """With the length the body would have (RFC 9110, section 9.3.2); not where there is no GET."""
    app, _ = api()
    refused = await ask(app, "HEAD /v1/tokens")
    assert (refused.status, refused.headers["allow"], refused.raw) == (405, "POST", b"")
    got, head = await ask(app, "GET /v1/voices"), await ask(app, "HEAD /v1/voices")
    assert (head.status, head.raw) == (200, b"")
    assert head.headers["content-length"] == str(len(got.raw))


def test_no_operation_is_there_twice() -> None:
    """The second would never be asked."""
    with pytest.raises(ValueError, match="GET /v1/x is there twice"):
        Api([_get("/v1/x", _echo), _get("/v1/x", _echo)])


async def test_a_database_that_cannot_be_used_is_503() -> None:
    """A client may try again; where the database is stays in the log."""

    async def broken(_request: Request) -> Response:
        raise Unreachable("postgresql://somewhere: gone")

    with structlog.testing.capture_logs() as lines:
        got = await ask(Api([_get("/v1/x", broken)]), "GET /v1/x")
    assert (got.status, got.body["code"]) == (503, "internal_error")
    assert got.headers["retry-after"] == "1"
    assert "somewhere" not in got.raw.decode()
    assert lines[0]["reason"] == "postgresql://somewhere: gone"


async def test_what_breaks_is_500_without_details() -> None:
    """They are in the log, under the id that the client was told."""

    async def broken(_request: Request) -> Response:
        raise ZeroDivisionError("a secret")

    with structlog.testing.capture_logs() as lines:
        got = await ask(Api([_get("/v1/broken", broken)]), "GET /v1/broken")
    assert (got.status, got.body["code"]) == (500, "internal_error")
    assert "secret" not in got.raw.decode()
    assert lines[0]["request_id"] == got.body["request_id"]


async def test_a_client_that_left_is_not_answered() -> None:
    """Nor does it raise."""
    sent: list[object] = []

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    app, _ = api()
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/tokens",
        "query_string": b"",
        "headers": [(b"authorization", KEY.encode())],
    }
    await app(scope, receive, send)
    assert sent == []


async def test_no_credential_reaches_the_log() -> None:
    """Whatever is asked with it; in a WebSocket's query, which uvicorn logs, it is redacted."""
    app, _ = api()
    with structlog.testing.capture_logs() as lines:
        for target in ("GET /v1/token?expires_in_seconds=1", "POST /v1/tokens", "GET /v1/x"):
            await ask(app, f"{target}", b"{", authorization="Bearer wrong-key")
            await ask(app, target, authorization=KEY)
    assert lines == []
    token = (await ask(app, "POST /v1/tokens")).body["token"]
    assert token not in logs.redact(f'"GET /v1/ws?token={token}&timeline=1" [accepted]')


async def test_requests_are_answered_side_by_side() -> None:
    """Each with a token of its own."""
    app, _ = api()
    answers = await asyncio.gather(*(ask(app, "POST /v1/tokens") for _ in range(20)))
    assert len({answer.body["token"] for answer in answers}) == 20
