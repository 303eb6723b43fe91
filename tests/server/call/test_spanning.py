"""How the spans of one session are made."""

from __future__ import annotations

import time

import pytest

from antiphon_server.call.spanning import Sketch, Spanning
from antiphon_server.observe.spans import Event, Trace
from server.observe.kept_spans import KeptSpans

ROOT = 77


def sketch(**fields: object) -> Sketch:
    """A span of a second and a half."""
    usual = {"name": "turn", "span_id": 3, "parent_id": ROOT, "interval": (50.0, 51.5)}
    return Sketch(**{**usual, **fields})  # type: ignore[arg-type]


def test_a_span_has_the_sessions_ids_and_its_own_attributes() -> None:
    """An error says so in both ways that collectors look for."""
    kept = KeptSpans()
    spanning = Spanning(Trace(5, ROOT, None, True, kept.emit), "sess_1", lambda: 50.0)
    spanning.make(sketch(attributes={"a": 1}, events=(Event("e", 1),)))
    spanning.of_agent("agent_1")
    spanning.make(sketch(error="provider_timeout", kind="client"))
    first, second = kept.spans
    assert first.attributes == {"gen_ai.conversation.id": "sess_1", "a": 1}
    assert (first.trace_id, first.parent_id, first.events) == (5, ROOT, (Event("e", 1),))
    assert (first.error, first.is_remote) == (None, False)
    assert second.attributes["gen_ai.agent.id"] == "agent_1"
    assert second.attributes["error.type"] == second.error == "provider_timeout"
    assert second.kind == "client"


def test_times_are_unix_times_to_the_microsecond() -> None:
    """Of whatever clock the session has, and as long as it took."""
    kept = KeptSpans()
    spanning = Spanning(Trace(5, ROOT, None, True, kept.emit), "sess_1", lambda: 50.0)
    spanning.make(sketch())
    (span,) = kept.spans
    assert span.end_ns - span.start_ns == 1_500_000_000
    assert span.start_ns == pytest.approx(time.time_ns(), abs=60e9)


def test_only_the_session_has_a_parent_elsewhere() -> None:
    """Collectors that draw services apart want to know."""
    kept = KeptSpans()
    spanning = Spanning(Trace(5, ROOT, 9, True, kept.emit), "sess_1", lambda: 50.0)
    spanning.make(sketch())
    spanning.make(sketch(span_id=ROOT, parent_id=9))
    assert [span.is_remote for span in kept.spans] == [False, True]


def test_a_trace_that_is_not_kept_has_no_spans() -> None:
    """Its ids may be told to others all the same."""
    kept = KeptSpans()
    Spanning(Trace(5, ROOT, None, False, kept.emit), "sess_1", lambda: 50.0).make(sketch())
    assert kept.spans == []
