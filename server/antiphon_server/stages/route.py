"""Which of several language models answers a turn, as settings say it (``ANTIPHON_ROUTE``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from antiphon_providers.errors import Refused
from antiphon_providers.resilience.rules import Price, Routing, Rule, Strategy
from antiphon_server.observe.usage import Prices
from antiphon_server.settings import PREFIX, ROUTE, Candidate, Settings

VARIABLE = f"{PREFIX}{ROUTE.upper()}"
NUMBERS = ("quantile", "explore_every", "reply_tokens", "classify_ms")
"""The options of a route beside its rules and its small model: fields of ``Routing``."""
OPTIONS = ("rules", "small", "small_…", *NUMBERS)

_STRATEGIES: dict[str, Strategy] = {
    "rules": "first",
    "fastest": "fastest",
    "cheapest": "cheapest",
}
_SMALL = "small"
_TOKENS = ("prompt_tokens", "completion_tokens")


class Route(Struct, frozen=True):
    """How turns are shared out, and who classifies them for rules that need that."""

    routing: Routing
    small: Candidate | None = None

    def routing_of(self, names: Sequence[str], prices: Prices) -> Routing:
        """For these models, by name, at the operator's prices of tokens.

        Raises ``Refused`` where the cheapest cannot be known.
        """
        known = {
            name: Price(
                prompt=prices.get((name, "prompt_tokens"), 0.0),
                completion=prices.get((name, "completion_tokens"), 0.0),
            )
            for name in names
            if any((name, unit) in prices for unit in _TOKENS)
        }
        if self.routing.strategy == "cheapest" and not known:
            raise Refused(
                f"{VARIABLE}=cheapest needs prices: {PREFIX}PRICES={names[0]}.prompt_tokens=…"
            )
        return replace(self.routing, prices=known)


def read_route(settings: Settings) -> Route | None:
    """The route in settings; None where turns are not routed.

    Raises ``ValueError`` that says which variable cannot be, and why.
    """
    given = settings.options.get(ROUTE, {})
    if settings.route == "off":
        if given:
            option = next(iter(given)).upper()
            raise ValueError(
                f"{VARIABLE}_{option} says how to choose a model, and {VARIABLE} not that one is "
                f"chosen: set it to {', '.join(_STRATEGIES)}"
            )
        return None
    if len(settings.candidates("llm")) == 1:
        raise ValueError(f"{VARIABLE} chooses among several models: {PREFIX}LLM names one")
    rules = _rules(given.get("rules", ""))
    if settings.route == "rules" and not rules:
        raise ValueError(f"{VARIABLE}=rules needs rules: {VARIABLE}_RULES")
    routing = _routing(given, rules, _STRATEGIES[settings.route])
    small = _small(given)
    if routing.classes and small is None:
        raise ValueError(f"rules with classes need a small model: {VARIABLE}_SMALL names it")
    return Route(routing, small)


def _rules(text: str) -> tuple[Rule, ...]:
    if not text.strip():
        return ()
    try:
        return msgspec.json.decode(text, type=tuple[Rule, ...])
    except (msgspec.MsgspecError, ValueError, RecursionError) as wrong:
        known = ", ".join(Rule.__struct_fields__)
        raise ValueError(
            f"{VARIABLE}_RULES cannot be used: {wrong}; it is a JSON list of objects with {known}"
        ) from wrong


def _routing(given: Mapping[str, str], rules: tuple[Rule, ...], strategy: Strategy) -> Routing:
    values: dict[str, Any] = {name: given[name] for name in NUMBERS if name in given}
    unknown = [
        name
        for name in given
        if name not in {"rules", _SMALL, *NUMBERS} and not name.startswith(f"{_SMALL}_")
    ]
    if unknown:
        raise ValueError(
            f"{VARIABLE}_{unknown[0].upper()} is no option of a route; its options: "
            + ", ".join(OPTIONS)
        )
    try:
        routing = msgspec.convert(values, Routing, strict=False)
    except msgspec.ValidationError as wrong:
        raise ValueError(f"{VARIABLE}_… cannot be used: {wrong}") from wrong
    return replace(routing, rules=rules, strategy=strategy)


def _small(given: Mapping[str, str]) -> Candidate | None:
    options = {
        name.removeprefix(f"{_SMALL}_"): text
        for name, text in given.items()
        if name.startswith(f"{_SMALL}_")
    }
    name = given.get(_SMALL, "").strip()
    if name:
        return Candidate(f"{ROUTE}_{_SMALL}", name, options)
    if options:
        option = next(iter(options)).upper()
        raise ValueError(f"{VARIABLE}_SMALL_{option} is of a model that {VARIABLE}_SMALL names")
    return None
