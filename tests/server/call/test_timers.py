"""Timers run once, by name, and say how late they were."""

from __future__ import annotations

import asyncio

from antiphon_server.call.timers import Timers
from virtual_time import in_virtual_time


class Bell:
    """Timers on the virtual clock, and what they said."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, float, float]] = []
        self.now = asyncio.get_running_loop().time
        self.began = self.now()
        self.timers = Timers(self.now, self._ring)

    def _ring(self, name: str, late: float) -> None:
        self.rung.append((name, round(self.now() - self.began, 6), round(late, 6)))


@in_virtual_time
async def test_a_timer_rings_once_when_its_time_has_passed() -> None:
    """With its name, on time."""
    bell = Bell()
    bell.timers.start("silence", 250)
    await asyncio.sleep(1)
    assert bell.rung == [("silence", 0.25, 0.0)]


@in_virtual_time
async def test_a_timer_started_again_replaces_the_first() -> None:
    """The later wait is the one that was asked for."""
    bell = Bell()
    bell.timers.start("silence", 250)
    bell.timers.start("silence", 800)
    await asyncio.sleep(1)
    assert bell.rung == [("silence", 0.8, 0.0)]


@in_virtual_time
async def test_a_stopped_timer_says_nothing() -> None:
    """Neither alone nor with all others; stopping one that does not run is harmless."""
    bell = Bell()
    for name in ("silence", "words", "reply"):
        bell.timers.start(name, 100)
    bell.timers.stop("silence")
    bell.timers.stop("silence")
    bell.timers.stop_all()
    await asyncio.sleep(1)
    assert bell.rung == []


@in_virtual_time
async def test_a_timer_may_be_started_again_when_it_rings() -> None:
    """The conversation re-arms its deadlines from within."""
    bell = Bell()

    def ring_again(name: str, late: float) -> None:
        bell._ring(name, late)
        if len(bell.rung) < 3:
            bell.timers.start(name, 100)

    bell.timers = Timers(bell.now, ring_again)
    bell.timers.start("silence", 100)
    await asyncio.sleep(1)
    assert [when for _, when, _ in bell.rung] == [0.1, 0.2, 0.3]


@in_virtual_time
async def test_a_late_timer_says_by_how_much() -> None:
    """The clock may be ahead of the loop: that lateness is the server's own."""
    bell = Bell()
    ahead = [0.0]
    bell.timers = Timers(lambda: bell.now() + ahead[0], bell._ring)
    bell.timers.start("silence", 100)
    ahead[0] = 0.02
    await asyncio.sleep(1)
    assert bell.rung == [("silence", 0.1, 0.02)]
