"""The contract of models that hear and speak finds what is broken, and nothing where nothing is."""

import pytest

from providers.contract.verdicts import Case, Jury

ANSWERS = "test_answers_what_it_heard_in_words_and_sound"
ONE = "test_a_reply_is_one_sentence_that_ends_once"
CLOSES = "test_ends_its_conversations_when_it_closes"
STOPS = "test_stops_when_the_iteration_is_cancelled"
CASES = [
    Case("Deaf", "test_hears_words_in_speech", "assert ''"),
    Case("Wordless", ANSWERS, "assert ''"),
    Case("Soundless", ANSWERS, "> 100"),
    Case("Greedy", ANSWERS, "in ([]"),
    Case("Endless", ONE, "[True]"),
    Case("Counting", ONE, "{1} == {0}"),
    Case("Halved", ONE, "% 2"),
    Case("Hasty", "test_times_its_words_within_its_sound_or_not_at_all", "'word'"),
    Case("Hard", "test_answers_what_it_never_heard", "I know nothing of tools"),
    Case("Stubborn", STOPS, "it swallowed its cancellation"),
    Case("Sulking", STOPS, "assert ''"),
    Case("Blocking", ANSWERS, "the event loop stood still"),
    Case("Absent", "test_hears_while_it_speaks", "assert ''"),
    Case("Leaking", CLOSES, "ConnectionResetError('104')"),
    Case("Untidy", CLOSES, "still running after close"),
    Case("Talkative", "test_fails_with_a_typed_error_where_its_service_is_gone", "port 9"),
]
JURY = Jury("broken_conversations", CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.twin}: {case.words}")
def test_each_fault_is_found(case: Case) -> None:
    """By the test that promises the opposite, and the reason is told."""
    JURY.finds(case)


def test_a_model_that_keeps_its_promises_passes() -> None:
    """Whatever its neighbours do."""
    JURY.acquits()
