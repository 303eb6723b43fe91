"""Sessions that lose their socket again and again, in every way and at every moment."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, NamedTuple

import httpx
from msgspec import Struct, field

from endurance.caller import VOICE_MS, Caller, NotResumed, calling
from endurance.counts import size
from endurance.fault_proxy import FaultProxy, faulty
from endurance.processes import KEY, Process

KINDS = ("reset", "close", "half-open", "mid-frame")
MOMENTS = ("idle", "speaking", "words", "reply", "tool", "result", "resume")
"""When a socket is lost, besides in the greeting, which only a session's first drop can be in."""

DROPS_A_SESSION = 5
AT_ONCE = 40
LONGEST_S = 28.0
DELAYS_S = (0.0, 0.0, 0.01, 0.05)
"""By how much each chunk is late, on the sockets of a session."""
UNCUT = 1_000_000
CUT_BYTES = 3
"""In the middle of the header of a WebSocket frame; longer cuts are in the middle of JSON."""


class Drop(NamedTuple):
    """One loss of a socket."""

    kind: str
    moment: str
    away_s: float
    """How long until the client comes back."""
    by_token: bool
    """Whether it comes back by its resume token, or by its API key."""


class Tally(Struct):
    """What came of all drops."""

    resumed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """By kind and moment."""
    failed: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    ready_ms: list[float] = field(default_factory=list)
    """From the first packet to ``session.ready``, where the network adds nothing."""

    @property
    def share(self) -> float:
        """How many of all were resumed, of 1."""
        return self.resumed.total() / (self.resumed.total() + len(self.failed))


def drops_of(session: int) -> Iterator[Drop]:
    """What one session goes through; the same each time."""
    chance = random.Random(session)  # noqa: S311 (no secret)
    for number in range(DROPS_A_SESSION):
        greets = number == 0 and session % 2 == 0
        kind = KINDS[(session + number) % len(KINDS)]
        moment = "greeting" if greets else chance.choice(MOMENTS)
        yield Drop(kind, moment, _away_s(chance), chance.random() < 0.5)


def _away_s(chance: random.Random) -> float:
    """Mostly short; now and then, where there is time, nearly as long as the server waits."""
    luck = chance.random() if size() != "small" else 0.0
    if luck < 0.9:
        return chance.uniform(0, 0.3)
    return chance.uniform(0, 3) if luck < 0.98 else chance.uniform(10, LONGEST_S)


class Ordeal:
    """One session and its drops."""

    def __init__(
        self, caller: Caller, proxy: FaultProxy, tally: Tally, chance: random.Random
    ) -> None:
        self._caller = caller
        self._proxy = proxy
        self._tally = tally
        self._chance = chance
        self._leads: dict[str, Callable[[], Awaitable[None]]] = {
            "greeting": self._to_greeting,
            "idle": self._to_rest,
            "speaking": self._to_speaking,
            "words": self._to_words,
            "reply": self._to_reply,
            "tool": self._to_tool,
            "result": self._to_result,
            "resume": self._to_resume,
        }

    async def undergo(self, drop: Drop) -> None:
        """Leads the call to the moment, loses the socket, comes back, and ends the turn.

        Raises ``NotResumed``.
        """
        caller = self._caller
        caller.begin_turn()
        await self._leads[drop.moment]()
        await self._lose(drop.kind)
        await asyncio.sleep(drop.away_s)
        took = await caller.come_back(caller.resume_token if drop.by_token else KEY)
        if not self._proxy.delay_s:
            self._tally.ready_ms.append(1000 * took)
        self._tally.resumed[drop.kind, drop.moment] += 1
        await self._settle(drop.moment)

    # --- the moments ---------------------------------------------------------------------

    async def _to_greeting(self) -> None:
        await self._caller.until_noticed("reply.audio")

    async def _to_rest(self) -> None:
        await self._caller.until_greeted()

    async def _to_speaking(self) -> None:
        await self._to_rest()
        await self._caller.speak(VOICE_MS - 100)
        # Sound may be lost with the socket; what the server has noticed may not.
        await self._caller.until_noticed("input.speech.started")

    async def _to_words(self) -> None:
        await self._to_rest()
        await self._caller.speak()
        await self._caller.until_noticed("transcript.user.delta")
        await self._caller.pause()

    async def _to_reply(self) -> None:
        await self._to_words()
        await self._caller.until_noticed("reply.audio")

    async def _to_tool(self) -> None:
        self._caller.holds_results = True
        await self._to_words()
        await self._caller.until_called()

    async def _to_result(self) -> None:
        await self._to_tool()
        for call in self._caller.open_calls:
            await self._caller.give_result(call)

    async def _to_resume(self) -> None:
        """One socket is lost already, and the next will be while it is resumed on."""
        await self._to_rest()
        await self._caller.connect(self._caller.resume_token)
        # The resume is taken, and its answer is cut off; or nobody knows how far it went.
        self._proxy.link.cut(up=UNCUT, down=self._chance.choice((CUT_BYTES, 100, UNCUT)))
        await self._caller.ask_to_resume()
        await asyncio.sleep(self._chance.choice((0, 0.01, 0.1)))

    # --- the drop, and after it ----------------------------------------------------------

    async def _lose(self, kind: str) -> None:
        caller, link = self._caller, self._proxy.link
        if kind == "reset":
            link.reset()
        elif kind == "close":
            link.close()
        elif kind == "half-open":
            # The client has noticed and is back before the server has: a takeover.
            link.freeze()
            await caller.leave()
        else:
            longer = self._chance.choice((0, 40, 400))
            link.cut(up=CUT_BYTES + longer, down=CUT_BYTES + longer)
            await caller.pause()
        await caller.until_lost()

    async def _settle(self, moment: str) -> None:
        """What was begun is ended, so that nothing that must come may fail to."""
        caller = self._caller
        caller.holds_results = False
        for call in caller.open_calls:
            await caller.give_result(call)
        if moment in {"greeting", "idle", "resume"}:
            await caller.until_greeted()
            return
        await caller.pause()
        await caller.until_heard()
        if moment == "reply":
            # One of which little was heard is not begun again by itself.
            await caller.send("reply.create")
        await caller.until_answered()


async def endure(server: Process, rest: httpx.AsyncClient, sessions: int) -> Tally:
    """Runs all sessions, some at once."""
    tally = Tally()
    room = asyncio.Semaphore(AT_ONCE)

    async def one(session: int) -> None:
        async with room, faulty(server.host, server.port) as proxy:
            proxy.delay_s = DELAYS_S[session % len(DELAYS_S)]
            await _one(proxy, rest, session, tally)

    await asyncio.gather(*(one(session) for session in range(sessions)))
    return tally


async def _one(proxy: FaultProxy, rest: httpx.AsyncClient, session: int, tally: Tally) -> None:
    chance = random.Random(-session)  # noqa: S311 (no secret)
    async with calling(proxy.port, session, tells_last_seq=session % 4 != 3) as caller:
        await caller.open()
        for drop in drops_of(session):
            try:
                await Ordeal(caller, proxy, tally, chance).undergo(drop)
            except (NotResumed, AssertionError) as failure:
                tally.failed.append(f"session {session}, {drop}: {failure}")
                return
        await caller.end()
        lines = caller.story.against(await timeline_of(rest, caller.session_id))
        tally.faults += [f"session {session}: {line}" for line in caller.story.faults + lines]


async def timeline_of(rest: httpx.AsyncClient, session_id: str) -> dict[str, Any]:
    """What the server keeps of a session that has ended."""
    answer = (await rest.get(f"/v1/sessions/{session_id}")).json()
    links = [one["url"] for one in answer["artifacts"] if one["type"] == "timeline"]
    assert links, answer
    timeline: dict[str, Any] = (await rest.get(links[0])).json()
    return timeline
