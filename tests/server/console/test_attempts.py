"""Wrong keys: a few at once, then slowly."""

from __future__ import annotations

from antiphon_server.console import attempts
from antiphon_server.console.attempts import MOST_WRONG, SECONDS_EACH, Attempts
from server.security.created_keys import Clock


def test_ten_wrong_keys_may_be_given_at_once() -> None:
    """The eleventh waits until one is forgiven, and exactly so long."""
    clock = Clock()
    tried = Attempts(clock)
    for _ in range(MOST_WRONG):
        assert tried.wait("a") == 0
        tried.note("a")
    assert tried.wait("a") == SECONDS_EACH
    clock.now += SECONDS_EACH
    assert tried.wait("a") == 0
    tried.note("a")
    assert tried.wait("a") == SECONDS_EACH


def test_a_client_is_not_held_to_what_another_tried() -> None:
    """Each has its own ten."""
    tried = Attempts(Clock())
    for _ in range(MOST_WRONG + 3):
        tried.note("a")
    assert tried.wait("b") == 0 < tried.wait("a")


def test_after_a_minute_everything_is_forgiven() -> None:
    """And no more than ten are saved up."""
    clock = Clock()
    tried = Attempts(clock)
    for _ in range(MOST_WRONG):
        tried.note("a")
    clock.now += 10 * MOST_WRONG * SECONDS_EACH
    for _ in range(MOST_WRONG):
        assert tried.wait("a") == 0
        tried.note("a")
    assert tried.wait("a") > 0


def test_what_is_remembered_has_an_end() -> None:
    """The client who tried longest ago is forgotten first."""
    tried = Attempts(Clock())
    for _ in range(MOST_WRONG):
        tried.note("first")
    for number in range(attempts.MOST_CLIENTS):
        tried.note(str(number))
    assert tried.wait("first") == 0
    assert len(tried._paid_until) == attempts.MOST_CLIENTS
