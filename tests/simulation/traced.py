"""What must be true of the trace of a call, whatever happened in it."""

from __future__ import annotations

from antiphon_server.call import records
from antiphon_server.observe.spans import Span
from simulation.world import World

OUTLIVES = ("execute_tool", "POST", "GET")
"""Spans that may end after their turn: calls of tools outlive replies."""


def of_trace(world: World) -> None:
    """One session, a turn for each reply on record, a tool for each call, and all of them nest."""
    history, hold = world.history, world.watch.hold
    mine = [
        span
        for span in world.node.spans.spans
        if span.attributes["gen_ai.conversation.id"] == history.session_id
    ]
    by_id = {span.span_id: span for span in mine}
    hold(len(by_id) == len(mine), "spans have ids of their own", len(mine))
    names = [span.name for span in mine]
    hold(names.count("session") == 1, "a session has one span", names.count("session"))
    replies, calls = (len(history.of(kind)) for kind in (records.AgentSaid, records.ToolCalled))
    hold(names.count("turn") == replies, "a reply has one span", names.count("turn"), replies)
    tools = sum(name.startswith("execute_tool ") for name in names)
    hold(tools == calls, "a call of a tool has one span", tools, calls)
    for span in mine:
        hold(span.start_ns <= span.end_ns, "a span ends after it began", span)
        if span.parent_id is not None:
            parent = by_id.get(span.parent_id)
            hold(parent is not None and _fits(span, parent), "spans nest", span, parent)


def _fits(span: Span, parent: Span) -> bool:
    ends = span.end_ns <= parent.end_ns
    return span.start_ns >= parent.start_ns and (ends or span.name.startswith(OUTLIVES))
