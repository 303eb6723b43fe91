"""``python -m pairs``: measures and shows; ``scripts/bench adapters`` runs it."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from pairs.overhead import Overhead, measure_overheads, overhead_table
from pairs.sums import MOST_MS, Measured, p95, sums_table
from pairs.turn import PAIRS, Pair, agent, take_turn
from pairs.vendors import VENDORS, Play

MOST_TURN_MS = 2.0
MOST_AUDIO_MS = 0.5
"""Of CPU, for a second of audio."""


async def measure_sums(turns: int) -> list[Measured]:
    """So many turns through every pair; those with the same recogniser and model start at once."""
    measured = []
    for stt in VENDORS["stt"]:
        for llm in VENDORS["llm"]:
            alike = [pair for pair in PAIRS if (pair.stt, pair.llm) == (stt, llm)]
            measured += await _measure(alike, turns)
    return measured


async def _measure(pairs: Sequence[Pair], turns: int) -> list[Measured]:
    measured = []
    async with AsyncExitStack() as stack:
        plays = [Play() for _ in pairs]
        folders = [Path(stack.enter_context(TemporaryDirectory())) for _ in pairs]
        agents = [agent(*one) for one in zip(pairs, plays, folders, strict=True)]
        servers = await asyncio.gather(*(stack.enter_async_context(one) for one in agents))
        for pair, play, server in zip(pairs, plays, servers, strict=True):
            for _ in range(turns):
                turn = await take_turn(server, play, to_the_end=False)
                measured.append(Measured(pair, turn.first_audio_s))
    return measured


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0 the objectives are met, 1 one is missed."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench adapters",
        description="What the adapters of cloud providers cost, against fakes of these on this "
        "machine: whether a turn takes the sum of its first-byte delays, and CPU time.",
    )
    parser.add_argument("--turns", type=int, default=1, help="through every pair; by default 1")
    parser.add_argument("--only", choices=["sums", "overhead"], help="measure nothing else")
    options = parser.parse_args(argv)
    met = True
    if options.only != "sums":
        met = _tell_overheads(measure_overheads())
    if options.only != "overhead":
        met = _tell_sums(asyncio.run(measure_sums(options.turns))) and met
    return 0 if met else 1


def _tell_overheads(overheads: Iterable[Overhead]) -> bool:
    measured = list(overheads)
    slowest = max(one.turn_ms for one in measured)
    met = slowest <= MOST_TURN_MS and all(
        one.audio_ms - one.socket_ms <= MOST_AUDIO_MS for one in measured
    )
    sys.stdout.write(
        f"{overhead_table(measured)}\n"
        f"objective: {MOST_TURN_MS:.0f} ms an adapter's turn at p95 (the slowest: "
        f"{slowest:.2f} ms) and {MOST_AUDIO_MS} ms a second of audio on top of its bare socket at "
        f"most: {'met' if met else 'missed'}\n\n"
    )
    return met


def _tell_sums(measured: Sequence[Measured]) -> bool:
    off = p95([abs(one.off_ms) for one in measured])
    met = off <= MOST_MS
    sys.stdout.write(
        f"{sums_table(measured)}\n"
        f"objective: within {MOST_MS:.0f} ms of the sum of first-byte delays at p95 of "
        f"{len(measured)} turns: {off:.1f} ms, {'met' if met else 'missed'}\n"
    )
    return met


if __name__ == "__main__":
    sys.exit(main())
