"""What a caller does, by chance: pieces of a script, each a few acts that belong together."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar, get_args

from simulation import plan as p
from simulation.words import NODS

Dice = random.Random
T = TypeVar("T")
Maker = Callable[[Dice], list[p.Act]]


def one_of(dice: Dice, weights: dict[T, float]) -> T:
    """One of several, by weight."""
    return dice.choices(list(weights), list(weights.values()))[0]


def script_of(dice: Dice, setting: p.Setting) -> tuple[p.Act, ...]:
    """About a minute."""
    makers = _TEXT_ACTS if setting.input_text else _VOICE_ACTS
    acts: list[p.Act] = []
    for _ in range(dice.randint(9, 19)):
        acts += one_of(dice, makers)(dice)
    return tuple(acts)


def _speak(dice: Dice) -> list[p.Act]:
    said = p.Say(dice.choice((1, 2, 3, 5, 8)), dice.choice((200, 500, 500, 1_000)))
    return [said, p.AwaitCalm(dice.choice((0.3, 3.0, 8.0)))]


def _speak_meanwhile(dice: Dice) -> list[p.Act]:
    """Speaks, perhaps over the agent, and does something else at the same time."""
    said = p.Say(dice.choice((1, 1, 2, 4)), 500, meanwhile=True)
    others = (p.Create("i3"), p.Cancel("newest"), p.Message("user"), p.Change("patience"))
    first = [p.BargeIn(0.2, 1)] if dice.random() < 0.3 else [p.Create(), p.Wait(0.8)]
    return [*first, said, p.Wait(round(dice.uniform(0.05, 1.0), 2)), dice.choice(others)]


def _hum(dice: Dice) -> list[p.Act]:
    """A long sound, now and then longer than any utterance may be."""
    return [p.Hum(one_of(dice, {0.4: 5, 1.4: 5, 3.0: 5, 66.0: 1})), p.Wait(2.0)]


def _hesitate(dice: Dice) -> list[p.Act]:
    """Pauses in the middle of what is said."""
    pause = dice.choice((100, 200, 300, 700))
    return [p.Say(2, pause), p.Say(dice.randint(1, 3), 600), p.AwaitCalm(6.0)]


def _interrupt(dice: Dice) -> list[p.Act]:
    return [
        p.Say(2, 500),
        p.BargeIn(round(dice.uniform(0, 1.0), 2), dice.choice((1, 2, 4, 6))),
        p.AwaitCalm(dice.choice((1.0, 6.0))),
    ]


def _nod(dice: Dice) -> list[p.Act]:
    return [p.Say(2, 600), p.Wait(round(dice.uniform(0.3, 1.2), 2)), p.Nod(dice.choice(NODS))]


def _create(dice: Dice) -> list[p.Act]:
    created = p.Create(dice.choice((None, "i1", "i2")))
    return [created, p.AwaitCalm(dice.choice((0.1, 1.0, 5.0)))]


def _cancel(dice: Dice) -> list[p.Act]:
    which = dice.choice(("newest", *get_args(p.Which)))
    return [p.Create(), p.Cancel(which, round(dice.uniform(0, 1.5), 2)), p.Wait(0.5)]


def _message(dice: Dice) -> list[p.Act]:
    role = dice.choice(get_args(p.Role))
    return [p.Message(role), *(_create(dice) if dice.random() < 0.5 else ())]


def _change(dice: Dice) -> list[p.Act]:
    return [p.Change(dice.choice(get_args(p.What)))]


def _nonsense(dice: Dice) -> list[p.Act]:
    return [p.Nonsense(dice.choice(get_args(p.Kind)))]


def _stall(dice: Dice) -> list[p.Act]:
    return [p.Create(), p.Stall(dice.choice((1.0, 5.0, 14.0)))]


_ANY_ACTS = {_create: 2, _cancel: 1, _message: 1.5, _change: 1, _nonsense: 0.5, _stall: 0.05}
_VOICE_ACTS = {
    _speak_meanwhile: 1.5,
    _hum: 0.15,
    _speak: 6,
    _hesitate: 2,
    _interrupt: 3,
    _nod: 1,
    **_ANY_ACTS,
}
_TEXT_ACTS = {_message: 3, **_ANY_ACTS}
