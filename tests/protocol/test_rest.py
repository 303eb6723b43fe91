"""The bodies of the REST API."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from antiphon_protocol import ranges, rest
from antiphon_protocol.errors import InvalidValue
from antiphon_protocol.session_config import VOICES

BODIES = [
    kind
    for kind in vars(rest).values()
    if inspect.isclass(kind) and issubclass(kind, Struct) and kind is not Struct
]


@pytest.mark.parametrize("kind", BODIES, ids=lambda kind: kind.__name__)
def test_every_body_and_field_says_what_it_means(kind: type[Struct]) -> None:
    """In the schema, from which documents are made."""
    (_,), definitions = msgspec.json.schema_components([kind])
    schema = definitions[kind.__name__]
    assert schema["description"]
    assert all(value.get("description") for value in schema["properties"].values())


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (rest.Token("t", 60), {"token": "t", "expires_in_seconds": 60}),
        (
            rest.ExpiringToken("t", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
            {"token": "t", "expires_at": "2026-01-02T03:04:05Z"},
        ),
        (rest.BuiltinToolList(), {"builtin_tools": []}),
        (
            rest.CallList(),
            {"has_more": False, "response_metadata": {"next_cursor": ""}, "calls": []},
        ),
        (rest.TokenRefused("Invalid API key"), {"detail": "Invalid API key"}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_bodies_are_written_as_documented(body: Struct, expected: dict[str, Any]) -> None:
    """Names, nesting, times in UTC."""
    assert msgspec.json.decode(msgspec.json.encode(body)) == expected


def test_a_fault_without_a_limit_has_no_context() -> None:
    """And keeps its input, even when that is null."""
    fault = rest.Fault("missing", ("query", "x"), "Field required", None)
    assert set(msgspec.to_builtins(fault)) == {"type", "loc", "msg", "input"}
    fault = rest.Fault("less_than_equal", ("query", "x"), "Too much", "9", {"le": 1})
    assert msgspec.to_builtins(fault)["ctx"] == {"le": 1}


@pytest.mark.parametrize(
    "request_body",
    [
        rest.TokenRequest(expires_in_seconds=0),
        rest.TokenRequest(expires_in_seconds=601),
        rest.TokenRequest(max_session_duration_seconds=59),
        rest.TokenRequest(max_session_duration_seconds=10_801),
    ],
)
def test_a_token_request_declares_its_ranges(request_body: rest.TokenRequest) -> None:
    """1 to 600 seconds to redeem it, 60 to 10,800 to speak; the defaults are inside."""
    ranges.check(rest.TokenRequest())
    with pytest.raises(InvalidValue):
        ranges.check(request_body)


def test_the_catalogue_has_every_voice_once() -> None:
    """In the order of the error that lists them."""
    assert tuple(voice.id for voice in rest.catalogue().voices) == VOICES
    known = [voice.id for voice in rest.catalogue().voices if voice.language]
    assert set(VOICES) - set(known) == {"iris", "reid"}
