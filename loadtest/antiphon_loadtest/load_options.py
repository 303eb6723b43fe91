"""The command line of ``antiphon-loadtest``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from antiphon.talk import add_server_arguments
from antiphon_loadtest.behaviour import Behaviour
from antiphon_loadtest.goals import DEFAULT
from antiphon_loadtest.options import PROMPT, at_least_one
from antiphon_loadtest.profiles import PROFILES

CALLERS_A_WORKER = 150
"""What one process carries with time to spare."""

EPILOG = """\
profiles:
{profiles}

examples:
  antiphon-loadtest --url ws://127.0.0.1:8400 --callers 50 --duration 60
  antiphon-loadtest --profile ramp --callers 200 --html report.html
  antiphon-loadtest --find-capacity --objective "response p99 <= 1200ms, errors <= 0.5%"

exit codes:
  0    the objective was held (with --find-capacity: by at least one load)
  1    it was not
  2    nothing could be measured: no server there, a refused key, no recording, a wrong option
  130  stopped with Ctrl-C; the report says what was measured so far
"""


def parser() -> argparse.ArgumentParser:
    """What it may say."""
    profiles = "\n".join(f"  {name:<8} {one.help}" for name, one in PROFILES.items())
    made = argparse.ArgumentParser(
        prog="antiphon-loadtest",
        description="Many callers with recorded human speech against any server of the protocol.",
        epilog=EPILOG.format(profiles=profiles),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_server(made)
    _add_load(made)
    _add_callers(made)
    _add_reports(made)
    return made


def _add_server(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("the server")
    add_server_arguments(group)  # type: ignore[arg-type]
    add = group.add_argument
    add("--agent", metavar="ID", help="call a stored agent, with its own settings")
    add("--prompt", default=PROMPT, metavar="TEXT", help="the system prompt")
    add("--voice", help="the agent's voice")
    add(
        "--greeting",
        default="Hello, how can I help you?",
        metavar="TEXT",
        help="what the agent says first; empty: it waits",
    )
    watched = group.add_mutually_exclusive_group()
    watched.add_argument(
        "--server-pid", type=at_least_one, metavar="PID", help="its process, where it is local"
    )
    watched.add_argument(
        "--metrics", metavar="URL", help="a page with process_cpu_seconds_total, to read its CPU"
    )


def _add_load(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("the load")
    add = group.add_argument
    add("--profile", choices=PROFILES, default="steady", help="how it comes about (steady)")
    add("--callers", type=at_least_one, default=10, metavar="N", help="at most so many (10)")
    add("--duration", type=_seconds, default=60.0, metavar="S", help="of a run, in seconds (60)")
    add("--settle", type=_seconds, metavar="S", help="not measured at first (duration / 5)")
    add("--workers", type=at_least_one, metavar="N", help="processes (as many as needed)")
    add("--seed", type=int, default=0, help="the same seed makes the same conversations (0)")
    add(
        "--objective",
        default=DEFAULT,
        metavar="TEXT",
        help=f'limits, separated by commas ("{DEFAULT.replace("%", "%%")}"); percentiles of '
        "response, connect, barge-in and resume; errors, late frames, cpu per session, "
        "memory per session",
    )
    add(
        "--find-capacity",
        action="store_true",
        help="search for the most callers that hold the objective, beginning with --callers",
    )
    add("--most", type=at_least_one, default=2000, metavar="N", help="of the search (2000)")


def _add_callers(made: argparse.ArgumentParser) -> None:
    usual = Behaviour()
    group = made.add_argument_group("the callers")
    add = group.add_argument
    add(
        "--clips",
        type=Path,
        metavar="FOLDER",
        help="WAV files to speak; default: sentences of the reading in the embedded models",
    )
    add("--turns", type=_range, default=usual.turns, metavar="A-B", help="of a call (2-6)")
    for name, help_text in (
        ("barge-in", "speak over an answer, for each turn"),
        ("drop", "lose the line and come back, for each turn"),
        ("tool", "offer a tool and answer its calls, for each call"),
        ("idle", "stay silent, for each call"),
    ):
        default = getattr(usual, name.replace("-", "_"))
        text = f"probability to {help_text} ({default:g})"
        add(f"--{name}", type=_probability, default=default, metavar="P", help=text)
    add("--frame-ms", type=_frame, default=20, metavar="MS", help="sound in a message (20)")
    add("--patience", type=_seconds, default=10.0, metavar="S", help="for an answer (10)")
    add("--audible", action="store_true", help="decode: silence before an answer is no answer")


def _add_reports(made: argparse.ArgumentParser) -> None:
    add = made.add_argument_group("the report").add_argument
    add("--json", type=Path, metavar="FILE", help="every number; - is the output")
    add("--csv", type=Path, metavar="FILE", help="one row for each run")
    add("--html", type=Path, metavar="FILE", help="a page with curves, to be sent to anybody")


def workers_for(options: argparse.Namespace) -> int:
    """How many processes: no more than cores, one being the server's where it is here."""
    if options.workers is not None:
        return int(options.workers)
    most: int = options.most if options.find_capacity else options.callers
    needed = -(-most // CALLERS_A_WORKER)
    return max(1, min(needed, (os.cpu_count() or 2) - 1))


def behaviour_of(options: argparse.Namespace) -> Behaviour:
    """What callers are like."""
    return Behaviour(
        options.barge_in, options.drop, options.tool, options.idle, tuple(options.turns)
    )


def _probability(text: str) -> float:
    number = _number(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a probability from 0 to 1")
    return number


def _seconds(text: str) -> float:
    number = _number(text)
    if not 0 < number <= 1e7:  # noqa: PLR2004 - four months
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds above 0")
    return number


def _frame(text: str) -> int:
    number = _number(text)
    if number not in range(10, 201, 2):
        raise argparse.ArgumentTypeError(f"'{text}' is not an even number of ms from 10 to 200")
    return int(number)


def _range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    high = high or low
    if not (low.isdecimal() and high.isdecimal()) or not 1 <= int(low) <= int(high):
        raise argparse.ArgumentTypeError(f"'{text}' is not like 2-6, the fewest and the most")
    return int(low), int(high)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number") from None
