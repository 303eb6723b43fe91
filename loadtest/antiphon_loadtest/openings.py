"""How soon a session is ready and a reply begins, while others are in conversation.

The others speak and listen, one clip after the other, for as long as is measured. Beside them
sessions are opened one at a time: from the first ``session.update`` to ``session.ready``, and
from ``reply.create`` to ``reply.started``. The socket is open by then, so the network's part is
one round trip each.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from msgspec import Struct, structs

import antiphon
from antiphon.address import socket_url
from antiphon.call import Call
from antiphon.connection import CONNECT_S
from antiphon.handshake import dial, introduce
from antiphon.line import Line
from antiphon.settings import session_update
from antiphon.terminal import Terminal
from antiphon.tools import Tools
from antiphon_loadtest import figures, objectives
from antiphon_loadtest.figures import percentiles, rank
from antiphon_loadtest.objectives import Objective, stated
from antiphon_loadtest.options import (
    add_common,
    at_least_one,
    clips_of,
    settings_of,
    write_report,
)
from antiphon_loadtest.others import Talked, conversing
from antiphon_protocol import codec
from antiphon_protocol.voice_agent import UpdateSession

HELP = "how soon sessions are ready and replies begin, beside others in conversation"

PAUSE_S = 0.05
"""Between two openings: what is measured is not how many there can be."""


class Opening(Struct, frozen=True):
    """One session: milliseconds to ``session.ready``, and to ``reply.started``."""

    ready_ms: float
    reply_ms: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what the measurement takes."""
    add_common(parser)
    add = parser.add_argument
    add("--n", type=at_least_one, default=200, metavar="N", help="how many (default: 200)")
    add("--callers", type=int, default=50, metavar="N", help="others (default: 50)")
    add("--ready", type=float, metavar="MS", help="objective: 99th percentile to session.ready")
    add("--reply", type=float, metavar="MS", help="objective: 99th percentile to reply.started")


async def run(options: argparse.Namespace, terminal: Terminal) -> int:
    """Measures, shows, writes; returns the exit code."""
    clips = clips_of(options)
    measured: list[Opening] = []
    terminal.progress(f"{options.callers} others begin")
    async with conversing(options, clips) as others:
        for number in range(1, options.n + 1):
            measured.append(await opening(options))
            terminal.progress(f"session {number} of {options.n}")
            await asyncio.sleep(PAUSE_S)
    rows = {
        "first update to session.ready": percentiles(one.ready_ms for one in measured),
        "reply.create to reply.started": percentiles(one.reply_ms for one in measured),
    }
    promised = _promised(options, measured, others)
    terminal.line()
    terminal.heading(
        "openings", f"{len(measured)} sessions beside {options.callers} callers, {options.url}"
    )
    figures.draw(terminal, {name: row for name, row in rows.items() if row is not None})
    terminal.line()
    objectives.show(terminal, promised)
    report = {
        "measurement": "openings",
        "url": options.url,
        "callers": options.callers,
        "turns_of_others": others.turns,
        "failures_of_others": others.failures,
        "summary": {name: figures.as_json(row) for name, row in rows.items()},
        "objectives": objectives.as_json(promised),
        "openings": [structs.asdict(one) for one in measured],
    }
    write_report(options.json, report)
    return objectives.exit_code(promised)


async def opening(options: argparse.Namespace) -> Opening:
    """Opens a session, has a reply begun, and ends it. Raises what ``antiphon.connect`` does."""
    now = asyncio.get_running_loop().time
    hello = codec.encode(UpdateSession(session_update(settings_of(options))))
    socket = await dial(socket_url(options.url), options.key, CONNECT_S)
    began = now()
    introduced = await introduce(socket, hello, CONNECT_S)
    ready_ms = 1000 * (now() - began)
    call = Call(Line(introduced, None), introduced.ready, Tools())
    try:
        began = now()
        await call.create_reply()
        async for event in call:
            if isinstance(event, antiphon.ReplyStarted):
                return Opening(ready_ms, 1000 * (now() - began))
    finally:
        await call.leave()
    raise antiphon.ConnectionLost(1000, "the session ended before its reply began")


def _promised(
    options: argparse.Namespace, measured: Sequence[Opening], others: Talked
) -> list[Objective]:
    ready = rank([one.ready_ms for one in measured], 0.99)
    reply = rank([one.reply_ms for one in measured], 0.99)
    return [
        *stated("others whose call broke off", 0, len(others.failures), ""),
        *stated("session.ready, p99", options.ready, ready),
        *stated("reply.started, p99", options.reply, reply),
    ]
