"""What was promised, and whether it was kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from antiphon.terminal import Terminal, figure


class Objective(Struct, frozen=True):
    """A number that must not exceed its limit; one that was not measured is missed."""

    name: str
    limit: float
    measured: float | None
    unit: str = "ms"

    @property
    def met(self) -> bool:
        """Whether it was kept."""
        return self.measured is not None and self.measured <= self.limit


def stated(
    name: str, limit: float | None, measured: float | None, unit: str = "ms"
) -> list[Objective]:
    """The objective, where a limit was stated."""
    return [] if limit is None else [Objective(name, limit, measured, unit)]


def show(terminal: Terminal, objectives: Sequence[Objective]) -> None:
    """One line for each."""
    for one in objectives:
        mark = terminal.paint("met   ", "green") if one.met else terminal.paint("missed", "red")
        measured = "not measured" if one.measured is None else _amount(one.measured, one.unit)
        terminal.line(f"  {mark}  {one.name}: {measured}, at most {_amount(one.limit, one.unit)}")


def _amount(number: float, unit: str) -> str:
    shown = str(int(number)) if number == int(number) else figure(number)
    return f"{shown} {unit}".rstrip()


def as_json(objectives: Sequence[Objective]) -> list[dict[str, Any]]:
    """The objectives as plain data."""
    return [
        {"name": one.name, "limit": one.limit, "measured": one.measured, "met": one.met}
        for one in objectives
    ]


def exit_code(objectives: Sequence[Objective]) -> int:
    """0 where all were met."""
    return 0 if all(one.met for one in objectives) else 1
