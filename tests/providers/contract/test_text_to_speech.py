"""The contract of voices finds what is broken, and nothing where nothing is."""

import pytest

from providers.contract.verdicts import Case, Jury

SPEAKS = "test_speaks_every_sentence_in_order_and_ends_it_once"
CLOSES = "test_ends_its_speech_when_it_closes"
CASES = [
    Case("TwiceEnded", SPEAKS, "[0, 0, 1, 1, 2, 2] == [0, 1, 2]"),
    Case("Unended", SPEAKS, "[] == [0, 1, 2]"),
    Case("Halved", "test_gives_whole_samples", "assert False"),
    Case("Mistimed", "test_times_its_words_within_its_sound_or_not_at_all", "assert 36"),
    Case("Waiting", "test_begins_before_the_last_sentence_is_known", "waited for 2.5 s"),
    Case("Blocking", "test_gives_whole_samples", "the event loop stood still"),
    Case("Stubborn", "test_lets_go_where_it_waits", "it swallowed its cancellation"),
    Case("Mingling", "test_speaks_for_many_at_once", "±"),
    Case("Deafened", "test_passes_on_what_the_sentences_raise", "DID NOT RAISE"),
    Case("Skipping", "test_is_silent_where_there_is_nothing_to_say", "[0] == [0, 1]"),
    Case("Deserted", CLOSES, "waited for 2.5 s in vain"),
    Case("Untidy", CLOSES, "still running after close"),
    Case("Talkative", "test_fails_with_a_typed_error_where_its_service_is_gone", "port 9"),
]
JURY = Jury("broken_voices", CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.twin}: {case.words}")
def test_each_fault_is_found(case: Case) -> None:
    """By the test that promises the opposite, and the reason is told."""
    JURY.finds(case)


def test_a_voice_that_keeps_its_promises_passes() -> None:
    """Whatever its neighbours do."""
    JURY.acquits()
