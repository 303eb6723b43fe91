"""How long a turn took: on the screen, and as JSON."""

from __future__ import annotations

from typing import Any

from antiphon.caller import Turn
from antiphon.events import TurnTimeline
from antiphon.terminal import Terminal

HEARD = "response, as heard"
RESPONSE = "response"
OVERHEAD = "server_overhead"


def show_turn(terminal: Terminal, turn: Turn) -> None:
    """The response the caller measured, and below it the server's stages, to one scale."""
    response_ms = turn.response_ms
    if response_ms is None:
        terminal.line(f"  {terminal.paint('no answer after the end of the speech', 'red')}")
    show_stages(terminal, turn.timeline, response_ms)
    if turn.cut_in:
        note = "the agent was heard before the caller had finished"
        terminal.line(f"  {terminal.paint(note, 'yellow')}")


def show_stages(
    terminal: Terminal, timeline: TurnTimeline | None, response_ms: float | None = None
) -> None:
    """The server's stages, below the caller's own measure where there is one."""
    rows = [] if response_ms is None else [(HEARD, response_ms, "bold")]
    if timeline is not None:
        rows += [(label_of(name), ms, "dim") for name, ms in timeline.stages.items()]
    if rows:
        terminal.line()
        terminal.bars(rows)


def label_of(stage: str) -> str:
    """A stage's name as people read it; the server's own response is told from the heard one."""
    return "response, as sent" if stage == RESPONSE else stage.replace("_", " ")


def turn_as_json(turn: Turn) -> dict[str, Any]:
    """A turn as plain data; milliseconds, None where there is nothing to say."""
    timeline = turn.timeline
    return {
        "clip": turn.clip.name,
        "text": turn.clip.text,
        "transcript": turn.transcript,
        "reply": turn.reply_text,
        "response_ms": None if turn.response_ms is None else round(turn.response_ms, 1),
        "answered": turn.answered,
        "cut_in": turn.cut_in,
        "interrupted": any(reply.interrupted for reply in turn.replies),
        "stages": None if timeline is None else timeline.stages,
        "providers": None if timeline is None else timeline.providers,
    }
