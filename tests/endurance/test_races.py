"""Many sockets want one session: one of them gets it."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

import httpx
import pytest

from endurance.caller import Caller, calling
from endurance.counts import count
from endurance.drops import timeline_of
from endurance.figures import show
from endurance.processes import KEY, Process

SESSIONS = count(6, 50, 200)
RACERS = 10
AT_ONCE = 10
NUMBERS_FROM = 150
TERMINAL = {"session_forbidden", "unauthorized"}
"""What a client is told that must not try again: it lost, or its token was used before."""


class Race:
    """One session, and the sockets that wanted it at the same moment."""

    def __init__(self, racers: list[Caller]) -> None:
        self.racers = racers

    @property
    def owners(self) -> list[Caller]:
        """Those that still have a socket."""
        return [racer for racer in self.racers if racer.is_connected]

    @property
    def told(self) -> Counter[tuple[str, int | None]]:
        """What the others were told: the code of the last error and of the close."""
        losers = [racer for racer in self.racers if not racer.is_connected]
        return Counter((racer.refusal, racer.close_code) for racer in losers)

    async def decided(self) -> None:
        """Returns when all but one are gone."""
        leaving = {asyncio.create_task(racer.until_lost()) for racer in self.racers}
        try:
            there = leaving
            while len(there) > 1:
                _, there = await asyncio.wait(there, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in leaving:
                waiting.cancel()
            await asyncio.gather(*leaving, return_exceptions=True)


async def race(port: int, stack: AsyncExitStack, number: int, *, by_token: bool) -> Race:
    """A session that lost its socket; ten sockets, all of them open, ask for it at once."""
    first = await stack.enter_async_context(calling(port, number))
    await first.open(greeting="")
    await first.leave()
    racers = [await stack.enter_async_context(calling(port, number)) for _ in range(RACERS)]
    credential = first.resume_token if by_token else KEY
    await asyncio.gather(*(racer.connect(credential) for racer in racers))
    for racer in racers:
        racer.session_id = first.session_id
    await asyncio.gather(*(racer.ask_to_resume() for racer in racers))
    run = Race(racers)
    await run.decided()
    return run


@pytest.mark.timeout(600)
@pytest.mark.parametrize("by_token", [False, True], ids=["by API key", "by resume token"])
async def test_of_ten_that_resume_at_once_one_owns_the_session(
    server: Process, rest: httpx.AsyncClient, by_token: bool
) -> None:
    """The others are told terminally, and what they send does nothing: one question gets one
    answer, over one socket, and the timeline has one reply.
    """
    room = asyncio.Semaphore(AT_ONCE)
    told: Counter[tuple[str, int | None]] = Counter()

    async def one(number: int) -> None:
        async with room, AsyncExitStack() as stack:
            run = await race(server.port, stack, NUMBERS_FROM + number % 80, by_token=by_token)
            assert len(run.owners) == 1, run.told
            told.update(run.told)
            await _converse(run, rest)

    await asyncio.gather(*(one(number) for number in range(SESSIONS)))
    show("told to the others", **{f"{code} {close}": str(n) for (code, close), n in told.items()})
    assert told.total() == SESSIONS * (RACERS - 1)
    assert all(code in TERMINAL and close == 1008 for code, close in told)
    assert by_token or {code for code, _ in told} == {"session_forbidden"}


async def _converse(run: Race, rest: httpx.AsyncClient) -> None:
    """All of them ask; only the owner can have an answer."""
    (owner,) = run.owners
    before = {racer: len(racer.story.events) for racer in run.racers}
    await asyncio.gather(*(racer.send("reply.create") for racer in run.racers))
    await owner.story.until(lambda: bool(owner.story.of("reply.done")), "reply.done")
    await owner.end()
    others = [racer for racer in run.racers if racer is not owner]
    assert all(len(racer.story.events) == before[racer] for racer in others)
    assert [event["seq"] for event in owner.story.of("reply.started", "reply.done")] == [1, 3]
    timeline = await timeline_of(rest, owner.session_id)
    assert len(timeline["turns"]) == 1
    assert owner.story.against(timeline) == owner.story.faults == []
