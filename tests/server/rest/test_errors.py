"""The tree of errors and its envelope."""

from __future__ import annotations

import inspect

import msgspec
import pytest

from antiphon_protocol.rest import Fault
from antiphon_server.rest import errors
from antiphon_server.rest.errors import Invalid, MethodNotAllowed, NoRoom, RestError

DRAWN = [kind for kind in RestError.__subclasses__() if kind.__module__ == errors.__name__]
"""Others stand with what they are about."""


@pytest.mark.parametrize("kind", DRAWN, ids=lambda kind: kind.__name__)
def test_the_drawn_tree_is_the_tree(kind: type[RestError]) -> None:
    """Every error with its status and its code."""
    drawn = inspect.getdoc(errors) or ""
    lines = [line.split()[1:] for line in drawn.splitlines() if "──" in line]
    assert [kind.__name__, str(kind.status), kind.code] in lines


def test_an_envelope_has_every_field() -> None:
    """Null where there is nothing to say."""
    body = msgspec.to_builtins(MethodNotAllowed(["PUT", "GET"]).body("id"))
    assert body == {
        "code": "method_not_allowed",
        "message": "Method not allowed",
        "param": None,
        "request_id": "id",
        "errors": None,
        "detail": None,
    }
    assert MethodNotAllowed(["PUT", "GET"]).headers == {"allow": "GET, PUT"}
    assert NoRoom(7).headers == {"retry-after": "7"}


def test_each_fault_is_an_item() -> None:
    """The first one gives the message and the parameter."""
    faults = (
        Fault("a", ("body", "tools", 0, "http", "url"), "is bad", 1),
        Fault("b", ("body",), "is worse", None),
    )
    body = Invalid(faults).body("id")
    assert (body.message, body.param) == ("tools[0].http.url: is bad", "tools[0].http.url")
    assert body.errors is not None
    assert [(item.message, item.param) for item in body.errors] == [
        ("is bad", "tools[0].http.url"),
        ("is worse", None),
    ]
    assert body.detail == faults
    assert Invalid(faults[1:]).body("id").message == "is worse"
