"""What a model is told about its arguments."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon_server.arguments.check import Arguments
from antiphon_server.arguments.problems import LONGEST_SHOWN, path_text, shown


@pytest.mark.parametrize(
    ("schema", "value", "text"),
    [
        ({"type": "integer"}, "two", "'x' must be a whole number, not \"two\""),
        ({"type": ["string", "null"]}, 2, "'x' must be a text or null, not 2"),
        ({"type": "boolean"}, {"a": 1}, "'x' must be true or false"),
        ({"enum": ["a", 2]}, "b", "'x' must be one of \"a\", 2, not \"b\""),
        ({"const": "a"}, "b", "'x' must be \"a\", not \"b\""),
        ({"format": "date"}, "soon", "'x' must be a date such as 2026-03-01, not \"soon\""),
        (
            {"format": "tel"},
            "none",
            "'x' must be a telephone number such as +1 415 555 0100, not \"none\"",
        ),
        ({"pattern": r"\d+"}, "a", "'x' must as a whole match the pattern \\d+, not \"a\""),
        ({"minimum": 3}, 2, "'x' must be at least 3, not 2"),
        ({"exclusiveMaximum": 3}, 3, "'x' must be less than 3, not 3"),
        ({"multipleOf": 5}, 3, "'x' must be a multiple of 5, not 3"),
        ({"minLength": 3}, "a", "'x' must have at least 3 characters, not \"a\""),
        ({"maxItems": 1}, [1, 2], "'x' must have at most 1 items"),
        ({"uniqueItems": True}, [1, 1], "'x' must not have an item twice"),
        ({"required": ["y"]}, {}, "'x.y' is missing"),
        ({"additionalProperties": False}, {"y": 1}, "'x.y' is no argument of this tool"),
        ({"items": {"type": "string"}}, ["a", 1], "'x[1]' must be a text, not 1"),
        (
            {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "a",
            "'x' must be a whole number or must be null, not \"a\"",
        ),
        (False, 1, "'x' must have one of the forms that the tool describes, not 1"),
        ({"not": {"type": "string"}}, "a",
         "'x' must have one of the forms that the tool describes, not \"a\""),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, "'x' lacks a field that goes with another"),
    ],
)  # fmt: skip
def test_a_problem_says_what_would_be_right(schema: Any, value: Any, text: str) -> None:
    """In the words of a person, not of a library."""
    (problem,) = Arguments({"properties": {"x": schema}}).check({"x": value})
    assert problem.text == text


def test_a_problem_of_the_whole_has_no_path() -> None:
    """The sentence then begins with the arguments."""
    (problem,) = Arguments({"minProperties": 1}).check({})
    assert (problem.path, problem.text) == ("", "The arguments must have at least 1 fields")


def test_long_things_are_shown_in_part() -> None:
    """A value, a list of choices, a pattern, a path: a model reads all of it aloud in its head."""
    assert len(shown("a" * 500)) == LONGEST_SHOWN + 1
    assert shown({"a": [1, None]}) == '{"a":[1,null]}'
    (problem,) = Arguments({"properties": {"x": {"enum": [str(n) * 50 for n in range(99)]}}}).check(
        {"x": "a" * 999}
    )
    assert problem.message.count(",") == 21
    assert len(problem.message) < 2_000
    assert len(path_text(["a" * 999, 0, "b"])) == 2 * LONGEST_SHOWN
    assert path_text(["guests", 0, "name"]) == "guests[0].name"
