"""``antiphon-loadtest``: load for a server, and what it does to it."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET, structs

from antiphon.errors import AntiphonError, CannotConnect, ConnectionLost, TimedOut, Unauthorized
from antiphon.settings import SessionSettings
from antiphon.terminal import Terminal, figure
from antiphon.wire import open_wire
from antiphon_loadtest import report_files, report_text
from antiphon_loadtest.capacity import search
from antiphon_loadtest.figures import rank
from antiphon_loadtest.goals import Goal, clearly_missed, parse
from antiphon_loadtest.load_options import behaviour_of, parser, workers_for
from antiphon_loadtest.options import clips_of, settings_of
from antiphon_loadtest.plan import LOOK_UP, Plan
from antiphon_loadtest.record import Record
from antiphon_loadtest.running import Run, run
from antiphon_loadtest.server_watch import Watch, metrics, process
from antiphon_loadtest.summary import summary
from antiphon_loadtest.workers import Workers
from antiphon_protocol import __version__
from antiphon_protocol.voice_agent import EndSession

HELD, NOT_HELD, UNUSABLE, STOPPED = 0, 1, 2, 130
REST_S = 2.0
"""Between two loads of a search: what the last one left behind is not the next one's."""
SETTLE_SHARE = 0.2


def main(argv: Sequence[str] | None = None) -> int:
    """Runs it; returns the exit code."""
    options = parser().parse_args(argv)
    terminal = Terminal(sys.stderr if str(options.json) == "-" else sys.stdout)
    try:
        return asyncio.run(_Command(options, terminal).run())
    except KeyboardInterrupt:
        terminal.line()
        return STOPPED
    except AntiphonError as error:
        errors = Terminal(sys.stderr)
        name = errors.paint("antiphon-loadtest:", "red")
        errors.line(f"{name} {_explained(error, options)}")
        return UNUSABLE


def _explained(error: AntiphonError, options: argparse.Namespace) -> str:
    if isinstance(error, CannotConnect | TimedOut):
        return f"{error}\n  start one with: antiphon serve; or name another with --url"
    if isinstance(error, Unauthorized):
        return f"{options.url} refused the key; give one with --key or $ANTIPHON_API_KEY"
    return str(error)


class _Command:
    """One invocation: the plan, the runs, the report."""

    def __init__(self, options: argparse.Namespace, terminal: Terminal) -> None:
        self._options = options
        self._terminal = terminal
        self._goals: list[Goal] = parse(options.objective)
        self._records: list[Record] = []
        self._shown_at = 0.0
        self._began = datetime.now(UTC)

    async def run(self) -> int:
        """Checks what can be checked at once, runs, reports; returns the exit code."""
        options = self._options
        report_files.check(options)
        plan, watch = self._plan(), self._watch()
        await self._try_once(plan)
        capacity: int | None = None
        note = ""
        with Workers(workers_for(options)) as workers:
            if options.find_capacity:
                capacity, note = await self._search(plan, watch, workers)
            else:
                await self._one(plan, watch, workers, options.callers)
        report = self._report(capacity, note)
        report_text.show(self._terminal, report)
        report_files.write(options, report)
        if any(record.interrupted for record in self._records):
            return STOPPED
        held = bool(capacity) if options.find_capacity else report["runs"][-1]["held"]
        return HELD if held else NOT_HELD

    def _plan(self) -> Plan:
        options = self._options
        return Plan(
            url=options.url,
            key=options.key,
            settings=self._settings(),
            # A stored agent has tools of its own, and takes no other settings.
            tools=() if options.agent else (LOOK_UP,),
            clips=clips_of(options),
            behaviour=behaviour_of(options),
            began_at=0.0,
            duration_s=options.duration,
            seed=options.seed,
            frame_ms=options.frame_ms,
            patience_s=options.patience,
            audible=options.audible,
        )

    def _settings(self) -> SessionSettings:
        if self._options.agent:
            return SessionSettings(agent_id=self._options.agent)
        settings = settings_of(self._options)
        settings["greeting"] = self._options.greeting
        return settings

    def _watch(self) -> Watch | None:
        if self._options.server_pid is not None:
            return process(self._options.server_pid)
        return None if self._options.metrics is None else metrics(self._options.metrics)

    async def _try_once(self, plan: Plan) -> None:
        """One call by itself. Raises why there can be none."""
        wire = await open_wire(
            plan.url, plan.key, tools=plan.tools or UNSET, timeout_s=plan.patience_s,
            **plan.settings,
        )  # fmt: skip
        # A server that hangs up now does so in every call: that is what the report is for.
        with suppress(ConnectionLost):
            await wire.send(EndSession())
        await wire.close()

    async def _one(self, plan: Plan, watch: Watch | None, workers: Workers, callers: int) -> Record:
        options = self._options
        settle = options.settle
        if settle is None:
            # What a ramp or a storm is about happens at its beginning.
            from_start = options.profile in ("ramp", "storm")
            settle = 0.0 if from_start else plan.duration_s * SETTLE_SHARE
        early = clearly_missed if options.find_capacity else _never
        record = await run(
            Run(
                plan=plan,
                profile=options.profile,
                callers=callers,
                measure_from_s=min(settle, plan.duration_s),
                progress=self._progress,
                watch=watch,
                fails=lambda record: early(self._goals, record),
            ),
            workers,
        )
        self._records.append(record)
        return record

    async def _search(self, plan: Plan, watch: Watch | None, workers: Workers) -> tuple[int, str]:
        async def holds(callers: int) -> bool:
            if self._records:
                await asyncio.sleep(REST_S)
            # Other conversations each time: a lucky seed is not a capacity.
            other = structs.replace(plan, seed=plan.seed + callers)
            record = await self._one(other, watch, workers, callers)
            if record.interrupted:
                raise asyncio.CancelledError
            held = bool(summary(record, self._goals)["held"])
            self._terminal.line(f"  {callers} callers {'held' if held else 'did not hold'}")
            return held

        options = self._options
        try:
            found, bracket = await search(options.callers, options.most, holds)
        except asyncio.CancelledError:
            held = [one.callers for one in self._records if summary(one, self._goals)["held"]]
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
            for record in self._records[-1:]:
                record.interrupted = True
            return max(held, default=0), "; the search was not finished"
        if bracket.fails is None:
            return found, f"; more was not tried (--most {options.most})"
        return found, f"; {bracket.fails} did not"

    def _progress(self, record: Record) -> None:
        terminal, now = self._terminal, time.monotonic()
        if not terminal.moves and now - self._shown_at < 5 * REST_S:
            return
        self._shown_at = now
        moment = record.moments[-1]
        numbers = record.numbers("response")
        took = f"response p99 {figure(rank(numbers, 0.99))} ms" if numbers else "no answer yet"
        terminal.progress(
            f"{max(0.0, moment.at):.0f} s of {self._options.duration:g} s  "
            f"{moment.callers} of {record.callers} in a call  {took}  "
            f"{record.errors.total()} errors  own CPU {100 * moment.cpu:.0f} %"
        )

    def _report(self, capacity: int | None, note: str) -> dict[str, Any]:
        options = self._options
        runs = [summary(record, self._goals) for record in self._records]
        warnings = [
            f"the load tool was the bottleneck with {one['callers']} callers: "
            f"{'; '.join(one['bottleneck'])}; use more --workers, another machine, or fewer callers"
            for one in runs
            if one["bottleneck"]
        ]
        return {
            "tool": f"antiphon-loadtest {__version__}",
            "started": self._began.isoformat(timespec="seconds"),
            "url": options.url,
            "profile": options.profile,
            "duration_s": options.duration,
            "seed": options.seed,
            "objective": options.objective,
            "find_capacity": options.find_capacity,
            "capacity": capacity,
            "capacity_note": note,
            "warnings": warnings,
            "runs": runs,
        }


def _never(_goals: Sequence[Goal], _record: Record) -> bool:
    return False


if __name__ == "__main__":
    sys.exit(main())
