"""What was seen of a call, and which rules were broken."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, NamedTuple

MOST_BROKEN = 20
"""Of the rules that were broken; after so many more tell nothing new."""


class Seen(NamedTuple):
    """Something that happened, and when (virtual seconds)."""

    at: float
    who: str
    what: Any


class Watch:
    """The notebook of one call. ``seen`` leaves out audio, of which there is too much."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.seen: list[Seen] = []
        self.broken: list[str] = []
        self.counts: Counter[str] = Counter()

    @property
    def now(self) -> float:
        """Virtual seconds."""
        return self._loop.time()

    def note(self, who: str, what: Any) -> None:
        """Something happened."""
        self.seen.append(Seen(self.now, who, what))

    def count(self, what: str) -> None:
        """Something happened that a campaign should see at all."""
        self.counts[what] += 1

    def hold(self, is_so: object, rule: str, *details: Any) -> bool:
        """Whether a rule holds; that it does not is remembered."""
        if not is_so and len(self.broken) < MOST_BROKEN:
            told = f"{self.now:.3f} {rule}: {', '.join(map(str, details))}"
            self.broken.append(told)
            self.note("BROKEN", told)
        return bool(is_so)
