"""Calls of the Python SDK that lose their socket, and come back by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
from msgspec import Struct, field

import antiphon
from antiphon_providers.scripted.tones import tone_of
from endurance.caller import GREETING, PAUSE_MS, RATE, VOICE_MS
from endurance.counts import count
from endurance.drops import timeline_of
from endurance.fault_proxy import FaultProxy, Link, faulty
from endurance.processes import KEY, Process
from endurance.story import PATIENCE_S, Story

DROPS_A_CALL = 3
AT_ONCE = 20
NUMBERS_FROM = 2000
"""The numbers of the voices, far from those of other callers of the same server."""
LOSSES: tuple[Callable[[Link], None], ...] = (
    Link.reset,
    Link.close,
    lambda link: link.cut(up=3, down=3),
    Link.freeze,
)


class SdkTally(Struct):
    """What came of all drops."""

    drops: int = 0
    resumed: int = 0
    faults: list[str] = field(default_factory=list)
    away_s: list[float] = field(default_factory=list)
    """From the loss, as the client noticed it, to the resumed session."""


def look_up() -> str:
    """Looks something up."""
    return "found"


class SdkCaller:
    """Somebody who uses the SDK, and writes down what it says."""

    def __init__(self, call: antiphon.Call, proxy: FaultProxy, number: int) -> None:
        self.call = call
        self.proxy = proxy
        self.number = number
        self.events: list[antiphon.Event] = []
        self._news = asyncio.Condition()

    async def listen(self) -> None:
        """Writes down what happens, to the end of the session."""
        async for event in self.call:
            async with self._news:
                self.events.append(event)
                self._news.notify_all()

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Waits until something holds. Raises ``AssertionError``."""
        async with self._news:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._news.wait_for(holds)
            except TimeoutError:
                last = [type(event).__name__ for event in self.events[-12:]]
                raise AssertionError(f"no {what}; the last events were {last}") from None

    async def begin_turn(self) -> None:
        """Says the words of the next turn, and waits until they come back."""
        self.number += 1
        await self.call.send_audio(tone_of(self.number, VOICE_MS, RATE))
        await self.call.send_audio(bytes(PAUSE_MS * RATE // 1000 * 2))
        await self.until(lambda: self._place() is not None, f"'caller {self.number}'")

    async def end_turn(self) -> None:
        """Waits until the answer was heard out."""
        await self.until(self._is_answered, f"answer to 'caller {self.number}'")

    def _place(self) -> int | None:
        words = f"caller {self.number}"
        places = [
            place
            for place, event in enumerate(self.events)
            if isinstance(event, antiphon.UserTranscript) and event.text == words
        ]
        return places[0] if places else None

    def _is_answered(self) -> bool:
        place = self._place()
        after = [] if place is None else self.events[place:]
        said = [event for event in after if isinstance(event, antiphon.AgentTranscript)]
        over = [event for event in after if isinstance(event, antiphon.ReplyDone)]
        return bool(said) and any(event.reply_id == said[-1].reply_id for event in over)

    def story(self) -> Story:
        """The lines that were told, each as often as it was."""
        story = Story(told_last_seq=True)
        for event in self.events:
            if isinstance(event, antiphon.UserTranscript):
                told = {"type": "transcript.user", "item_id": event.item_id, "text": event.text}
                story.events.append(told)
            elif isinstance(event, antiphon.AgentTranscript):
                told = {"type": "transcript.agent", "reply_id": event.reply_id, "text": event.text}
                story.events.append(told)
        return story


async def endure(server: Process, rest: httpx.AsyncClient, calls: int) -> SdkTally:
    """Runs all calls, some at once."""
    tally = SdkTally()
    room = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with room, faulty(server.host, server.port) as proxy:
            try:
                await _one(proxy, rest, number, tally)
            except (antiphon.AntiphonError, AssertionError) as failure:
                tally.faults.append(f"call {number}: {failure!r}")

    await asyncio.gather(*(one(number) for number in range(calls)))
    return tally


async def _one(proxy: FaultProxy, rest: httpx.AsyncClient, number: int, tally: SdkTally) -> None:
    address = f"ws://127.0.0.1:{proxy.port}"
    patience = antiphon.TurnDetection(min_silence=100, max_silence=400)
    async with antiphon.connect(
        address, KEY, tools=[look_up], greeting=GREETING, turn_detection=patience
    ) as call:
        caller = SdkCaller(call, proxy, NUMBERS_FROM + 16 * number)
        listening = asyncio.create_task(caller.listen())
        try:
            # A line that goes dead without a word is noticed after 16 s: not in every run.
            losses = LOSSES[: count(3, 4, 4)]
            for drop in range(DROPS_A_CALL):
                await _drop(caller, losses[(number + drop) % len(losses)], tally)
            await caller.call.end()
            await listening
        finally:
            listening.cancel()
    timeline = await timeline_of(rest, call.session_id)
    tally.faults += [f"call {number}: {line}" for line in caller.story().against(timeline)]


async def _drop(caller: SdkCaller, lose: Callable[[Link], None], tally: SdkTally) -> None:
    """A turn whose answer is interrupted by the network, and one after that."""
    before = caller.call.resumes
    await caller.begin_turn()
    tally.drops += 1
    lose(caller.proxy.link)
    await caller.until(lambda: caller.call.resumes > before, "resumed session")
    tally.resumed += 1
    resumed = [event for event in caller.events if isinstance(event, antiphon.Resumed)]
    tally.away_s.append(resumed[-1].away_s)
    await caller.begin_turn()
    await caller.end_turn()
