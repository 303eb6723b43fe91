"""Which of several models a turn goes to."""

import msgspec
import pytest

from antiphon_providers.interfaces import Message, Prompt, ToolSpec
from antiphon_providers.resilience.candidates import Candidate
from antiphon_providers.resilience.policy import Policy
from antiphon_providers.resilience.race import Model
from antiphon_providers.resilience.rules import (
    Price,
    Ranking,
    Routing,
    Rule,
    characters_of,
    last_words,
)
from providers.resilience.watching import asking, scripted

TOOL = (ToolSpec("weather"),)
LONG = Prompt((Message(role="user", content="x" * 400),))
HELLO = asking("Hello, my BILL is wrong")


def models_of(**times_ms: float) -> list[Model]:
    """Candidates by name, each with three equal times to the first token; 0 for none known."""
    models: list[Model] = [Candidate(scripted(), Policy(), name=name) for name in times_ms]
    for model in models:
        for _ in range(3 if times_ms[model.name] else 0):
            model.latency.add(times_ms[model.name] / 1000)
    return models


def names_of(models: list[Model]) -> str:
    """In order."""
    return "".join(model.name for model in models)


@pytest.mark.parametrize(
    ("rule", "prompt", "fits"),
    [
        (Rule(use="a"), HELLO, True),
        (Rule(use="a", longest_chars=23), HELLO, True),
        (Rule(use="a", longest_chars=22), HELLO, False),
        (Rule(use="a", shortest_chars=400), LONG, True),
        (Rule(use="a", shortest_chars=401), LONG, False),
        (Rule(use="a", tools=True), HELLO, False),
        (Rule(use="a", tools=True), Prompt(HELLO.messages, TOOL), True),
        (Rule(use="a", tools=False), Prompt(HELLO.messages, TOOL), False),
        (Rule(use="a", pattern=r"\bbill\b"), HELLO, True),
        (Rule(use="a", pattern="invoice"), HELLO, False),
        (Rule(use="a", pattern="bill", tools=True), HELLO, False),
        (Rule(use="a", pattern="x"), Prompt(()), False),
    ],
)
def test_a_rule_fits_when_all_its_conditions_are_fulfilled(
    rule: Rule, prompt: Prompt, fits: bool
) -> None:
    """Length, tools, words of the user; none is always fulfilled."""
    assert rule.fits(prompt) == fits


def test_a_rule_tells_why() -> None:
    """In a few words, for the timeline."""
    rule = Rule(use="a", longest_chars=80, shortest_chars=8, tools=False, pattern="bill")
    assert rule.reason == "rule: up to 80 characters, from 8 characters, no tools, matches bill"
    assert Rule(use="a", tools=True).reason == "rule: tools"
    assert Rule(use="a").reason == "rule: always"


@pytest.mark.parametrize(
    "wrong",
    [
        {"strategy": "dearest"},
        {"rules": [{"use": "a", "pattern": "("}]},
        {"rules": [{"use": ""}]},
        {"rules": [{"use": "a", "classes": ["two words"]}]},
        {"rules": [{"use": "a", "unknown": 1}]},
        {"prices": {"a": {"prompt": -1, "completion": 1}}},
        {"quantile": 0},
        {"classify_ms": 0},
    ],
)
def test_what_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    """No expression, no word, no price."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, Routing)


def test_all_classes_are_known_once() -> None:
    """In the order of the rules."""
    rules = (
        Rule(use="a", classes=("chat", "billing")),
        Rule(use="b"),
        Rule(use="b", classes=("billing", "other")),
    )
    assert Routing(rules=rules).classes == ("chat", "billing", "other")


def test_in_order_is_as_they_stand() -> None:
    """Where nothing else is wanted."""
    order, reason = Ranking(Routing()).rank(models_of(a=900, b=100), HELLO)
    assert (names_of(order), reason) == ("ab", "first in order")


def test_the_fastest_is_first_and_its_time_is_told() -> None:
    """By what was measured; equals stay in order."""
    ranking = Ranking(Routing(strategy="fastest", explore_every=0))
    order, reason = ranking.rank(models_of(a=700, b=300, c=300), HELLO)
    assert (names_of(order), reason) == ("bca", "fastest: 300 ms")


def test_the_quantile_decides_what_fast_is() -> None:
    """Usually quick and sometimes very slow, or always the same."""
    models = models_of(a=0, b=500)
    for ms in (100, 100, 100, 2000):
        models[0].latency.add(ms / 1000)
    for quantile, fastest in ((0.5, "ab"), (0.95, "ba")):
        ranking = Ranking(Routing(strategy="fastest", quantile=quantile))
        assert names_of(ranking.rank(models, HELLO)[0]) == fastest


def test_what_is_not_known_is_measured_first() -> None:
    """Three times each."""
    models, ranking = models_of(a=100, b=0, c=0), Ranking(Routing(strategy="fastest"))
    asked = []
    for _ in range(7):
        order, reason = ranking.rank(models, HELLO)
        asked.append((order[0].name, reason))
        order[0].latency.add(0.5)
    assert asked[:6] == [("b", "not yet measured")] * 3 + [("c", "not yet measured")] * 3
    assert asked[6] == ("a", "fastest: 100 ms")


def test_now_and_then_another_is_measured_again() -> None:
    """Each in turn, so that one that recovered is noticed."""
    models = models_of(a=100, b=200, c=300)
    ranking = Ranking(Routing(strategy="fastest", explore_every=5))
    asked = [ranking.rank(models, HELLO) for _ in range(20)]
    again = [order[0].name for order, reason in asked if reason == "measured again"]
    assert again == ["b", "c", "b", "c"]
    assert [names_of(order) for order, _ in asked].count("abc") == 16
    only = models_of(a=100)
    assert all(ranking.rank(only, HELLO)[1] == "fastest: 100 ms" for _ in range(10))


def test_the_cheapest_depends_on_how_much_is_read() -> None:
    """Dear to read and cheap to write, or the other way; without a price is the dearest."""
    prices = {"b": Price(prompt=10, completion=1), "c": Price(prompt=1, completion=10)}
    ranking = Ranking(Routing(strategy="cheapest", prices=prices, reply_tokens=80))
    models = models_of(a=1, b=1, c=1)
    assert names_of(ranking.rank(models, asking("Hi"))[0]) == "bca"
    order, reason = ranking.rank(models, Prompt(LONG.messages * 10))
    assert (names_of(order), reason) == ("cba", "cheapest")


def test_words_are_counted_and_found() -> None:
    """Of all messages, and the user's last."""
    prompt = Prompt(
        (
            Message(role="system", content="abc"),
            Message(role="user", content="first"),
            Message(role="user", content="last"),
            Message(role="assistant", content="yes"),
        )
    )
    assert (characters_of(prompt), last_words(prompt)) == (15, "last")
    assert (characters_of(Prompt(())), last_words(Prompt(()))) == (0, "")
