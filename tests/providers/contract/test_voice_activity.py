"""The contract of voice activities finds what is broken, and nothing where nothing is."""

import pytest

from providers.contract.verdicts import Case, Jury

HEARS = "test_hears_speech_in_speech_and_none_in_silence"
CASES = [
    Case("Deaf", HEARS, "0.5 < 0.1"),
    Case("Percent", HEARS, "assert False"),
    Case("Lossy", HEARS, "waited for 2.5 s in vain"),
    Case("Deathless", "test_is_silent_once_closed", "== 62"),
    Case("Mingling", "test_hears_each_call_by_itself", "approx"),
    Case("Blocking", HEARS, "the event loop stood still"),
]
JURY = Jury("broken_voice_activities", CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.twin}: {case.words}")
def test_each_fault_is_found(case: Case) -> None:
    """By the test that promises the opposite, and the reason is told."""
    JURY.finds(case)


def test_a_voice_activity_that_keeps_its_promises_passes() -> None:
    """Whatever its neighbours do."""
    JURY.acquits()
