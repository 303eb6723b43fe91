"""How the spans of one session are made: by its clock, in its trace, with its ids."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec import Struct, field

from antiphon_server.call.timeline import Interval
from antiphon_server.observe.spans import Event, Kind, Span, Trace, Value


class Sketch(Struct, frozen=True, kw_only=True):
    """What a span is to be. Times are seconds of the session's clock."""

    name: str
    span_id: int
    parent_id: int | None
    interval: Interval
    attributes: dict[str, Value] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    error: str | None = None
    kind: Kind = "internal"


class Spanning:
    """One session's. ``now`` gives the seconds of its clock."""

    def __init__(self, trace: Trace, session_id: str, now: Callable[[], float]) -> None:
        self.trace = trace
        self.now = now
        self._ids: dict[str, Value] = {"gen_ai.conversation.id": session_id}
        self._epoch_ns = time.time_ns() - round(now() * 1e9)

    def of_agent(self, agent_id: str) -> None:
        """All spans from now on are of this stored agent."""
        self._ids["gen_ai.agent.id"] = agent_id

    def make(self, sketch: Sketch) -> None:
        """Makes a span, if the trace is kept."""
        trace = self.trace
        if not trace.sampled:
            return
        failed = {} if sketch.error is None else {"error.type": sketch.error}
        began, ended = sketch.interval
        trace.emit(
            Span(
                name=sketch.name,
                trace_id=trace.trace_id,
                span_id=sketch.span_id,
                parent_id=sketch.parent_id,
                start_ns=self.ns(began),
                end_ns=self.ns(ended),
                kind=sketch.kind,
                attributes={**self._ids, **sketch.attributes, **failed},
                events=sketch.events,
                error=sketch.error,
                is_remote=sketch.span_id == trace.root_id and sketch.parent_id is not None,
            )
        )

    def ns(self, moment: float) -> int:
        """Unix time of a moment of the session's clock, in nanoseconds."""
        return self._epoch_ns + round(moment * 1e9)
