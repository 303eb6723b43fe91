"""The providers that a wrapper may ask, and how they are started and closed."""

import asyncio

import pytest

from antiphon_providers.errors import NotInstalled, ProviderError, Refused, TooSlow, Unavailable
from antiphon_providers.observer import SILENT, Observer
from antiphon_providers.resilience.candidates import Candidate, Candidates, failure_of
from antiphon_providers.resilience.policy import Policy
from providers.resilience.watching import Watching


class Carillon:
    """A provider that starts or closes as it is told."""

    name = "carillon"

    def __init__(self, error: Exception | None = None, closing: Exception | None = None) -> None:
        self.observer: Observer = SILENT
        self.error = error
        self.closing = closing
        self.started = self.closed = False

    async def start(self) -> None:
        """Fails as told."""
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.started = True

    async def close(self) -> None:
        """Fails as told."""
        await asyncio.sleep(0)
        self.closed = True
        if self.closing is not None:
            raise self.closing


def candidates_of(*providers: Carillon, watching: Watching | None = None) -> Candidates[Carillon]:
    """These, as ``a``, ``b``..."""
    policy = Policy()
    return Candidates(
        [Candidate(one, policy, name=name) for one, name in zip(providers, "abc", strict=False)],
        watching or Watching(),
        lambda: 0.0,
    )


def test_there_is_at_least_one() -> None:
    """Otherwise there would be nobody to speak of."""
    with pytest.raises(ValueError, match="must be a candidate"):
        candidates_of()


def test_a_candidate_has_the_name_in_settings_or_its_own() -> None:
    """The settings' where it has one."""
    assert Candidate(Carillon(), Policy()).name == "carillon"
    assert Candidate(Carillon(), Policy(), name="spare").name == "spare"


async def test_all_are_started() -> None:
    """The standbys are warm."""
    providers = [Carillon(), Carillon()]
    await candidates_of(*providers).start()
    assert all(provider.started for provider in providers)


@pytest.mark.parametrize("failing", [0, 1])
async def test_one_that_cannot_start_now_is_left_alone_for_a_while(failing: int) -> None:
    """The server runs with the other."""
    providers, watching = [Carillon(), Carillon()], Watching()
    providers[failing].error = Unavailable("down")
    candidates = candidates_of(*providers, watching=watching)
    await candidates.start()
    name = "ab"[failing]
    assert watching.told == [
        ("failed", name, "provider_unavailable"),
        ("breaker", name, "open"),
    ]
    assert [candidate.breaker.admits(0) for candidate in candidates].count(False) == 1


async def test_that_nobody_can_be_started_is_raised() -> None:
    """With the words of the preferred one."""
    with pytest.raises(Unavailable, match="first"):
        await candidates_of(Carillon(Unavailable("first")), Carillon(TooSlow("second"))).start()


@pytest.mark.parametrize("error", [Refused("wrong key"), NotInstalled("missing")])
async def test_what_no_waiting_mends_is_raised_also_for_a_standby(error: ProviderError) -> None:
    """A standby with a wrong key is none, and would be found out too late."""
    with pytest.raises(type(error)):
        await candidates_of(Carillon(), Carillon(error)).start()


async def test_all_are_closed_whatever_one_does() -> None:
    """And what went wrong is raised."""
    providers = [Carillon(closing=OSError("stuck")), Carillon()]
    with pytest.raises(OSError, match="stuck"):
        await candidates_of(*providers).close()
    assert all(provider.closed for provider in providers)


def test_the_providers_share_the_observer() -> None:
    """Also one that comes later."""
    provider, first, later = Carillon(), Watching(), Watching()
    candidates = candidates_of(provider, watching=first)
    assert provider.observer is first
    candidates.observer = later
    assert provider.observer is later


def test_a_conversation_is_kept() -> None:
    """One without a name is not kept; with the preferred one there is nothing to remember."""
    candidates = candidates_of(Carillon(), Carillon())
    a, b = candidates
    candidates.keep("", b)
    assert candidates.in_order("") == [a, b]
    candidates.keep("call", b)
    assert candidates.in_order("call") == [b, a]
    candidates.keep("call", a)
    assert candidates.in_order("call") == [a, b]


def test_a_conversation_goes_on_with_another_if_one_may_be_asked() -> None:
    """The first that may; where there is none all stays as it is."""
    candidates = candidates_of(Carillon(), Carillon(), Carillon())
    a, b, c = candidates
    candidates.avoid("call", a)
    assert candidates.in_order("call") == [b, a, c]
    candidates.avoid("call", b)
    assert candidates.in_order("call") == [a, b, c]
    for one in (b, c):
        one.breaker.trip(Unavailable("down"), 0.0)
    candidates.avoid("call", a)
    assert candidates.in_order("call") == [a, b, c]


def test_only_so_many_conversations_are_remembered() -> None:
    """The oldest are forgotten."""
    candidates = candidates_of(Carillon(), Carillon())
    a, b = candidates
    for number in range(10_001):
        candidates.keep(str(number), b)
    assert candidates.in_order("0") == [a, b]
    assert candidates.in_order("1") == [b, a]


def test_a_failure_of_ours_stays_what_it_is() -> None:
    """Any other becomes one, and its text, which may hold anything, is left out."""
    candidate = Candidate(Carillon(), Policy())
    ours = Refused("no")
    assert failure_of(ours, candidate) is ours
    other = failure_of(ValueError("sk-secret"), candidate)
    assert isinstance(other, Unavailable)
    assert "sk-secret" not in str(other)
