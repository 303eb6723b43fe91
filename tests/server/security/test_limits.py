"""How many sessions a key may have and open."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from antiphon_protocol.errors import ConcurrencyExceeded
from antiphon_server.security.admission import ANYBODY, Admission
from antiphon_server.security.limits import Limits
from antiphon_server.settings import Settings

KEY = Admission(account="a", key_id="key_1")
OTHER = Admission(account="a", key_id="key_2")


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def _limits(most: int = 200, per_minute: int = 1200) -> tuple[Limits, Clock]:
    clock = Clock()
    settings = Settings(max_sessions_per_key=most, sessions_per_minute_per_key=per_minute)
    return Limits(settings, clock), clock


def test_a_key_has_so_many_sessions_at_once() -> None:
    """One more is refused with its number; one that ends makes room for one."""
    limits, _ = _limits(most=2)
    first, _second = limits.lease(KEY), limits.lease(KEY)
    with pytest.raises(ConcurrencyExceeded, match="sessions at once is 2") as refused:
        limits.lease(KEY)
    assert refused.value.close_code == 1008
    first.release()
    limits.lease(KEY)
    with pytest.raises(ConcurrencyExceeded):
        limits.lease(KEY)


def test_a_lease_is_given_back_once() -> None:
    """However often it is released."""
    limits, _ = _limits(most=2)
    first, _second = limits.lease(KEY), limits.lease(KEY)
    for _ in range(3):
        first.release()
    limits.lease(KEY)
    with pytest.raises(ConcurrencyExceeded):
        limits.lease(KEY)


def test_tokens_count_for_their_key_and_other_keys_do_not() -> None:
    """Also when both keys are of one account: limits are a key's."""
    limits, _ = _limits(most=1)
    limits.lease(replace(KEY, by_token=True, session_seconds=60))
    with pytest.raises(ConcurrencyExceeded):
        limits.lease(KEY)
    limits.lease(OTHER)


def test_a_keys_own_numbers_count_before_the_settings() -> None:
    """Smaller and larger ones."""
    limits, _ = _limits(most=2, per_minute=2)
    small = replace(KEY, max_sessions=1)
    large = replace(OTHER, max_sessions=3, sessions_per_minute=3)
    limits.lease(small)
    with pytest.raises(ConcurrencyExceeded, match="sessions at once is 1"):
        limits.lease(small)
    for _ in range(3):
        limits.lease(large)
    with pytest.raises(ConcurrencyExceeded, match="sessions at once is 3"):
        limits.lease(large)


def test_a_key_opens_so_many_sessions_a_minute() -> None:
    """A minute's at once, then one each time that is told, and no sooner."""
    limits, clock = _limits(per_minute=6)
    for _ in range(6):
        limits.lease(KEY).release()
    for _ in range(3):
        with pytest.raises(ConcurrencyExceeded, match="a minute is 6; try again in 10 s"):
            limits.lease(KEY)
        clock.now += 9.9
        with pytest.raises(ConcurrencyExceeded, match="try again in 1 s"):
            limits.lease(KEY)
        clock.now += 0.1
        limits.lease(KEY).release()
    clock.now += 3600
    for _ in range(6):
        limits.lease(KEY).release()
    with pytest.raises(ConcurrencyExceeded):
        limits.lease(KEY)


def test_what_is_refused_uses_nothing_up() -> None:
    """Neither of the other limit."""
    limits, clock = _limits(most=1, per_minute=2)
    lease = limits.lease(KEY)
    for _ in range(10):
        with pytest.raises(ConcurrencyExceeded, match="at once"):
            limits.lease(KEY)
    lease.release()
    limits.lease(KEY).release()
    for _ in range(10):
        with pytest.raises(ConcurrencyExceeded, match="a minute"):
            limits.lease(KEY)
    clock.now += 30
    limits.lease(KEY)


def test_a_limit_that_changes_counts_at_once() -> None:
    """A key that may open more, or less, from now on."""
    limits, _ = _limits(per_minute=2)
    limits.lease(KEY)
    limits.lease(KEY)
    limits.lease(replace(KEY, sessions_per_minute=3))
    with pytest.raises(ConcurrencyExceeded, match="a minute is 1; try again in 180 s"):
        limits.lease(replace(KEY, sessions_per_minute=1))


def test_without_a_key_there_is_no_limit() -> None:
    """In development mode the node's own limit is the only one."""
    limits, _ = _limits(most=1, per_minute=1)
    for _ in range(10):
        limits.lease(Admission(account=ANYBODY))


def test_no_minute_has_more_than_twice_the_rate() -> None:
    """And in the long run it is the rate: any order of tries, 2,000 of them."""
    limits, clock = _limits(per_minute=30)
    chance = random.Random(4)  # noqa: S311
    opened: list[float] = []
    for _ in range(2000):
        clock.now += chance.random()
        try:
            limits.lease(KEY).release()
        except ConcurrencyExceeded:
            continue
        opened.append(clock.now)
    assert max(sum(1 for at in opened if at <= end < at + 60) for end in opened) <= 60
    assert len(opened) == pytest.approx(30 + (clock.now - 1000) / 2, abs=2)
