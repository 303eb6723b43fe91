"""The search for the highest load that holds: doubling, then halving what is left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct

CLOSE = 0.05
"""The answer is known when the two ends are within so much of it: runs differ by more."""


class Bracket(Struct, frozen=True):
    """What is known: ``holds`` callers are carried (0: not even the first try), ``fails`` are
    not (None: nothing failed up to the most that may be tried).
    """

    holds: int
    fails: int | None
    most: int
    growth: float = 2.0

    def next(self, first: int) -> int | None:
        """The next load to try; None when the answer is known."""
        if self.fails is None:
            if self.holds >= self.most:
                return None
            grown = max(self.holds + 1, round(self.holds * self.growth)) if self.holds else first
            return min(self.most, grown)
        if self.fails - self.holds <= max(1, int(CLOSE * self.holds)):
            return None
        return (self.holds + self.fails) // 2

    def learned(self, load: int, held: bool) -> Bracket:
        """What is known after a try."""
        if held:
            return Bracket(max(self.holds, load), self.fails, self.most, self.growth)
        fails = load if self.fails is None else min(self.fails, load)
        return Bracket(min(self.holds, fails - 1), fails, self.most, self.growth)


async def search(
    first: int, most: int, holds: Callable[[int], Awaitable[bool]]
) -> tuple[int, Bracket]:
    """Tries loads from ``first`` to at most ``most``; returns the highest that held and what is
    known. ``holds`` runs one.
    """
    bracket = Bracket(0, None, most)
    while (load := bracket.next(min(first, most))) is not None:
        bracket = bracket.learned(load, await holds(load))
    return bracket.holds, bracket
