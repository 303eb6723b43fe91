"""What all of REST has in common: the error envelope, paging, empty lists (§6, §6.1, §6.7)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from conformance import spec
from conformance.shapes import a_list, misfits
from conformance.target import Target

LISTS = {
    "/v1/agents": "agents",
    "/v1/sessions": "sessions",
    "/v1/calls": "calls",
    "/v1/phone-numbers": "phone_numbers",
    "/v1/webhook-subscriptions": "subscriptions",
}
NO_AGENT = "/v1/agents/agent_" + "0" * 32
NO_SESSION = "/v1/sessions/sess_" + "0" * 32
NO_SUBSCRIPTION = "/v1/webhook-subscriptions/" + "0" * 32
NOT_FOUND = [
    ("GET", NO_AGENT, "agent_not_found"),
    ("PUT", NO_AGENT, "agent_not_found"),
    ("DELETE", NO_AGENT, "agent_not_found"),
    ("GET", "/v1/agents/nothing", "agent_not_found"),
    ("GET", NO_SESSION, "session_not_found"),
    ("DELETE", NO_SESSION, "session_not_found"),
    ("GET", f"{NO_SESSION}/webhook-deliveries", "session_not_found"),
    ("GET", NO_SUBSCRIPTION, "webhook_subscription_not_found"),
    ("PATCH", NO_SUBSCRIPTION, "webhook_subscription_not_found"),
    ("DELETE", NO_SUBSCRIPTION, "webhook_subscription_not_found"),
    ("GET", "/v1/calls/call_0", "call_not_found"),
    ("GET", "/v1/phone-numbers/%2B15550100200", "phone_number_not_found"),
    ("GET", "/v1/nothing", "not_found"),
]


def envelope(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The error's body, which must be the envelope with this code."""
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    assert misfits(body, spec.ERROR_ENVELOPE) == []
    assert body["code"] == code
    assert answer.headers["x-request-id"] == body["request_id"]
    return body


@pytest.mark.parametrize(("method", "path", "code"), NOT_FOUND)
async def test_what_does_not_exist_is_404_in_the_envelope(
    target: Target, method: str, path: str, code: str
) -> None:
    """§6.1: ``code``, ``message``, ``param``, ``request_id``, ``errors``; ``X-Request-Id``."""
    async with target.rest() as rest:
        body: Any = {} if method in {"PUT", "PATCH"} else None
        envelope(await rest.request(method, path, json=body), 404, code)


@pytest.mark.parametrize("path", [*LISTS, "/v1/tokens"])
async def test_a_missing_credential_is_401(target: Target, path: str) -> None:
    """§6.1: ``missing_authorization``."""
    async with httpx.AsyncClient(base_url=target.url, transport=target.transport()) as client:
        method = "POST" if path == "/v1/tokens" else "GET"
        envelope(await client.request(method, path), 401, "missing_authorization")


@pytest.mark.parametrize("path", [*LISTS, "/v1/tokens"])
async def test_a_wrong_credential_is_401(target: Target, path: str) -> None:
    """§6.1: ``unauthorized``."""
    async with target.rest("not-a-key") as client:
        method = "POST" if path == "/v1/tokens" else "GET"
        envelope(await client.request(method, path), 401, "unauthorized")


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/v1/agents"), ("PUT", "/v1/sessions"), ("POST", "/v1/voices")],
)
async def test_a_wrong_method_is_405(target: Target, method: str, path: str) -> None:
    """§6.1: ``method_not_allowed``."""
    async with target.rest() as rest:
        envelope(await rest.request(method, path), 405, "method_not_allowed")


@pytest.mark.parametrize("content", [b"", b"{", b"words", b"[]", b"\xff\xfe"])
async def test_a_body_that_is_none_is_refused(target: Target, content: bytes) -> None:
    """§6.1: 400 ``invalid_request`` or 422 ``validation_error``; never a 5xx."""
    async with target.rest() as rest:
        answer = await rest.post(
            "/v1/agents", content=content, headers={"Content-Type": "application/json"}
        )
    assert (answer.status_code, answer.json()["code"]) in {
        (400, "invalid_request"),
        (422, "validation_error"),
    }


@pytest.mark.parametrize(("path", "name"), LISTS.items())
async def test_a_list_has_its_collection_and_its_page(target: Target, path: str, name: str) -> None:
    """§6, §6.7: the collection, ``has_more`` and ``response_metadata.next_cursor``."""
    async with target.rest() as rest:
        answer = await rest.get(path)
    assert answer.status_code == 200
    assert misfits(answer.json(), {name: a_list, **spec.PAGE}) == []


@pytest.mark.parametrize("limit", [1, 50, 200])
@pytest.mark.parametrize("path", ["/v1/agents", "/v1/sessions"])
async def test_a_limit_within_its_range_is_taken(target: Target, path: str, limit: int) -> None:
    """§6, §6.3, §B: ``limit`` 1 to 200."""
    async with target.rest() as rest:
        answer = await rest.get(path, params={"limit": limit})
    assert answer.status_code == 200
    assert len(answer.json()[LISTS[path]]) <= limit


@pytest.mark.parametrize("limit", [0, 201, -1, "many"])
@pytest.mark.parametrize("path", ["/v1/agents", "/v1/sessions"])
async def test_a_limit_beyond_its_range_is_refused(target: Target, path: str, limit: Any) -> None:
    """§6.1, §6.3, §B: 422 ``validation_error`` with ``param`` ``limit``."""
    async with target.rest() as rest:
        body = envelope(await rest.get(path, params={"limit": limit}), 422, "validation_error")
    assert body["param"] == "limit"


async def test_a_cursor_that_is_none_is_refused(target: Target) -> None:
    """§6, §6.1: a cursor is the server's; another is a fault of the client, not a 5xx."""
    async with target.rest() as rest:
        answer = await rest.get("/v1/agents", params={"cursor": "not a cursor"})
    assert answer.status_code in {400, 422}


@pytest.mark.parametrize("path", ["/v1/voices", "/v1/builtin-tools", *LISTS])
async def test_every_answer_has_a_request_id(target: Target, path: str) -> None:
    """§6.1: header ``X-Request-Id``, another one for each request."""
    async with target.rest() as rest:
        first, second = [(await rest.get(path)).headers["x-request-id"] for _ in range(2)]
    assert first != second


async def test_builtin_tools_are_listed(target: Target) -> None:
    """§6.2, §6.7: ``builtin_tools``, each with name, description, parameters and mode."""
    async with target.rest() as rest:
        answer = await rest.get("/v1/builtin-tools")
    assert answer.status_code == 200
    keys = {"name", "description", "parameters", "execution_mode"}
    assert all(set(tool) >= keys for tool in answer.json()["builtin_tools"])
