"""The contract of recognisers finds what is broken, and nothing where nothing is."""

import pytest

from providers.contract.verdicts import Case, Jury

HEARS = "test_hears_words_in_speech"
CLOSES = "test_ends_its_streams_when_it_closes"
CASES = [
    Case("Unflushed", HEARS, "waited for 2.5 s in vain"),
    Case("Doubled", "test_answers_each_flush_once_and_in_order", "[True, False, False]"),
    Case("Deaf", HEARS, "assert ''"),
    Case("Imagining", "test_hears_no_words_in_silence_or_nothing", "'Thank you.' == ''"),
    Case("Chattering", "test_gives_partials_only_where_they_are_wanted", "[False, True]"),
    Case("Blocking", HEARS, "the event loop stood still"),
    Case("Stubborn", "test_lets_go_where_it_waits", "it swallowed its cancellation"),
    Case("Endless", "test_ends_with_its_context", "waited for 2.5 s in vain"),
    Case("Leaking", CLOSES, "ConnectionResetError('104')"),
    Case("Picky", "test_takes_pieces_of_any_length", "ValueError: half a sample"),
    Case("Untidy", CLOSES, "still running after close"),
    Case("Talkative", "test_fails_with_a_typed_error_where_its_service_is_gone", "port 9"),
]
JURY = Jury("broken_recognisers", CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.twin}: {case.words}")
def test_each_fault_is_found(case: Case) -> None:
    """By the test that promises the opposite, and the reason is told."""
    JURY.finds(case)


def test_a_recogniser_that_keeps_its_promises_passes() -> None:
    """Whatever its neighbours do."""
    JURY.acquits()
