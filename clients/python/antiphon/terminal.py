"""How Antiphon's commands write: quiet, aligned, the same on every screen.

Colour and moving lines only on a terminal, never in a pipe; ``NO_COLOR`` (no-color.org) and
``TERM=dumb`` are respected.
"""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Sequence
from typing import TextIO

_ESCAPES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}

INDENT = "  "
LABEL = 8
"""Columns of the label before a line of text."""

WIDEST = 100
"""Columns beyond which a line of prose is hard to read."""

BAR = 28
"""Columns of the longest bar."""


class Terminal:
    """One stream to write to."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.moves = out.isatty() and os.environ.get("TERM") != "dumb"
        self._colours = self.moves and not os.environ.get("NO_COLOR")
        self._live = False

    @property
    def width(self) -> int:
        """Columns to use."""
        return min(WIDEST, shutil.get_terminal_size((80, 24)).columns) if self.moves else 80

    def paint(self, text: str, colour: str) -> str:
        """The text in a colour, or as it is."""
        return f"\x1b[{_ESCAPES[colour]}m{text}\x1b[0m" if self._colours else text

    def line(self, text: str = "") -> None:
        """A line that stays; a moving one gives way to it."""
        self._out.write(("\r\x1b[K" if self._live else "") + text + "\n")
        self._out.flush()
        self._live = False

    def live(self, text: str) -> None:
        """A line that the next one replaces; written on terminals only."""
        if self.moves:
            self._out.write(f"\r\x1b[K{_cut(text, self.width - 1)}")
            self._out.flush()
            self._live = True

    def progress(self, text: str) -> None:
        """How far it has come: in place on a terminal, as plain lines elsewhere."""
        if self.moves:
            self.live(f"{INDENT}{text}")
        else:
            self.line(f"{INDENT}{text}")

    def heading(self, text: str, detail: str = "") -> None:
        """A title, with what is less important beside it."""
        self.line(
            f"{self.paint(text, 'bold')}{INDENT if detail else ''}{self.paint(detail, 'dim')}"
        )

    def said(self, who: str, text: str, colour: str) -> None:
        """What somebody said, wrapped beside their name."""
        margin = " " * (len(INDENT) + LABEL)
        lines = textwrap.wrap(text, self.width - len(margin)) or [""]
        self.line(f"{INDENT}{self.paint(who.ljust(LABEL), colour)}{lines[0]}")
        for more in lines[1:]:
            self.line(margin + more)

    def saying(self, who: str, text: str) -> None:
        """What somebody is saying: the end of it, in place."""
        room = self.width - len(INDENT) - LABEL - 2
        end = text if len(text) <= room else "…" + text[1 - room :]
        self.live(f"{INDENT}{who.ljust(LABEL)}{end}")

    def bars(self, rows: Sequence[tuple[str, float, str]], unit: str = "ms") -> None:
        """Numbers people compare, drawn to one scale: label, number, colour."""
        longest = max((number for _, number, _ in rows), default=0.0)
        labels = max((len(label) for label, _, _ in rows), default=0)
        for label, number, colour in rows:
            drawn = self.paint(bar(number, longest), colour)
            self.line(f"{INDENT}{label.ljust(labels)}  {figure(number):>7} {unit}  {drawn}")

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Columns: the first left-aligned, the others to the right."""
        widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
        self.line(self.paint(_row(head, widths), "dim"))
        for row in rows:
            self.line(_row(row, widths))


def figure(number: float) -> str:
    """A number with the precision that means something: tenths below ten."""
    return f"{number:,.1f}" if abs(number) < 10 else f"{number:,.0f}"  # noqa: PLR2004


def bar(number: float, longest: float, columns: int = BAR) -> str:
    """A bar as long as its share of the longest, to an eighth of a column."""
    eighths = round(columns * 8 * number / longest) if longest > 0 and number > 0 else 0
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (" ▏▎▍▌▋▊▉"[rest] if rest else "")


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = cells
    parts = [first.ljust(widths[0])]
    parts += [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
    return (INDENT + "  ".join(parts)).rstrip()


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"
