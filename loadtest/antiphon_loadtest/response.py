"""How long until an answer is heard: one caller, one turn after the other.

The response is measured by the caller: from the last voiced sample of what they said to the
first sample of the answer that can be heard. Silence that is sent ahead does not count.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import cycle, islice
from typing import Any

import antiphon
from antiphon.caller import PATIENCE_S, Caller, Turn
from antiphon.clips import Clip
from antiphon.terminal import Terminal, figure
from antiphon.turn_report import HEARD, OVERHEAD, label_of, turn_as_json
from antiphon_loadtest import figures, objectives
from antiphon_loadtest.figures import Percentiles, percentiles
from antiphon_loadtest.objectives import Objective, stated
from antiphon_loadtest.options import (
    add_common,
    at_least_one,
    clips_of,
    settings_of,
    write_report,
)
from antiphon_loadtest.words import error_rate, total_error_rate

TURNS_A_CALL = 5
"""A conversation of that length is ordinary; a longer one measures the model's memory."""

HELP = "how long until an answer is heard, stage by stage"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the measurement takes."""
    add_common(parser)
    add = parser.add_argument
    add("--turns", type=at_least_one, default=30, metavar="N", help="how many (default: 30)")
    add("--p50", type=float, metavar="MS", help="objective: median response")
    add("--p95", type=float, metavar="MS", help="objective: 95th percentile of the response")
    add("--overhead", type=float, metavar="MS", help="objective: 95th percentile of overhead")
    add("--wer", type=float, metavar="PERCENT", help="objective: word error rate")


async def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Measures, shows, writes; returns the exit code."""
    turns = await measure(options, clips_of(options), terminal)
    answered = [turn for turn in turns if turn is not None]
    rows = summary(answered)
    promised = _promised(options, rows, answered)
    _show(terminal, options, turns, rows)
    objectives.show(terminal, promised)
    report = {
        "measurement": "response",
        "url": options.url,
        "unanswered": len(turns) - sum(turn.answered for turn in answered),
        "word_error_rate": _error_rate(answered),
        "summary": {name: figures.as_json(row) for name, row in rows.items()},
        "objectives": objectives.as_json(promised),
        "turns": [_turn_as_json(turn) for turn in answered],
    }
    write_report(options.json, report)
    return objectives.exit_code(promised)


async def measure(
    options: argparse.Namespace, clips: Sequence[Clip], terminal: Terminal
) -> list[Turn | None]:
    """The turns in order; None for one that was not answered, after which a new call begins."""
    left = list(islice(cycle(clips), options.turns))
    turns: list[Turn | None] = []
    while left:
        batch, left = left[:TURNS_A_CALL], left[TURNS_A_CALL:]
        async with (
            antiphon.connect(
                options.url, options.key, timeline=True, resume=False, **settings_of(options)
            ) as call,
            Caller(call) as caller,
        ):
            while batch:
                turns.append(await _take_turn(caller, batch.pop(0)))
                _progress(terminal, turns, options.turns)
                if turns[-1] is None:
                    left = batch + left
                    break
    return turns


async def _take_turn(caller: Caller, clip: Clip) -> Turn | None:
    try:
        turn = await caller.converse(clip, PATIENCE_S)
    except antiphon.TimedOut:
        return None
    await caller.timeline_of(turn)
    return turn


def summary(turns: Sequence[Turn]) -> dict[str, Percentiles]:
    """Percentiles of the response as heard, and of every stage the server reported."""
    measured: dict[str, list[float]] = {HEARD: []}
    for turn in turns:
        if turn.response_ms is not None:
            measured[HEARD].append(turn.response_ms)
        for stage, ms in (turn.timeline.stages if turn.timeline else {}).items():
            measured.setdefault(stage, []).append(ms)
    found = {name: percentiles(numbers) for name, numbers in measured.items()}
    return {name: row for name, row in found.items() if row is not None}


def _promised(
    options: argparse.Namespace, rows: dict[str, Percentiles], turns: Sequence[Turn]
) -> list[Objective]:
    heard, overhead = rows.get(HEARD), rows.get(OVERHEAD)
    rate = _error_rate(turns)
    unanswered = options.turns - sum(turn.answered for turn in turns)
    return [
        *stated("turns without an answer", 0, unanswered, "turns"),
        *stated("response p50", options.p50, heard.p50 if heard else None),
        *stated("response p95", options.p95, heard.p95 if heard else None),
        *stated("server overhead p95", options.overhead, overhead.p95 if overhead else None),
        *stated("word error rate", options.wer, None if rate is None else 100 * rate, "%"),
    ]


def _error_rate(turns: Sequence[Turn]) -> float | None:
    return total_error_rate(
        (turn.clip.text, turn.transcript) for turn in turns if turn.clip.text is not None
    )


def _progress(terminal: Terminal, turns: Sequence[Turn | None], count: int) -> None:
    turn = turns[-1]
    measured = None if turn is None else turn.response_ms
    early = "cut in" if turn is not None and turn.answered else "no answer"
    result = early if measured is None else f"{figure(measured)} ms"
    name = "" if turn is None else turn.clip.name
    terminal.progress(f"turn {len(turns)} of {count}  {name}  {result}")


def _show(
    terminal: Terminal,
    options: argparse.Namespace,
    turns: Sequence[Turn | None],
    rows: dict[str, Percentiles],
) -> None:
    answered = [turn for turn in turns if turn is not None]
    terminal.line()
    terminal.heading("response", f"{len(turns)} turns, {options.url}")
    figures.draw(terminal, {label_of(name): row for name, row in rows.items()})
    terminal.line()
    rate = _error_rate(answered)
    if rate is not None:
        terminal.line(f"  word error rate  {100 * rate:.1f} %")
    early = sum(turn.cut_in for turn in answered)
    if early:
        note = f"the agent cut in before the caller had finished: {early} of {len(turns)} turns"
        terminal.line(f"  {terminal.paint(note, 'yellow')}")


def _turn_as_json(turn: Turn) -> dict[str, Any]:
    text = turn.clip.text
    rate = None if text is None else round(error_rate(text, turn.transcript), 4)
    return {**turn_as_json(turn), "word_error_rate": rate}
