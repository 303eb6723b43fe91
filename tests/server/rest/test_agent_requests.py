"""Requests of an agent: whose headers are kept, set, removed and refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from antiphon_protocol.rest_agents import (
    CALL_FACTS,
    Capture,
    Header,
    HeaderChange,
    HttpCall,
    HttpCallChange,
    PreConnectChange,
)
from antiphon_server.rest.agent_requests import requests_of, written
from antiphon_server.rest.errors import Invalid
from server.store.agent_bodies import SET_AT

NOW = SET_AT + timedelta(hours=1)
URL = "https://tools.example/"
STORED = (
    HttpCall(URL, "POST", (Header("X-A", SET_AT), Header("X-B", SET_AT))),
    {"x-a": "1", "x-b": "2"},
)
PLACE = ("body", "tools", 0, "http")


def _written(*headers: HeaderChange, stored: Any = STORED) -> tuple[dict[str, Any], dict[str, str]]:
    call, values = written(HttpCallChange(URL, None, headers), stored, PLACE, NOW)
    return {header.name: header.last_set_at for header in call.headers}, values


def test_each_entry_sets_keeps_or_removes() -> None:
    """What is set has the time of now, what is kept its own; the spelling is the newest."""
    shown, values = _written(
        HeaderChange("x-a", "new"), HeaderChange("X-b"), HeaderChange("X-C", "3")
    )
    assert shown == {"x-a": NOW, "X-b": SET_AT, "X-C": NOW}
    assert values == {"x-a": "new", "x-b": "2", "x-c": "3"}
    assert _written(HeaderChange("X-A", remove=True), HeaderChange("X-B", remove=False)) == (
        {"X-B": SET_AT},
        {"x-b": "2"},
    )
    assert _written(HeaderChange("X-Z", remove=True)) == ({}, {})


def test_a_header_that_is_not_listed_is_gone() -> None:
    """The list replaces the stored one."""
    assert _written() == ({}, {})
    assert written(HttpCallChange(URL), STORED, PLACE, NOW) == (HttpCall(URL), {})


@pytest.mark.parametrize(
    ("headers", "told", "place"),
    [
        ((HeaderChange("X-New"),), "No value of this header is kept", ("headers", 0, "value")),
        (
            (HeaderChange("X-A", "1"), HeaderChange("x-a", "2")),
            "This header is listed twice",
            ("headers", 1, "name"),
        ),
        *(
            ((HeaderChange(name, "x"),), "This header is set by the server", ("headers", 0, "name"))
            for name in ("Host", "content-LENGTH", "Transfer-Encoding", "Connection", "TE")
        ),
    ],
)
def test_a_header_that_cannot_be_is_refused(
    headers: tuple[HeaderChange, ...], told: str, place: tuple[Any, ...]
) -> None:
    """Above all those with which one request is made into two."""
    with pytest.raises(Invalid) as refused:
        _written(*headers)
    (fault,) = refused.value.faults
    assert (fault.msg, fault.loc, fault.input) == (told, (*PLACE, *place), None)


def _asked(sends: tuple[str, ...] = (), *captures: str) -> PreConnectChange:
    returns = tuple(Capture(name, "a.b") for name in captures)
    return PreConnectChange(HttpCallChange(URL), sends, returns)


def test_a_request_sends_facts_of_the_call_and_what_came_before() -> None:
    """Requests run in order."""
    requests, values = requests_of((_asked(CALL_FACTS, "tier"), _asked(("tier",))), (), NOW)
    assert [request.sends for request in requests] == [CALL_FACTS, ("tier",)]
    assert values == ({}, {})


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ((_asked(("tier",), "tier"),), (0, "sends", 0)),
        ((_asked(("direction", "x")), _asked((), "x")), (0, "sends", 1)),
        ((_asked((), "x"), _asked((), "x")), (1, "returns", 0, "name")),
        ((_asked((), "x", "x"),), (0, "returns", 1, "name")),
    ],
)
def test_a_name_is_captured_once_and_before_it_is_sent(
    asked: tuple[PreConnectChange, ...], place: tuple[Any, ...]
) -> None:
    """As in the hosted service."""
    with pytest.raises(Invalid) as refused:
        requests_of(asked, (), NOW)
    assert refused.value.faults[0].loc == ("body", "pre_connect_requests", *place)


def test_values_are_kept_by_position() -> None:
    """Requests have no name (section 6.2); what was never kept there cannot be."""
    first = PreConnectChange(HttpCallChange(URL, None, (HeaderChange("X-A", "1"),)))
    before, values = requests_of((first,), (), NOW)
    kept = PreConnectChange(HttpCallChange(URL, "GET", (HeaderChange("X-A"),)))
    stored = tuple(zip(before, values, strict=True))
    assert requests_of((kept,), stored, NOW)[1] == ({"x-a": "1"},)
    with pytest.raises(Invalid) as refused:
        requests_of((first, kept), stored, NOW)
    assert refused.value.faults[0].loc == (
        "body", "pre_connect_requests", 1, "http", "headers", 0, "value",
    )  # fmt: skip
