"""Spans before anybody exports them."""

from __future__ import annotations

from antiphon_server.observe.spans import Trace, new_span_id, new_trace_id
from antiphon_server.observe.traceparent import TraceParent
from server.observe.kept_spans import KeptSpans


def test_ids_are_never_zero_and_never_the_same() -> None:
    """An id of zeros is none; two sessions must not share one."""
    spans, traces = ({make() for _ in range(1000)} for make in (new_span_id, new_trace_id))
    assert (len(spans), len(traces)) == (1000, 1000)
    assert all(0 < each < 1 << 64 for each in spans)
    assert all(0 < each < 1 << 128 for each in traces)


def test_a_trace_is_named_as_everybody_writes_it() -> None:
    """32 hexadecimal digits; a span of it is told to others with whether it is kept."""
    trace = Trace(0xAB, 1, None, sampled=False, emit=KeptSpans().emit)
    assert trace.name == "ab".rjust(32, "0")
    assert trace.parent(7) == TraceParent(0xAB, 7, sampled=False)
