"""A model that is refused knows why, and what to do."""

from __future__ import annotations

from antiphon_server.arguments.problems import Problem
from antiphon_server.arguments.refusals import ask_note, refusal_text

DATE = Problem("date", 'must be a date such as 2026-03-01, not "soon"', "format")


def test_each_fault_is_told() -> None:
    """What is wrong, and what nobody has said; nothing twice."""
    assert refusal_text([DATE], ["email", "phone"]) == (
        "The tool was not called. 'date' must be a date such as 2026-03-01, not \"soon\". "
        "Neither the caller nor a tool has given 'email' and 'phone'."
    )
    assert "Neither" not in refusal_text([DATE], ["date"])


def test_the_note_names_what_to_ask_for() -> None:
    """Each once; where nothing has a name, what is missing."""
    note = ask_note([DATE, Problem("email", "is missing", "required")], ["email"])
    assert "'email' and 'date'" in note
    assert "ask the caller" in note
    assert "what is missing" in ask_note([Problem("", "must not be nested", "depth")], [])
