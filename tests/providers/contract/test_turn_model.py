"""The contract of turn models finds what is broken, and nothing where nothing is."""

import pytest

from providers.contract.verdicts import Case, Jury

ANSWERS = "test_answers_with_a_probability_whatever_it_hears"
CASES = [
    Case("Percent", ANSWERS, "99.0 <= 1"),
    Case("Choking", ANSWERS, "ZeroDivisionError"),
    Case("Blocking", "test_answers_many_at_once", "the event loop stood still"),
    Case("Stubborn", "test_forgets_a_question_that_is_cancelled", "swallowed its cancellation"),
    Case("Single", "test_answers_many_at_once", "RuntimeError: busy"),
]
JURY = Jury("broken_turn_models", CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.twin}: {case.words}")
def test_each_fault_is_found(case: Case) -> None:
    """By the test that promises the opposite, and the reason is told."""
    JURY.finds(case)


def test_a_turn_model_that_keeps_its_promises_passes() -> None:
    """Whatever its neighbours do."""
    JURY.acquits()
