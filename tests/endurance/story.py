"""What a client was told over all the sockets of a session, and whether that can be."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]

PATIENCE_S = 30.0
"""How long something that must come may take on a machine that does other things too."""


class Story:
    """The events of a session in their order. What must not be is kept in ``faults``.

    ``told_last_seq`` is whether the client says on each resume which event it has: then nothing
    may come twice.
    """

    def __init__(self, *, told_last_seq: bool) -> None:
        self.events: list[Event] = []
        self.faults: list[str] = []
        self.last_seq = 0
        self.reply: str | None = None
        """The reply that is open."""
        self.news = asyncio.Condition()
        self._exact = told_last_seq
        self._replies: set[str] = set()

    async def add(self, event: Event) -> None:
        """One more event."""
        async with self.news:
            if self._is_new(event):
                self.events.append(event)
                self._follow(event)
            self.news.notify_all()

    async def nudge(self) -> None:
        """Something else changed that may be waited for."""
        async with self.news:
            self.news.notify_all()

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Waits until something holds. Raises ``AssertionError`` when it does not in time."""
        async with self.news:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self.news.wait_for(holds)
            except TimeoutError:
                told = [shortened(event) for event in self.events[-12:]]
                raise AssertionError(f"no {what}; the last events were {told}") from None

    def of(self, *kinds: str) -> list[Event]:
        """The events of these types."""
        return [event for event in self.events if event["type"] in kinds]

    @property
    def user_lines(self) -> list[tuple[str, str]]:
        """Item and text of what the user said."""
        return [(event["item_id"], event["text"]) for event in self.of("transcript.user")]

    @property
    def agent_lines(self) -> list[tuple[str, str]]:
        """Reply and text of what was heard of the agent."""
        return [(event["reply_id"], event["text"]) for event in self.of("transcript.agent")]

    def against(self, timeline: dict[str, Any]) -> list[str]:
        """How the session's timeline differs from what the client was told."""
        turns = timeline.get("turns", [])
        users = Counter(text for turn in turns if (text := turn.get("user_transcript")))
        agents = Counter((turn["turn_id"], turn["agent_text"]) for turn in turns
                         if turn.get("agent_text"))  # fmt: skip
        told_users = Counter(text for _, text in self.user_lines)
        told_agents = Counter(self.agent_lines)
        return [
            *(f"{text!r} of the user is in the timeline only" for text in users - told_users),
            *(f"{text!r} of the user is not in the timeline" for text in told_users - users),
            *(f"{line!r} of the agent is in the timeline only" for line in agents - told_agents),
            *(f"{line!r} of the agent is not in the timeline" for line in told_agents - agents),
        ]

    def _is_new(self, event: Event) -> bool:
        seq = event.get("seq")
        if seq is None:
            return True
        if seq <= self.last_seq:
            if self._exact:
                self.faults.append(f"event {seq} came twice: {shortened(event)}")
            return False
        if seq != self.last_seq + 1:
            self.faults.append(f"{self.last_seq} is followed by {seq}: {shortened(event)}")
        self.last_seq = seq
        return True

    def _follow(self, event: Event) -> None:
        match event["type"]:
            case "reply.started":
                if self.reply is not None or event["reply_id"] in self._replies:
                    self.faults.append(f"a reply starts while {self.reply} is open")
                self.reply = event["reply_id"]
                self._replies.add(event["reply_id"])
            case "reply.done":
                if event["reply_id"] != self.reply:
                    self.faults.append(f"{event['reply_id']} ends, and {self.reply} is open")
                self.reply = None
            case "reply.audio" | "transcript.agent" | "transcript.agent.delta" | "tool.call":
                if event.get("reply_id", self.reply) != self.reply or self.reply is None:
                    self.faults.append(f"outside of its reply: {shortened(event)}")


def shortened(event: Event) -> Event:
    """An event for a message, without sound and configuration."""
    left_out = {"data", "config", "timestamp"}
    return {name: value for name, value in event.items() if name not in left_out}
