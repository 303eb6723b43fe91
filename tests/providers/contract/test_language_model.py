"""The contract of language models finds what is broken, and nothing where nothing is."""

import pytest

from providers.contract.verdicts import Case, Jury

SAYS = "test_says_something_and_tells_the_cost_last"
CLOSES = "test_ends_its_replies_when_it_closes"
CASES = [
    Case("Mute", SAYS, "assert ''"),
    Case("Prepaid", SAYS, "assert [0] in ([], [1])"),
    Case("Stalled", SAYS, "waited for 2.5 s in vain"),
    Case("Blocking", SAYS, "the event loop stood still"),
    Case("Blocking", SAYS, "threading.Event().wait(0.8)"),
    Case("Stubborn", "test_lets_go_where_it_waits", "it swallowed its cancellation"),
    Case("Single", "test_answers_many_at_once", "RuntimeError: busy"),
    Case("Choking", "test_answers_without_a_system_prompt_or_a_history", "IndexError"),
    Case("Deserted", CLOSES, "waited for 2.5 s in vain"),
    Case("Untidy", CLOSES, "still running after close"),
    Case("Talkative", "test_fails_with_a_typed_error_where_its_service_is_gone", "port 9"),
]
JURY = Jury("broken_language_models", CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.twin}: {case.words}")
def test_each_fault_is_found(case: Case) -> None:
    """By the test that promises the opposite, and the reason is told."""
    JURY.finds(case)


def test_a_model_that_keeps_its_promises_passes() -> None:
    """Whatever its neighbours do."""
    JURY.acquits()
