"""The whole API, from what it works with."""

from __future__ import annotations

from antiphon_server.rest.api import Api
from rest_model import operations

RESOURCES = {
    "/v1/agents": {"GET", "POST"},
    "/v1/agents/{agent_id}": {"GET", "PUT", "PATCH", "DELETE"},
    "/v1/artifacts/{session_id}/{kind}": {"GET"},
    "/v1/builtin-tools": {"GET"},
    "/v1/calls": {"GET"},
    "/v1/calls/{call_id}": {"GET"},
    "/v1/console/keys": {"GET", "POST"},
    "/v1/console/keys/{id}": {"DELETE"},
    "/v1/console/latency": {"GET"},
    "/v1/console/live": {"GET"},
    "/v1/console/me": {"GET"},
    "/v1/console/sessions": {"GET"},
    "/v1/console/sessions/{id}": {"GET"},
    "/v1/console/sessions/{id}/events": {"GET"},
    "/v1/console/sessions/{id}/journal": {"GET"},
    "/v1/openapi.json": {"GET"},
    "/v1/operator/providers": {"GET"},
    "/v1/operator/providers/{stage}": {"PUT"},
    "/v1/phone-numbers": {"GET"},
    "/v1/phone-numbers/{number}": {"GET"},
    "/v1/sessions": {"GET"},
    "/v1/sessions/{id}": {"GET", "DELETE"},
    "/v1/sessions/{id}/webhook-deliveries": {"GET"},
    "/v1/sessions/{id}/webhook-deliveries/latest": {"GET"},
    "/v1/token": {"GET"},
    "/v1/tokens": {"POST"},
    "/v1/usage": {"GET"},
    "/v1/voices": {"GET"},
    "/v1/webhook-subscriptions": {"GET", "POST"},
    "/v1/webhook-subscriptions/{id}": {"GET", "PATCH", "DELETE"},
}
"""Sections 1.4, 1.5 and 6 of the voice agent protocol, and our own: usage, operator, console
and document.
"""


def test_every_resource_is_there() -> None:
    """With its methods."""
    found: dict[str, set[str]] = {}
    for operation in operations():
        found.setdefault(operation.path, set()).add(operation.method)
    assert found == RESOURCES


def test_no_address_is_taken_twice() -> None:
    """The router would refuse."""
    assert Api(operations())
