"""What callers are like: how often they interrupt, drop, use a tool, say nothing."""

from __future__ import annotations

from random import Random

from msgspec import Struct

from antiphon.clips import Clip


class Behaviour(Struct, frozen=True):
    """Probabilities from 0 to 1.

    ``barge_in`` and ``drop`` are asked once in each turn, ``tool`` and ``idle`` once in each
    call. An idle caller listens, silent, as long as another would talk. ``turns`` are the fewest
    and the most of a call; ``think_s`` the shortest and the longest pause before one.
    """

    barge_in: float = 0.1
    drop: float = 0.02
    tool: float = 0.1
    idle: float = 0.0
    turns: tuple[int, int] = (2, 6)
    think_s: tuple[float, float] = (0.3, 1.5)


class Part(Struct, frozen=True):
    """One turn: after ``think_s`` of silence ``clip`` is said; or, with ``over_s``, over the
    agent when it has been heard for so long. ``drops`` cuts the line during the answer.
    """

    clip: Clip
    think_s: float
    over_s: float | None = None
    drops: bool = False


class Role(Struct, frozen=True):
    """One call. Without parts it is silent for ``silent_s``."""

    offers_tool: bool
    parts: tuple[Part, ...]
    silent_s: float = 0.0


OVER_S = (0.3, 1.2)
"""When a person speaks over an answer: after its first words."""

TURN_S = 8.0
"""An ordinary turn with its answer, to say how long a silent call lasts."""


def role(behaviour: Behaviour, clips: list[Clip], random: Random) -> Role:
    """What one caller will do in one call; the same ``random`` gives the same."""
    count = random.randint(*behaviour.turns)
    offers = random.random() < behaviour.tool
    if random.random() < behaviour.idle:
        return Role(offers, (), count * TURN_S)
    parts = []
    for number in range(count):
        # The first turn answers a greeting; who interrupts needs something to interrupt.
        interrupts = number > 0 and random.random() < behaviour.barge_in
        parts.append(
            Part(
                random.choice(clips),
                random.uniform(*behaviour.think_s),
                random.uniform(*OVER_S) if interrupts else None,
                random.random() < behaviour.drop,
            )
        )
    return Role(offers, tuple(parts))
