"""How fast the agent falls silent when it is interrupted.

The agent speaks a long greeting, which needs no language model; a caller speaks over it. What
is measured: from the caller's first voiced sample to the server's decision, and from the
decision to the last sound of the greeting that still came. After ``reply.done`` none may come
(protocol section 4.8).
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import cycle, islice

from msgspec import Struct, structs

import antiphon
from antiphon.caller import Caller, Speech
from antiphon.clips import Clip
from antiphon.ear import HeardReply
from antiphon.terminal import Terminal, figure
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

HELP = "how fast the agent falls silent when it is interrupted"

GREETING = (
    "Hello, and thank you for calling. Before we begin, let me tell you at some length what I "
    "can do for you today. I can look up an order, change the address it goes to, tell you "
    "when it will arrive, and cancel it if you have changed your mind. I can also answer "
    "questions about our opening hours, our shops, and the many things we sell in them. "
    "If there is anything else on your mind, I shall be happy to find somebody who can help."
)
"""About half a minute of speech: nobody can interrupt what is over."""

TOO_LATE_S = 10.0
"""How long a decision may take; the slowest hosted one took 2.2 s."""


class Interruption(Struct, frozen=True):
    """One interruption. ``decision_ms`` is from the caller's first voiced sample to the
    decision, None where the agent spoke on; ``silence_ms`` from the decision to the last sound
    that came, 0 where none did; ``unheard_ms`` is sound sent ahead that a player must drop;
    ``late_pieces`` are pieces of sound after ``reply.done``.
    """

    clip: str
    decision_ms: float | None = None
    silence_ms: float = 0.0
    unheard_ms: float = 0.0
    late_pieces: int = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the measurement takes."""
    add_common(parser)
    add = parser.add_argument
    add("--turns", type=at_least_one, default=10, metavar="N", help="how many (default: 10)")
    add(
        "--after",
        type=float,
        default=1000,
        metavar="MS",
        help="speak over the agent after it was heard for so long (default: 1000)",
    )
    add("--decision", type=float, metavar="MS", help="objective: 95th percentile of the decision")
    add("--silence", type=float, metavar="MS", help="objective: 95th percentile to silence")


async def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Measures, shows, writes; returns the exit code."""
    measured: list[Interruption] = []
    for clip in islice(cycle(clips_of(options)), options.turns):
        one = await interrupt(options, clip)
        measured.append(one)
        took = "no decision" if one.decision_ms is None else f"{figure(one.decision_ms)} ms"
        terminal.progress(f"turn {len(measured)} of {options.turns}  {clip.name}  {took}")
    rows = summary(measured)
    promised = _promised(options, measured, rows)
    terminal.line()
    terminal.heading("barge-in", f"{len(measured)} interruptions, {options.url}")
    figures.draw(terminal, rows)
    terminal.line()
    objectives.show(terminal, promised)
    report = {
        "measurement": "barge-in",
        "url": options.url,
        "summary": {name: figures.as_json(row) for name, row in rows.items()},
        "objectives": objectives.as_json(promised),
        "interruptions": [structs.asdict(one) for one in measured],
    }
    write_report(options.json, report)
    return objectives.exit_code(promised)


async def interrupt(options: argparse.Namespace, clip: Clip) -> Interruption:
    """One call: lets the agent speak, speaks over it, and listens to what it does."""
    settings = settings_of(options)
    settings["greeting"] = GREETING
    async with (
        antiphon.connect(options.url, options.key, resume=False, **settings) as call,
        Caller(call) as caller,
    ):
        ear = caller.ear
        await caller.wait_for(
            lambda: any(reply.audible_at for reply in ear.replies), TOO_LATE_S, "no greeting"
        )
        greeting = ear.replies[0]
        await _let_speak(greeting, options.after)
        speech = await caller.say(clip)
        try:
            await caller.wait_for(lambda: greeting.over, TOO_LATE_S, "the agent spoke on")
        except antiphon.TimedOut:
            return Interruption(clip.name)
        # Until the answer has been heard out, so that late sound has time to come. A fragment
        # such as "wait" may rightly get no answer of its own.
        with suppress(antiphon.TimedOut):
            await caller.hear_out(since=speech.started_at, patience_s=TOO_LATE_S)
        return _judged(caller, speech, greeting)


async def _let_speak(greeting: HeardReply, ms: float) -> None:
    audible_at = greeting.audible_at or 0.0
    await asyncio.sleep(audible_at + ms / 1000 - asyncio.get_running_loop().time())


def _judged(caller: Caller, speech: Speech, greeting: HeardReply) -> Interruption:
    if not greeting.interrupted or greeting.done_at is None:
        return Interruption(speech.clip.name, late_pieces=greeting.late_pieces)
    noticed = [at for at in caller.ear.speech_started_at if at >= speech.started_at]
    decided_at = min([*noticed, greeting.done_at])
    last_at = greeting.last_audio_at or decided_at
    return Interruption(
        speech.clip.name,
        decision_ms=(decided_at - speech.voice_started_at) * 1000,
        silence_ms=max(0.0, last_at - decided_at) * 1000,
        unheard_ms=greeting.unheard_ms,
        late_pieces=greeting.late_pieces,
    )


def summary(measured: Sequence[Interruption]) -> dict[str, Percentiles]:
    """Percentiles over the interruptions that were decided."""
    decided = [one for one in measured if one.decision_ms is not None]
    found = {
        "voice to decision": percentiles(one.decision_ms or 0.0 for one in decided),
        "decision to last sound": percentiles(one.silence_ms for one in decided),
        "sound sent ahead, unheard": percentiles(one.unheard_ms for one in decided),
    }
    return {name: row for name, row in found.items() if row is not None}


def _promised(
    options: argparse.Namespace, measured: Sequence[Interruption], rows: dict[str, Percentiles]
) -> list[Objective]:
    decision, silence = rows.get("voice to decision"), rows.get("decision to last sound")
    missed = sum(one.decision_ms is None for one in measured)
    late = sum(one.late_pieces for one in measured)
    return [
        *stated("sound after the end of its reply", 0, late, "pieces"),
        *stated("interruptions that went unnoticed", 0, missed, ""),
        *stated("voice to decision, p95", options.decision, decision.p95 if decision else None),
        *stated("decision to last sound, p95", options.silence, silence.p95 if silence else None),
    ]
