"""Sockets are lost, sessions are not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from endurance import drops, sdk_drops
from endurance.caller import Caller, NotResumed, calling
from endurance.counts import count, is_timed
from endurance.fault_proxy import faulty
from endurance.figures import percentile, show, show_times
from endurance.processes import CONVERSING, KEY, Process, launched

SESSIONS = count(6, 40, 200)
SDK_CALLS = count(3, 7, 34)
LATE_SESSIONS = count(6, 40, 100)
RESUMED = 0.999
READY_MS = 300.0
WINDOW_S = 1


@pytest.mark.timeout(900)
async def test_a_session_outlives_its_sockets_and_nothing_is_lost(
    server: Process, rest: httpx.AsyncClient
) -> None:
    """Resets, ends, half-open lines and cuts in mid-frame; in the greeting, while the user
    speaks, in a reply, in a tool's call, with its result, in a resume. At least 99.9 % are
    resumed; all committed events come in order, none is missing, none comes twice to a client
    that says what it has; and what the server keeps is what the client was told.
    """
    tally = await drops.endure(server, rest, SESSIONS)
    show("drops", resumed=str(tally.resumed.total()), failed=str(len(tally.failed)))
    show_times("session.ready after a drop", tally.ready_ms, "ms")
    assert tally.share >= RESUMED, tally.failed
    assert tally.faults == []
    assert not is_timed() or percentile(tally.ready_ms, 0.99) <= READY_MS


@pytest.mark.timeout(900)
async def test_a_call_of_the_sdk_comes_back_by_itself(
    server: Process, rest: httpx.AsyncClient
) -> None:
    """Each time, without a line that is missing or told twice."""
    tally = await sdk_drops.endure(server, rest, SDK_CALLS)
    show("drops of the SDK", drops=str(tally.drops), resumed=str(tally.resumed))
    show_times("away", tally.away_s, "s")
    assert tally.faults == []
    assert tally.resumed == tally.drops == SDK_CALLS * sdk_drops.DROPS_A_CALL


@pytest.mark.timeout(300)
async def test_who_comes_too_late_is_told_so(tmp_path: Path) -> None:
    """``session_not_found`` and 1008 at once, whichever way the socket was lost; and a resume
    token is good for nothing any more.
    """
    variables = {**CONVERSING, "ANTIPHON_RESUME_SECONDS": str(WINDOW_S)}
    async with launched(tmp_path, **variables) as server:
        told = await asyncio.gather(*(_late(server, number) for number in range(LATE_SESSIONS)))
    show("too late", told=str(set(told)))
    assert set(told) == {("session_not_found", 1008, "unauthorized", 1008)}


async def _late(server: Process, number: int) -> tuple[str, int | None, str, int | None]:
    """What a client is told that comes back after the window, by its key and by its token."""
    async with faulty(server.host, server.port) as proxy, calling(proxy.port, number) as caller:
        await caller.open()
        (proxy.link.reset, proxy.link.close)[number % 2]()
        await caller.until_lost()
        await asyncio.sleep(WINDOW_S + 0.3 + 0.05 * (number % 20))
        by_key = await _refusal(caller, KEY)
        return (*by_key, *await _refusal(caller, caller.resume_token))


async def _refusal(caller: Caller, credential: str) -> tuple[str, int | None]:
    """The code of the error, and of the close."""
    with pytest.raises(NotResumed) as refused:
        await caller.come_back(credential)
    return str(refused.value), await caller.until_lost()
