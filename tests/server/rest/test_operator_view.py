"""What an operator is told of a stage."""

from __future__ import annotations

import msgspec

from antiphon_protocol.rest_operator import ProviderRouted
from antiphon_server.rest.operator_view import told
from antiphon_server.settings import Candidate
from antiphon_server.stages.lineup import Casting

SECRET = "a-secret"  # noqa: S105


def test_no_value_of_an_option_is_told_but_the_model() -> None:
    """Neither of one that sounds like a secret nor of any other."""
    options = {"api_key": SECRET, "base_url": "http://inside.example/v1", "model": "large"}
    lineup = Casting().lineup("llm", [Candidate("llm", "openai", options)])
    view = told(lineup, 0.0)
    raw = msgspec.json.encode(view)
    assert SECRET.encode() not in raw
    assert b"inside.example" not in raw
    (provider,) = view.providers
    assert (provider.model, provider.options) == ("large", ("api_key", "base_url", "model"))


def test_what_a_router_chose_is_told_by_the_kind_of_its_reason() -> None:
    """Once there was something to choose."""
    lineup = Casting().lineup("llm", [Candidate("llm", "scripted"), Candidate("llm_2", "scripted")])
    assert told(lineup, 0.0).routed is msgspec.UNSET
    lineup.watch.chose("scripted-1", "fastest: 120 ms")
    lineup.watch.chose("scripted-1", "fastest: 130 ms")
    lineup.watch.chose("scripted-2", "rule: tools")
    assert told(lineup, 0.0).routed == (
        ProviderRouted(provider="scripted-1", reason="fastest", count=2),
        ProviderRouted(provider="scripted-2", reason="rule", count=1),
    )


def test_a_stage_of_one_provider_has_no_breaker() -> None:
    """Nobody could stand in while it is left alone."""
    lineup = Casting().lineup("vad", [Candidate("vad", "scripted")])
    view = told(lineup, 0.0)
    assert (view.stage, view.serves, view.providers[0].breaker) == (
        "voice_activity",
        "scripted",
        None,
    )
