"""The header that says which trace a request belongs to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_server.observe.traceparent import TraceParent, parse

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(("flags", "sampled"), [("01", True), ("00", False), ("03", True)])
def test_a_header_is_read(flags: str, sampled: bool) -> None:
    """The ids, and the one flag that counts: further ones may be set."""
    parent = parse(f" 00-{TRACE}-{SPAN}-{flags} ")
    assert parent == TraceParent(int(TRACE, 16), int(SPAN, 16), sampled)


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    """Its first four fields mean the same; of version 00 there is nothing behind them."""
    assert parse(f"01-{TRACE}-{SPAN}-01-more") == TraceParent(int(TRACE, 16), int(SPAN, 16), True)
    assert parse(f"00-{TRACE}-{SPAN}-01-more") is None


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "00",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01" * 1000,
        f"00-{'٣' * 32}-{SPAN}-01",
    ],
)
def test_what_is_no_header_is_none(value: str | None) -> None:
    """Too short, too long, of zeros, in capitals, of a version that cannot be."""
    assert parse(value) is None


@given(st.text())
def test_nothing_makes_it_raise(value: str) -> None:
    """Whatever a client sends."""
    parse(value)


@given(st.integers(1, (1 << 128) - 1), st.integers(1, (1 << 64) - 1), st.booleans())
def test_what_is_written_is_read_again(trace_id: int, span_id: int, sampled: bool) -> None:
    """The same parent."""
    parent = TraceParent(trace_id, span_id, sampled)
    assert parse(str(parent)) == parent
