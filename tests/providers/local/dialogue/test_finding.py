"""Values given along with a request."""

from __future__ import annotations

from datetime import date

from antiphon_providers.interfaces import ToolSpec
from antiphon_providers.local.dialogue.fields import form_of
from antiphon_providers.local.dialogue.finding import found
from antiphon_providers.local.dialogue.memory import memory_of
from providers.local.dialogue.talking import BOOK, LIGHT, PIZZA, SEARCH, WEATHER

TODAY = date(2026, 11, 22)


def values(tool: ToolSpec, text: str, *before: str) -> dict[str, object]:
    """The found values by the name of their field."""
    all_found = found(form_of(tool).fields, text, TODAY, memory_of(before))
    return {path[-1]: value for path, value in all_found.items()}


def test_one_sentence_fills_many_fields() -> None:
    """Dates and times are claimed before numbers are, so each goes where it belongs."""
    said = "book a table for four tomorrow at seven under the name Sam"
    assert values(BOOK, said) == {
        "people": 4, "date": "2026-11-23", "time": "19:00", "name": "Sam",
    }  # fmt: skip


def test_what_was_not_said_is_not_found() -> None:
    """No default and no guess takes the place of the caller's word."""
    assert values(BOOK, "book a table") == {}
    assert values(BOOK, "") == {}
    assert values(LIGHT, "switch the lights") == {}


def test_places_are_found_after_their_prepositions() -> None:
    """With capitals or without, but never a day of the week."""
    assert values(WEATHER, "what is the weather in San Francisco on Monday") == {
        "city": "San Francisco"
    }
    assert values(WEATHER, "weather in new york tomorrow") == {"city": "new york"}
    assert values(WEATHER, "how is the weather on Monday") == {}


def test_choices_switches_lists_and_queries_are_found_by_their_words() -> None:
    """Each kind of value has its own cues."""
    assert values(LIGHT, "turn off the kitchen light") == {"room": "kitchen", "on": False}
    assert values(PIZZA, "a large pizza with ham and cheese")["toppings"] == ["cheese", "ham"]
    assert values(SEARCH, "search for blue shoes") == {"query": "blue shoes"}


def test_names_and_facts_told_before_are_used() -> None:
    """An earlier user turn is as good as this one."""
    assert values(BOOK, "book a table", "my name is Maria")["name"] == "Maria"
    mail = "my email is sam at example dot com"
    assert values(PIZZA, "a pizza", mail)["email"] == "sam@example.com"


def test_a_value_against_the_schema_is_not_found() -> None:
    """Fifty people do not fit; they will be asked for."""
    assert "people" not in values(BOOK, "a table for fifty people")
