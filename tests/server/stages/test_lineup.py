"""How the providers of a stage become the one that calls ask."""

from __future__ import annotations

import pytest

from antiphon_providers.errors import Refused
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.routing import Router
from antiphon_providers.resilience.rules import Routing, Rule
from antiphon_server.settings import ALL_STAGES, Candidate
from antiphon_server.stages.lineup import SEVERAL, SHAPES, Casting
from antiphon_server.stages.route import Route
from server.edge.starting import Starting, starting

__all__ = ["starting"]

TWO = (Candidate("llm", "scripted"), Candidate("llm_2", "scripted", {"replies": "B"}))


def test_every_stage_has_a_shape() -> None:
    """Four of them may have several providers."""
    assert SHAPES.keys() == ALL_STAGES.keys()
    assert SEVERAL == ("stt", "llm", "tts", "s2s")


def test_two_of_one_name_are_told_apart_by_their_place() -> None:
    """In metrics and in what the operator sees; one alone keeps its name."""
    lineup = Casting().lineup("llm", [*TWO, Candidate("llm_3", "dialogue")])
    assert lineup.names == ("scripted-1", "scripted-2", "dialogue")
    assert [each.name for each in lineup.candidates] == list(lineup.names)
    assert lineup.provider.name == "scripted-1"
    assert set(lineup.watch.health) == set(lineup.names)


@pytest.mark.parametrize("setting", ["vad", "turn"])
def test_a_stage_of_one_provider_is_not_given_two(setting: str) -> None:
    """Nobody could stand in there."""
    two = [Candidate(setting, "scripted"), Candidate(setting, "scripted")]
    with pytest.raises(Refused, match="one provider serves this stage, and 2 are named"):
        Casting().lineup(setting, two)


def test_who_serves_alone_is_watched_too(starting: list[Starting]) -> None:
    """A provider that tells of its connections tells the stage's watch."""
    lineup = Casting().lineup("turn", [Candidate("turn", "starting")])
    (provider,) = starting
    assert lineup.provider is provider
    assert provider.observer is lineup.watch


def test_several_models_are_routed_where_settings_say_so() -> None:
    """One alone is not: there is nothing to choose. A rule for nobody is a mistake."""
    casting = Casting(route=Route(Routing(strategy="fastest")))
    assert isinstance(casting.lineup("llm", TWO).provider, Router)
    assert not isinstance(casting.lineup("llm", TWO[:1]).provider, Router)
    assert not isinstance(Casting().lineup("llm", TWO).provider, Router)
    missing = Casting(route=Route(Routing(rules=(Rule(use="large"),))))
    with pytest.raises(Refused, match="routing names large; there are scripted-1, scripted-2"):
        missing.lineup("llm", TWO)


def test_castings_agree_when_providers_would_be_made_alike() -> None:
    """The policy and the route count; prices where there is a route."""
    prices = {("scripted", "prompt_tokens"): 1.0}
    route = Route(Routing(strategy="cheapest"))
    assert Casting().agrees_with(Casting(prices=prices))
    assert not Casting().agrees_with(Casting(policy=Policy(hedge=True)))
    assert not Casting().agrees_with(Casting(route=route))
    assert not Casting(route=route).agrees_with(Casting(route=route, prices=prices))
