"""Integers as a client may write them, and the faults."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_protocol.rest import Fault
from antiphon_server.rest.fields import integer, missing

LOC = ("query", "n")
LIMITS = (1, 600)


@pytest.mark.parametrize(
    ("value", "number"),
    [("1", 1), ("600", 600), (" +6_0.00\n", 60), ("60.", 60), ("007", 7), (60, 60), (60.0, 60)],
)
def test_an_integer_in_any_writing(value: Any, number: int) -> None:
    """As Pydantic reads it."""
    assert integer(value, LOC, LIMITS) == number


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("", "int_parsing"), ("1e2", "int_parsing"), ("0x10", "int_parsing"),
        ("_1", "int_parsing"), ("1__0", "int_parsing"), ("--1", "int_parsing"),
        ("1 0", "int_parsing"), ("nan", "int_parsing"), ("٣", "int_parsing"),
        ("9" * 4301, "int_parsing_size"), ("9" * 4300, "less_than_equal"),
        (1.5, "int_from_float"), (float("nan"), "int_from_float"), (1e300, "less_than_equal"),
        (None, "int_type"), (True, "int_type"), ([], "int_type"), ({}, "int_type"),
        (0, "greater_than_equal"), (-(10**400), "greater_than_equal"), (601, "less_than_equal"),
    ],
)  # fmt: skip
def test_everything_else_has_its_fault(value: Any, kind: str) -> None:
    """Which can be told as JSON."""
    fault = integer(value, LOC, LIMITS)
    assert isinstance(fault, Fault)
    assert (fault.type, fault.loc) == (kind, LOC)
    assert msgspec.json.encode(fault)


@given(st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.text()))
def test_no_value_is_left_without_an_answer(value: Any) -> None:
    """A number within the limits, or a fault."""
    read = integer(value, LOC, LIMITS)
    assert isinstance(read, Fault) or LIMITS[0] <= read <= LIMITS[1]


def test_what_is_missing_has_no_input_and_no_limit() -> None:
    """Null in the one, nothing in the other."""
    assert msgspec.to_builtins(missing(LOC)) == {
        "type": "missing",
        "loc": LOC,
        "msg": "Field required",
        "input": None,
    }
