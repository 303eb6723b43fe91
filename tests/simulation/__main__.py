"""Simulates calls: those of many seeds, or one that is told in full."""

from __future__ import annotations

import argparse
import sys

from simulation.call import simulate
from simulation.campaign import Summary, make_calls
from simulation.plans import plan_of
from simulation.report import told

MANY = 200_000
EVERY = 1_000
"""Calls after which the progress is told."""


def main() -> int:
    """Exit status: 0 no rule is broken, 1 one is."""
    parser = argparse.ArgumentParser(
        prog="scripts/simulate",
        description="Simulate whole calls in virtual time and check the rules of the wire, of the "
        "records and of what the model sees. Each call follows from its seed alone.",
    )
    parser.add_argument("seed", type=int, nargs="?", help="tell the call of this seed in full")
    parser.add_argument(
        "--calls", type=int, default=MANY, help=f"how many calls; by default {MANY}"
    )
    parser.add_argument("--first", type=int, default=0, help="the first seed; by default 0")
    parser.add_argument("--processes", type=int, help="by default one for each processor")
    arguments = parser.parse_args()
    if arguments.seed is not None:
        outcome = simulate(plan_of(arguments.seed))
        _say(told(outcome, last=None))
        return bool(outcome.broken)
    seeds = range(arguments.first, arguments.first + arguments.calls)
    summary = make_calls(seeds, arguments.processes, _Progress().tell)
    for what, count in sorted(summary.counts.items()):
        _say(f"{count:9} {what}")
    hours = summary.seconds / 3600
    _say(f"{summary.calls} calls, {hours:.1f} hours, {len(summary.failures)} broke a rule")
    return bool(summary.failures)


class _Progress:
    """Tells failures at once, and now and then how far it is."""

    def __init__(self) -> None:
        self._next = EVERY
        self._failures = 0

    def tell(self, summary: Summary) -> None:
        for failure in summary.failures[self._failures :]:
            _say(failure)
        self._failures = len(summary.failures)
        if summary.calls >= self._next:
            self._next += EVERY
            failed = len(summary.failures)
            sys.stderr.write(f"{summary.calls} calls, {failed} broke a rule\n")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
