"""What nobody said is refused; what somebody may have said is not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon_server.arguments.evidence import Sources
from antiphon_server.arguments.grounding import MOST_PATHS, Extent, ungrounded
from server.arguments import grounding_cases, grounding_held_out
from server.arguments.grounding_cases import Case
from server.arguments.schema_strategies import ARGUMENTS, HOSTILE

KNOWN = [case for cases in grounding_cases.CASES.values() for case in cases]
HELD_OUT = [case for cases in grounding_held_out.CASES.values() for case in cases]


def refused(case: Case, extent: Extent = "identifiers") -> bool:
    """Whether the call would not be made."""
    turns = tuple(case.said.split("|")) if case.said else ()
    system = (case.system,) if case.system else ()
    schema = {"type": "object", "properties": {case.name: case.schema}}
    sources = Sources(turns, case.results, system)
    return bool(ungrounded({case.name: case.value}, schema, sources, extent))


def paths(
    arguments: dict[str, Any],
    schema: dict[str, Any] | None = None,
    extent: Extent = "identifiers",
    **sources: tuple[str, ...],
) -> tuple[str, ...]:
    """The refused ones of several values."""
    return ungrounded(arguments, schema or {}, Sources(**sources), extent)


@pytest.mark.parametrize("case", KNOWN, ids=lambda case: case.label)
def test_a_known_case_is_judged_right(case: Case) -> None:
    """The cases that the rules were made on."""
    assert refused(case) is not case.grounded


def test_of_unseen_cases_no_call_is_refused_wrongly_and_nine_of_ten_rightly() -> None:
    """The cases written after the rules: false refusals are the worse mistake."""
    wrongly = [case.label for case in HELD_OUT if case.grounded and refused(case)]
    missed = [case.label for case in HELD_OUT if not case.grounded and not refused(case)]
    assert wrongly == []
    assert len(missed) <= 0.1 * sum(not case.grounded for case in HELD_OUT)


def test_the_cases_are_many_and_of_both_kinds() -> None:
    """At least 150 to learn from and 75 unseen ones, a quarter of each made up."""
    for cases, least in ((KNOWN, 150), (HELD_OUT, 75)):
        assert len(cases) >= least
        assert sum(not case.grounded for case in cases) >= len(cases) / 4


def test_switched_off_nothing_is_refused() -> None:
    """Not even an empty text."""
    assert not any(refused(case, "off") for case in KNOWN)
    assert paths({"email": ""}, extent="off") == ()


def test_with_all_values_free_text_and_amounts_are_looked_at_too() -> None:
    """Half of the words, any related number."""
    turn = ("play jazz for ninety minutes, in two rooms",)
    right = {"query": "some jazz music", "seconds": 5400, "rooms": 2, "extra": 0, "half": 4}
    assert paths(right, extent="all", user_turns=turn) == ()
    wrong = {"query": "classical symphonies", "seconds": 777, "genre": "rock"}
    assert paths(wrong, extent="all", user_turns=turn) == ("query", "seconds", "genre")
    assert paths(wrong, user_turns=turn) == ()


def test_paths_lead_into_objects_and_lists() -> None:
    """As the checks of arguments name them; what the schema says holds there too."""
    arguments = {
        "guests": [{"name": "Ada"}, {"name": "Bob"}],
        "contact": {"email": "a@b.com", "kind": "home"},
        "codes": ["AB1234", "CD5678"],
    }
    schema = {
        "$defs": {"code": {"anyOf": [{"examples": ["CD5678"]}, {"type": "null"}]}},
        "properties": {"codes": {"items": {"$ref": "#/$defs/code"}}},
    }
    refused_paths = ("guests[1].name", "contact.email", "codes[0]")
    assert paths(arguments, schema, user_turns=("It's for Ada.",)) == refused_paths


def test_no_more_paths_are_told_than_can_be_asked_for() -> None:
    """Five."""
    assert len(paths({f"order_{n}_id": f"1{n}777{n}" for n in range(50)})) == MOST_PATHS


def test_in_other_scripts_only_empty_values_are_refused() -> None:
    """Number words and names of those languages are not known here."""
    turns = ("अपॉइंटमेंट चाहिए",)
    assert paths({"phone": "9876543210", "name": "Ravi Kumar"}, user_turns=turns) == ()
    assert paths({"phone": "", "name": " "}, user_turns=turns) == ("phone", "name")


def test_a_date_of_birth_is_no_coming_day() -> None:
    """``today`` does not say when somebody was born."""
    turns = ("I'd like to come today",)
    assert paths({"date": "2026-11-22", "birthDate": "1980-01-01"}, user_turns=turns) == (
        "birthDate",
    )


@given(st.text(max_size=60), st.integers(1000, 10**15))
def test_a_number_that_is_in_the_transcript_is_never_refused(around: str, number: int) -> None:
    """Wherever it stands."""
    turn = f"{around} {number} {around}"
    assert paths({"order_id": str(number)}, user_turns=(turn,)) == ()
    assert paths({"order_id": number}, tool_results=(f'{{"id": {number}}}',)) == ()


@settings(deadline=None)
@given(
    ARGUMENTS,
    HOSTILE,
    st.lists(st.text(max_size=40), max_size=3),
    st.sampled_from(["identifiers", "all"]),
)
def test_nothing_that_is_given_breaks_a_call(
    arguments: dict[str, Any], schema: dict[str, Any], turns: list[str], extent: Extent
) -> None:
    """Any schema, any arguments, any words."""
    found = ungrounded(arguments, schema, Sources(tuple(turns), tuple(turns)), extent)
    assert len(found) <= MOST_PATHS
