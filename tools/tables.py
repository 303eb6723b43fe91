"""Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table that ends with a newline; bars and line breaks in cells are escaped."""
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *(map(_cell, row) for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n".replace("  |", " |") for cells in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
