"""Callers in conversation beside what is measured, in a process of their own: what they cost
is not to be measured as the server's slowness.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle, islice
from multiprocessing.connection import Connection
from typing import Any

from msgspec import Struct, field

import antiphon
from antiphon.caller import Caller
from antiphon.clips import Clip
from antiphon_loadtest.options import settings_of

APART_S = 2.0
"""Within which they begin, so that they do not all speak at once."""

STOP_S = 30.0
"""How long the process may take to end its calls."""


class OthersGone(antiphon.AntiphonError):
    """The process of the others ended before it was told to."""


class Talked(Struct):
    """What became of them: turns that were answered, and why calls broke off."""

    turns: int = 0
    failures: list[str] = field(default_factory=list)


@asynccontextmanager
async def conversing(options: argparse.Namespace, clips: Sequence[Clip]) -> AsyncIterator[Talked]:
    """``options.callers`` of them, each in a call before the block begins and until it ends; what
    became of them is known after that. Raises ``OthersGone``.
    """
    talked = Talked()
    if not options.callers:
        yield talked
        return
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_run, args=(options, list(clips), there), daemon=True)
    process.start()
    there.close()
    try:
        await _told(here)
        yield talked
        here.send(None)
        talked.turns, talked.failures = await _told(here)
        await asyncio.to_thread(process.join, STOP_S)
    finally:
        if process.is_alive():
            process.kill()
            process.join()
        process.close()
        here.close()


async def _told(pipe: Connection) -> Any:
    try:
        return await asyncio.to_thread(pipe.recv)
    except (EOFError, OSError) as gone:
        raise OthersGone("the process of the other callers ended by itself") from gone


def _run(options: argparse.Namespace, clips: list[Clip], pipe: Connection) -> None:
    """The other process: says when all are in a call, stops when it is told to."""
    talked = asyncio.run(_converse(options, clips, pipe))
    pipe.send((talked.turns, talked.failures))
    pipe.close()


async def _converse(options: argparse.Namespace, clips: list[Clip], pipe: Connection) -> Talked:
    talked = Talked()
    ready = [asyncio.Event() for _ in range(options.callers)]
    talks = [
        asyncio.create_task(_talk(options, _from(clips, place), talked, event))
        for place, event in enumerate(ready)
    ]
    for event in ready:
        await event.wait()
    pipe.send(None)
    await asyncio.to_thread(pipe.recv)
    for talk in talks:
        talk.cancel()
    await asyncio.gather(*talks, return_exceptions=True)
    return talked


def _from(clips: list[Clip], place: int) -> list[Clip]:
    """All clips, beginning with another one for each."""
    return list(islice(cycle(clips), place, place + len(clips)))


async def _talk(
    options: argparse.Namespace, clips: list[Clip], talked: Talked, ready: asyncio.Event
) -> None:
    """One conversation, until it is cancelled."""
    await asyncio.sleep(random.uniform(0, APART_S))  # noqa: S311 (no secret)
    try:
        async with (
            antiphon.connect(options.url, options.key, **settings_of(options)) as call,
            Caller(call) as caller,
        ):
            ready.set()
            for clip in cycle(clips):
                speech = await caller.say(clip)
                try:
                    await caller.hear_out(speech.started_at)
                    talked.turns += 1
                except antiphon.TimedOut:
                    # Some words get no answer; the next ones may.
                    continue
    except antiphon.AntiphonError as failure:
        talked.failures.append(str(failure))
    finally:
        ready.set()
