"""Results of tools as sentences."""

from __future__ import annotations

import pytest

from antiphon_providers.interfaces import Message
from antiphon_providers.local.dialogue.results import LONGEST_SPEECH, spoken_result, spoken_results


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("Your table is booked.", "Your table is booked."),
        ('"quoted text"', "Quoted text."),
        ('{"temperature": 21.50, "conditions": "sunny"}',
         "The temperature is 21.5 and conditions are sunny."),
        ('{"ok": true}', "That's done."),
        ('{"ok": true, "reference": "B1"}', "That's done. The reference is B1."),
        ('{"message": "All is well"}', "All is well."),
        ('{"available": false, "next_slot": "2026-11-27"}',
         "Available: no. The next slot is November 27th."),
        ('["red", "green", "blue"]', "Red, green and blue."),
        ("[1,2,3,4,5,6,7]", "1, 2, 3, 4, 5 and 2 more."),
        ('[{"name": "Ada", "age": 36}, {"name": "Bo", "age": 4}]', "Ada, age is 36; Bo, age is 4."),
        ('{"error": "order_not_found"}', "I'm sorry, that didn't work: order not found."),
        ('{"success": false, "error": {"message": "No seats left."}}',
         "I'm sorry, that didn't work: No seats left."),
        ("[]", "There is nothing there."),
        ("[[]]", "There is nothing there."),
        ("{}", "That's done."),
        ("", "That's done."),
        ("...", "That's done."),
        ("null", "That's done."),
        ("42", "The answer is 42."),
        ("**Bold** see https://example.com/x?y=1", "Bold see a link."),
        ('{"cut": "off', '{"cut": "off.'),
    ],
)  # fmt: skip
def test_a_result_is_said_as_a_sentence(content: str, said: str) -> None:
    """Text as it is, JSON in words."""
    assert spoken_result(content) == said


def test_long_and_deep_results_are_cut() -> None:
    """Nobody listens to a page, and nesting is not followed for ever."""
    assert len(spoken_result("many words " * 5_000)) <= LONGEST_SPEECH + 1
    assert spoken_result("[" * 4_000 + "]" * 4_000)
    deep = '{"a": {"b": {"c": {"d": {"e": 1}}}}}'
    assert "some details" in spoken_result(deep)


def test_failures_are_told_with_their_reason_or_an_offer() -> None:
    """An error without words asks how to go on."""
    plain = Message(role="tool", content="timeout", is_error=True)
    silent = Message(role="tool", content="", is_error=True)
    assert spoken_results([plain]) == "I'm sorry, that didn't work: timeout."
    assert spoken_results([silent]).endswith("something else?")
