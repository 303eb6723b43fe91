"""Many callers at once, each with their own words: nobody may be given another's.

Where a clip's text is not known, a call alone beforehand says what the server makes of it.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from msgspec import Struct, structs

import antiphon
from antiphon.caller import Caller
from antiphon.clips import Clip
from antiphon.errors import UnusableAudio
from antiphon.terminal import Terminal, figure
from antiphon.turn_report import HEARD
from antiphon_loadtest import figures, objectives
from antiphon_loadtest.figures import percentiles
from antiphon_loadtest.objectives import Objective, stated
from antiphon_loadtest.options import (
    add_common,
    at_least_one,
    clips_of,
    settings_of,
    write_report,
)
from antiphon_loadtest.words import error_rate, leaked

HELP = "many callers at once: does anybody get another's words, and how fast are answers"


class Outcome(Struct, frozen=True):
    """What became of one caller. ``rate`` is their word error rate; ``leak`` are words in a
    row that only somebody else said; ``failure`` is why the call broke off.
    """

    number: int
    clip: Clip
    transcript: str = ""
    reply: str = ""
    answered: bool = False
    response_ms: float | None = None
    rate: float | None = None
    leak: str | None = None
    failure: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the measurement takes."""
    add_common(parser)
    add = parser.add_argument
    add("--n", type=at_least_one, default=8, metavar="N", help="how many callers (default: 8)")
    add("--p50", type=float, metavar="MS", help="objective: median response")
    add("--p95", type=float, metavar="MS", help="objective: 95th percentile of the response")
    add("--wer", type=float, metavar="PERCENT", help="objective: worst caller's word error rate")


async def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Measures, shows, writes; returns the exit code."""
    clips = clips_of(options)[: options.n]
    if len(clips) < options.n:
        raise UnusableAudio(
            f"{options.n} callers need as many different clips; there are {len(clips)}"
        )
    clips = await _with_texts(options, clips, terminal)
    outcomes = await asyncio.gather(
        *(_call(options, number, clip, clips) for number, clip in enumerate(clips, 1))
    )
    promised = _promised(options, outcomes)
    _show(terminal, options, outcomes)
    objectives.show(terminal, promised)
    report = {
        "measurement": "callers",
        "url": options.url,
        "response": figures.as_json(percentiles(_responses(outcomes))),
        "objectives": objectives.as_json(promised),
        "callers": [
            {**structs.asdict(one), "clip": one.clip.name, "text": one.clip.text}
            for one in outcomes
        ],
    }
    write_report(options.json, report)
    return objectives.exit_code(promised)


async def _with_texts(
    options: argparse.Namespace, clips: Sequence[Clip], terminal: Terminal
) -> list[Clip]:
    known: list[Clip] = []
    for clip in clips:
        text = clip.text
        if text is None:
            terminal.progress(f"alone first: {clip.name}")
            text = (await _call(options, 0, clip, ())).transcript
        known.append(structs.replace(clip, text=text))
    return known


async def _call(
    options: argparse.Namespace, number: int, clip: Clip, everybody: Sequence[Clip]
) -> Outcome:
    others = [other.text for other in everybody if other is not clip and other.text]
    try:
        async with (
            antiphon.connect(
                options.url, options.key, resume=False, **settings_of(options)
            ) as call,
            Caller(call) as caller,
        ):
            turn = await caller.converse(clip)
    except antiphon.AntiphonError as error:
        return Outcome(number, clip, failure=str(error))
    own = clip.text or ""
    return Outcome(
        number,
        clip,
        transcript=turn.transcript,
        reply=turn.reply_text,
        answered=turn.answered,
        response_ms=turn.response_ms,
        rate=error_rate(own, turn.transcript),
        leak=leaked(turn.transcript, own, others),
    )


def _responses(outcomes: Sequence[Outcome]) -> list[float]:
    return [one.response_ms for one in outcomes if one.response_ms is not None]


def _promised(options: argparse.Namespace, outcomes: Sequence[Outcome]) -> list[Objective]:
    heard = percentiles(_responses(outcomes))
    rates = [100 * one.rate for one in outcomes if one.rate is not None]
    broken = sum(not one.answered for one in outcomes)
    return [
        *stated("callers given another's words", 0, sum(bool(one.leak) for one in outcomes), ""),
        *stated("callers without an answer", 0, broken, ""),
        *stated("response p50", options.p50, heard.p50 if heard else None),
        *stated("response p95", options.p95, heard.p95 if heard else None),
        *stated("worst word error rate", options.wer, max(rates, default=None), "%"),
    ]


def _show(terminal: Terminal, options: argparse.Namespace, outcomes: Sequence[Outcome]) -> None:
    terminal.line()
    terminal.heading("callers", f"{len(outcomes)} at once, {options.url}")
    terminal.table(
        ("caller", "clip", "response", "word errors", "another's words"),
        [
            (
                str(one.number),
                one.clip.name,
                "-" if one.response_ms is None else f"{figure(one.response_ms)} ms",
                "-" if one.rate is None else f"{100 * one.rate:.0f} %",
                one.failure or one.leak or "none",
            )
            for one in outcomes
        ],
    )
    terminal.line()
    heard = percentiles(_responses(outcomes))
    if heard is not None:
        figures.draw(terminal, {HEARD: heard})
        terminal.line()
