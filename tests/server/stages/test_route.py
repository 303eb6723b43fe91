"""Routes as settings say them: what they mean, and what cannot be."""

from __future__ import annotations

import json

import pytest

from antiphon_providers.errors import Refused
from antiphon_providers.resilience.rules import Price, Rule
from antiphon_server.settings import Candidate, read
from antiphon_server.stages.route import Route, read_route

TWO = {"ANTIPHON_LLM": "scripted,scripted"}
RULES = '[{"use": "scripted-2", "tools": true}, {"use": "scripted-1", "classes": ["chat"]}]'


def route(value: str = "", **options: str) -> Route | None:
    """The route of two models with these settings."""
    own = {"ANTIPHON_ROUTE": value} if value else {}
    given = {f"ANTIPHON_ROUTE_{name}": text for name, text in options.items()}
    return read_route(read({**TWO, **own, **given}))


def test_without_a_setting_turns_are_not_routed() -> None:
    """Nor with the word for that."""
    assert route() is None
    assert route("off") is None


def test_a_route_has_a_strategy_and_numbers() -> None:
    """Text in, numbers out; rules come first in any case."""
    found = route("fastest", QUANTILE="0.9", EXPLORE_EVERY="0", RULES='[{"use": "scripted-2"}]')
    assert found is not None
    assert (found.routing.strategy, found.routing.quantile) == ("fastest", 0.9)
    assert found.routing.explore_every == 0
    assert found.routing.rules == (Rule(use="scripted-2"),)
    assert found.small is None


def test_rules_alone_leave_the_others_in_order() -> None:
    """With a small model of their own for those that classify."""
    found = route("rules", RULES=RULES, SMALL="scripted", SMALL_REPLIES="chat", CLASSIFY_MS="500")
    assert found is not None
    assert (found.routing.strategy, found.routing.classify_ms) == ("first", 500)
    assert found.routing.classes == ("chat",)
    assert found.small == Candidate("route_small", "scripted", {"replies": "chat"})


def test_the_cheapest_is_known_by_the_prices_of_settings() -> None:
    """Of tokens, by the name of each; without any nobody is the cheapest."""
    found = route("cheapest")
    assert found is not None
    prices = {
        ("scripted-1", "prompt_tokens"): 2.0,
        ("scripted-2", "completion_tokens"): 3.0,
        ("scripted-2", "seconds"): 1.0,
        ("other", "prompt_tokens"): 1.0,
    }
    assert found.routing_of(("scripted-1", "scripted-2"), prices).prices == {
        "scripted-1": Price(prompt=2.0, completion=0.0),
        "scripted-2": Price(prompt=0.0, completion=3.0),
    }
    with pytest.raises(Refused, match=r"needs prices: ANTIPHON_PRICES=scripted-1.prompt_tokens=…"):
        found.routing_of(("scripted-1", "scripted-2"), {})


@pytest.mark.parametrize(
    ("value", "options", "words"),
    [
        ("", {"RULES": "[]"}, "ANTIPHON_ROUTE_RULES says how .* set it to rules, fastest"),
        ("rules", {}, "ANTIPHON_ROUTE=rules needs rules: ANTIPHON_ROUTE_RULES"),
        ("rules", {"RULES": "[]"}, "needs rules"),
        ("rules", {"RULES": "[{"}, "ANTIPHON_ROUTE_RULES cannot be used: .* JSON list"),
        ("rules", {"RULES": "{}"}, "Expected `array`"),
        ("rules", {"RULES": "[" * 100_000}, "ANTIPHON_ROUTE_RULES cannot be used"),
        ("rules", {"RULES": '[{"tools": true}]'}, "missing required field `use`"),
        ("rules", {"RULES": '[{"use": "a", "colour": 1}]'}, "unknown field `colour`"),
        ("rules", {"RULES": '[{"use": "a", "pattern": "("}]'}, r"'\(' is no regular expression"),
        ("rules", {"RULES": '[{"use": "a", "classes": ["two words"]}]'}, "matching regex"),
        ("rules", {"RULES": RULES}, "a small model: ANTIPHON_ROUTE_SMALL names it"),
        ("fastest", {"SMALL_MODEL": "s"}, "ANTIPHON_ROUTE_SMALL_MODEL is of a model that"),
        ("fastest", {"QUANTILE": "2"}, "ANTIPHON_ROUTE_… cannot be used: .*<= 1"),
        ("fastest", {"STRATEGY": "first"}, "ANTIPHON_ROUTE_STRATEGY is no option .* quantile"),
    ],
)
def test_what_cannot_be_is_told(value: str, options: dict[str, str], words: str) -> None:
    """Which variable, and what would do."""
    with pytest.raises(ValueError, match=words):
        route(value, **options)


def test_one_model_leaves_nothing_to_choose() -> None:
    """The setting that names the models is told."""
    with pytest.raises(ValueError, match="chooses among several models: ANTIPHON_LLM names one"):
        read_route(read({"ANTIPHON_ROUTE": "fastest"}))


def test_rules_are_json_with_all_conditions() -> None:
    """Each of a rule's fields can be set."""
    rule = {"use": "scripted-1", "longest_chars": 9, "shortest_chars": 1, "pattern": "hi"}
    found = route("rules", RULES=json.dumps([rule]))
    assert found is not None
    (only,) = found.routing.rules
    assert (only.longest_chars, only.shortest_chars, only.pattern) == (9, 1, "hi")
