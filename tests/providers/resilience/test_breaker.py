"""Who fails is left alone for a while, and asked once before being trusted again."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_providers.errors import (
    SESSION_EXPIRED,
    Malformed,
    NotInstalled,
    ProviderError,
    Refused,
    Unavailable,
)
from antiphon_providers.resilience.breaker import (
    Breaker,
    Permit,
    about_the_request,
    blames_the_request,
)
from antiphon_providers.resilience.policy import Policy

DOWN = Unavailable("down")


def entered(breaker: Breaker, now: float) -> Permit:
    """Leave that must be given."""
    permit = breaker.enter(now)
    assert permit is not None
    return permit


def opened(now: float = 0.0) -> Breaker:
    """One that has just opened."""
    breaker = Breaker(Policy())
    breaker.failed(entered(breaker, now), Refused("key", status_code=401), now)
    assert breaker.state(now) == "open"
    return breaker


def test_it_opens_after_three_failures_on_end() -> None:
    """Not before, and not when one in between succeeded."""
    breaker = Breaker(Policy())
    for outcome in (DOWN, DOWN, None, DOWN, DOWN):
        permit = entered(breaker, 0)
        if outcome is None:
            breaker.succeeded(permit)
        else:
            breaker.failed(permit, outcome, 0)
    assert breaker.state(0) == "closed"
    breaker.failed(entered(breaker, 0), Malformed("nonsense"), 0)
    assert breaker.state(0) == "open"
    assert breaker.enter(4.9) is None
    assert breaker.opens_in(4) == 1


def test_it_opens_when_more_than_half_of_the_last_twenty_failed() -> None:
    """Although never three on end; ten of twenty are not too many."""
    breaker = Breaker(Policy())

    def attempt(fails: bool) -> None:
        permit = entered(breaker, 0)
        if fails:
            breaker.failed(permit, DOWN, 0)
        else:
            breaker.succeeded(permit)

    for number in range(20):
        attempt(fails=number % 2 == 0)
    assert breaker.state(0) == "closed"
    attempt(fails=True)
    assert breaker.state(0) == "closed"
    attempt(fails=True)
    assert breaker.state(0) == "open"


@pytest.mark.parametrize(
    "failure",
    [
        *(Refused("no", status_code=status) for status in (401, 403, 404)),
        Unavailable("busy", status_code=429),
        Refused("unknown", status_code=400, provider_code="model_not_found"),
        Refused("unknown", status_code=400, provider_param="model"),
        NotInstalled("no package"),
    ],
)
def test_it_opens_at_once_when_the_key_the_model_or_the_rate_is_wrong(
    failure: ProviderError,
) -> None:
    """The next would fail in the same way."""
    breaker = Breaker(Policy())
    breaker.failed(entered(breaker, 0), failure, 0)
    assert breaker.state(0) == "open"
    assert not about_the_request(failure)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_it_ignores_refusals_that_are_about_the_request(status: int) -> None:
    """One conversation is to blame, and not the model."""
    breaker = Breaker(Policy())
    failure = Refused("too long", status_code=status)
    for _ in range(50):
        breaker.failed(entered(breaker, 0), failure, 0)
    assert breaker.state(0) == "closed"
    assert about_the_request(failure)


@pytest.mark.parametrize(
    "failure",
    [
        Refused("hears English only", provider_param="language_codes"),
        Refused("has no voice 'x'", provider_param="voice"),
        Refused("a filter stopped the reply", provider_code="content_filter"),
    ],
)
def test_it_ignores_what_one_call_asks_for_in_vain(failure: ProviderError) -> None:
    """Others may be served, and by another candidate so may this one."""
    breaker = Breaker(Policy())
    for _ in range(50):
        breaker.failed(entered(breaker, 0), failure, 0)
    assert breaker.state(0) == "closed"
    assert blames_the_request(failure)
    assert not about_the_request(failure)


def test_a_stream_whose_time_is_over_is_no_failure() -> None:
    """Those of a hundred calls that began together end together."""
    breaker = Breaker(Policy())
    over = Unavailable("an hour is over", provider_code=SESSION_EXPIRED)
    for _ in range(100):
        breaker.failed(entered(breaker, 0), over, 0)
    assert breaker.state(0) == "closed"


@pytest.mark.parametrize(
    "failure",
    [
        Refused("no key"),
        Refused("overdrawn", status_code=402, provider_param="account"),
        Refused("unknown", provider_param="model"),
        Unavailable("overloaded", provider_param="voice"),
    ],
)
def test_it_opens_where_the_request_is_not_to_blame(failure: ProviderError) -> None:
    """A parameter that is named does not make it so."""
    breaker = Breaker(Policy())
    for _ in range(3):
        permit = breaker.enter(0)
        if permit is not None:
            breaker.failed(permit, failure, 0)
    assert breaker.state(0) == "open"
    assert not blames_the_request(failure)


def test_a_vendors_wish_is_respected_within_bounds() -> None:
    """Retry-After of half a minute, of a second, and of a year."""
    for wished_s, waited_s in ((30.0, 30.0), (1.0, 5.0), (3e7, 600.0)):
        breaker = Breaker(Policy())
        busy = Unavailable("busy", status_code=429, retry_after_s=wished_s)
        breaker.failed(entered(breaker, 0), busy, 0)
        assert breaker.opens_in(0) == waited_s


def test_after_the_cooldown_one_probe_is_made() -> None:
    """And while it runs no other, however long it takes."""
    breaker = opened()
    assert breaker.state(5) == "half_open"
    probe = entered(breaker, 5)
    assert probe.probe
    assert breaker.enter(5) is None
    assert breaker.enter(500) is None
    breaker.succeeded(probe)
    assert breaker.state(500) == "closed"
    assert not entered(breaker, 500).probe


def test_the_cooldown_doubles_up_to_a_minute_and_is_forgotten_on_success() -> None:
    """5, 10, 20, 40, 60, 60 s; then 5 again."""
    breaker, now, waits = opened(), 0.0, []
    for _ in range(6):
        waits.append(breaker.opens_in(now))
        now += waits[-1]
        breaker.failed(entered(breaker, now), DOWN, now)
    assert waits == [5, 10, 20, 40, 60, 60]
    now += breaker.opens_in(now)
    breaker.succeeded(entered(breaker, now))
    for _ in range(3):
        breaker.failed(entered(breaker, now), DOWN, now)
    assert breaker.opens_in(now) == 5


def test_a_probe_that_is_given_up_is_made_again_after_the_cooldown() -> None:
    """Counted from when it was made."""
    breaker = opened()
    probe = entered(breaker, 5)
    breaker.abandoned(probe)
    assert breaker.enter(9.9) is None
    assert entered(breaker, 10).probe


def test_outcomes_from_before_it_opened_change_nothing() -> None:
    """Neither a late success closes it nor a late failure prolongs it."""
    breaker = Breaker(Policy())
    late = [entered(breaker, 0) for _ in range(3)]
    breaker.failed(entered(breaker, 0), Refused("key", status_code=403), 0)
    breaker.succeeded(late[0])
    breaker.failed(late[1], DOWN, 4)
    breaker.abandoned(late[2])
    assert (breaker.state(4), breaker.opens_in(4)) == ("open", 1)


def test_it_can_be_tripped() -> None:
    """By one who could not even start the candidate."""
    breaker = Breaker(Policy())
    breaker.trip(DOWN, 0)
    assert breaker.state(1) == "open"


@given(
    st.lists(
        st.tuples(st.floats(0, 20), st.sampled_from(["fail", "give up", "hang"])), max_size=200
    )
)
def test_a_dead_provider_is_probed_at_most_once_in_five_seconds(
    steps: list[tuple[float, str]],
) -> None:
    """Whenever it is asked, and however the probes end."""
    breaker, now = opened(), 0.0
    probes: list[float] = []
    running: Permit | None = None
    for wait_s, end in steps:
        now += wait_s
        permit = breaker.enter(now)
        if permit is not None:
            assert permit.probe
            assert running is None
            probes.append(now)
            running = permit
        if running is not None and end == "fail":
            breaker.failed(running, DOWN, now)
            running = None
        elif running is not None and end == "give up":
            breaker.abandoned(running)
            running = None
    # As the breaker adds: a difference may round the other way.
    assert all(later >= earlier + 5 for earlier, later in pairwise(probes))
