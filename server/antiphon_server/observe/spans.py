"""What a trace is made of, before anybody exports it: no library is needed for it.

Spans are made after the fact, from times that were taken for other reasons, so all of a span is
known when it is made.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Literal

from msgspec import Struct, field

from antiphon_server.observe.traceparent import TraceParent

Value = str | int | float | bool
Kind = Literal["internal", "server", "client"]


class Event(Struct, frozen=True):
    """Something that happened within a span; Unix time in nanoseconds."""

    name: str
    at_ns: int
    attributes: dict[str, Value] = field(default_factory=dict)


class Span(Struct, frozen=True, kw_only=True):
    """A stretch of time in a trace; Unix time in nanoseconds."""

    name: str
    trace_id: int
    span_id: int
    parent_id: int | None
    start_ns: int
    end_ns: int
    kind: Kind = "internal"
    attributes: dict[str, Value] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    error: str | None = None
    """The code of what went wrong, where something did."""
    is_remote: bool = False
    """Whether its parent is another process's."""


class Trace(Struct, frozen=True):
    """The trace of one session: its ids, and where its spans go."""

    trace_id: int
    root_id: int
    """Of the session's own span."""
    parent_id: int | None
    """Of the caller's span, where it told one."""
    sampled: bool
    emit: Callable[[Span], None]
    """Takes a finished span; does not block and does not raise."""
    tells_content: bool = False
    """Whether its spans may say what was said."""
    spreads: bool = False
    """Whether servers that are asked for a session are told of the trace."""

    @property
    def name(self) -> str:
        """Its id, as everybody writes it."""
        return f"{self.trace_id:032x}"

    def parent(self, span_id: int) -> TraceParent:
        """A span of it, as others are told."""
        return TraceParent(self.trace_id, span_id, self.sampled)


def new_span_id() -> int:
    """64 random bits, not all 0. They are no secret."""
    return random.getrandbits(64) or 1


def new_trace_id() -> int:
    """128 random bits of which the last 64 are not all 0: those decide about sampling."""
    return random.getrandbits(64) << 64 | new_span_id()
