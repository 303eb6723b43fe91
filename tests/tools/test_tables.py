"""Markdown tables."""

from __future__ import annotations

from tables import table


def test_a_table_has_a_head_and_a_row_for_each() -> None:
    """Every row on a line of its own."""
    assert table(("A", "B"), [("1", "2"), ("3", "")]) == (
        "| A | B |\n| --- | --- |\n| 1 | 2 |\n| 3 | |\n"
    )


def test_a_bar_and_a_line_break_do_not_break_a_row() -> None:
    """Both would end a cell."""
    assert table(("A",), [("x | y\n  z",)]).splitlines()[2] == "| x \\| y z |"
