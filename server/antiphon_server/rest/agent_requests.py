"""Requests that the server makes for an agent, as they are written: to tools, and before calls.

The value of a header goes in and never comes out. A list of headers replaces the stored one;
one that is named without a value keeps it. Source: voice agent protocol, section 6.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from antiphon_protocol.rest import Fault
from antiphon_protocol.rest_agents import (
    CALL_FACTS,
    Header,
    HeaderChange,
    HttpCall,
    HttpCallChange,
    PreConnect,
    PreConnectChange,
)
from antiphon_server.rest.errors import Invalid
from antiphon_server.rest.shapes import Place

Values = dict[str, str]
"""Of headers, by name in small letters."""

_OURS = frozenset(
    {
        "connection", "content-length", "expect", "host", "keep-alive",
        "proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade",
    }
)  # fmt: skip
"""Headers that say where a message ends or who answers it, which is the client's part."""


def written(
    asked: HttpCallChange, stored: tuple[HttpCall | None, Values], place: Place, now: datetime
) -> tuple[HttpCall, Values]:
    """The request to be kept, and the values of its headers. Raises ``Invalid``."""
    call, old = stored
    known = {header.name.lower(): header for header in (call.headers if call else ())}
    headers: list[Header] = []
    values: Values = {}
    for index, header in enumerate(asked.headers or ()):
        here, name = (*place, "headers", index), header.name.lower()
        _check_name(name, values, here)
        if header.remove:
            continue
        headers.append(_header(header, known.get(name), here, now))
        values[name] = old.get(name, "") if header.value is None else header.value
    return HttpCall(asked.url, asked.http_method or "POST", tuple(headers)), values


def _check_name(name: str, others: Values, place: Place) -> None:
    if name in _OURS:
        raise _wrong((*place, "name"), "This header is set by the server")
    if name in others:
        raise _wrong((*place, "name"), "This header is listed twice")


def _header(asked: HeaderChange, old: Header | None, place: Place, now: datetime) -> Header:
    if asked.value is not None:
        return Header(asked.name, now)
    if old is None:
        raise _wrong((*place, "value"), "No value of this header is kept")
    return Header(asked.name, old.last_set_at)


def requests_of(
    asked: Sequence[PreConnectChange],
    before: Sequence[tuple[PreConnect, Values]],
    now: datetime,
) -> tuple[tuple[PreConnect, ...], tuple[Values, ...]]:
    """The pre-connect requests to be kept, and the values of their headers, by position.

    Raises ``Invalid``.
    """
    captured: set[str] = set()
    requests: list[PreConnect] = []
    values: list[Values] = []
    for index, one in enumerate(asked):
        place: Place = ("body", "pre_connect_requests", index)
        _check_order(one, captured, place)
        old, of_old = before[index] if index < len(before) else (None, {})
        stored = (old.http if old else None, of_old)
        http, of_one = written(one.http, stored, (*place, "http"), now)
        requests.append(
            PreConnect(
                http=http,
                sends=one.sends or (),
                returns=one.returns or (),
                timeout_ms=one.timeout_ms,
                allow_overrides=one.allow_overrides or (),
            )
        )
        values.append(of_one)
    return tuple(requests), tuple(values)


def _check_order(one: PreConnectChange, captured: set[str], place: Place) -> None:
    """Adds what a request captures to what later ones may send."""
    for at, name in enumerate(one.sends or ()):
        if name not in CALL_FACTS and name not in captured:
            told = "Neither a fact of the call nor captured by an earlier request"
            raise _wrong((*place, "sends", at), told)
    for at, capture in enumerate(one.returns or ()):
        if capture.name in captured:
            raise _wrong((*place, "returns", at, "name"), "This name is captured twice")
        captured.add(capture.name)


def _wrong(place: Place, told: str) -> Invalid:
    return Invalid((Fault("value_error", place, told, None),))
