"""Which of several models a turn goes to: rules first, then the fastest or the cheapest. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from antiphon_providers.interfaces import Prompt
from antiphon_providers.resilience.race import Model

Strategy = Literal["first", "fastest", "cheapest"]

_CHARACTERS_PER_TOKEN = 4
"""Of English, as models' vendors count; only the order of prices depends on it."""
_KNOWN = 3
"""Times from which a candidate's quantile says something."""


class Rule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Sends to ``use`` what fulfils all its conditions; one without conditions fits always."""

    use: Annotated[str, Meta(min_length=1, description="A candidate's name.")]
    longest_chars: Annotated[
        int | None, Meta(description="Characters the whole prompt may have at most.")
    ] = None
    shortest_chars: Annotated[
        int | None, Meta(description="Characters the whole prompt must have at least.")
    ] = None
    tools: Annotated[
        bool | None, Meta(description="Whether there are tools the model may call.")
    ] = None
    pattern: Annotated[
        str,
        Meta(description="Regular expression found in the user's last words, in any case."),
    ] = ""
    classes: Annotated[
        tuple[Annotated[str, Meta(pattern=r"^\w+$")], ...],
        Meta(description="What a small model calls the user's last words: one of these words."),
    ] = ()

    def __post_init__(self) -> None:
        try:
            re.compile(self.pattern)
        except re.error as wrong:
            raise ValueError(f"'{self.pattern}' is no regular expression: {wrong}") from wrong

    def fits(self, prompt: Prompt) -> bool:
        """Whether all conditions but ``classes`` are fulfilled."""
        length = characters_of(prompt)
        return (
            (self.longest_chars is None or length <= self.longest_chars)
            and (self.shortest_chars is None or length >= self.shortest_chars)
            and (self.tools is None or self.tools == bool(prompt.tools))
            and (
                not self.pattern
                or re.search(self.pattern, last_words(prompt), re.IGNORECASE) is not None
            )
        )

    @property
    def reason(self) -> str:
        """Its conditions in a few words."""
        told = [
            *([f"up to {self.longest_chars} characters"] if self.longest_chars is not None else []),
            *(
                [f"from {self.shortest_chars} characters"]
                if self.shortest_chars is not None
                else []
            ),
            *(["tools" if self.tools else "no tools"] if self.tools is not None else []),
            *([f"matches {self.pattern}"] if self.pattern else []),
        ]
        return "rule: " + (", ".join(told) or ("classified" if self.classes else "always"))


class Price(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Of a million tokens, in any currency that is the same for all."""

    prompt: Annotated[float, Meta(ge=0, description="Of tokens read.")]
    completion: Annotated[float, Meta(ge=0, description="Of tokens written.")]


class Routing(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How turns are shared out."""

    rules: Annotated[
        tuple[Rule, ...], Meta(description="The first that fits decides; then the strategy.")
    ] = ()
    strategy: Annotated[
        Strategy, Meta(description="In order, by live time to the first token, or by price.")
    ] = "first"
    quantile: Annotated[
        float, Meta(gt=0, le=1, description="Of the times to the first token that are compared.")
    ] = 0.5
    explore_every: Annotated[
        int,
        Meta(
            ge=0,
            description="Each so manieth turn goes to another than the fastest, to learn how it "
            "does now; 0 for never.",
        ),
    ] = 20
    prices: Annotated[
        dict[str, Price], Meta(description="By candidate's name; one without is the dearest.")
    ] = msgspec.field(default_factory=dict)
    reply_tokens: Annotated[
        int, Meta(ge=0, description="Tokens that a reply is taken to have, to compare prices.")
    ] = 80
    classify_ms: Annotated[
        int, Meta(ge=1, description="Milliseconds that the small model has to say its word.")
    ] = 300

    @property
    def classes(self) -> tuple[str, ...]:
        """All that the small model may answer."""
        return tuple(dict.fromkeys(name for rule in self.rules for name in rule.classes))


class Ranking:
    """Puts candidates in order by the strategy; remembers whose turn it is to be explored."""

    def __init__(self, routing: Routing) -> None:
        self._routing = routing
        self._turns = 0
        self._explored = 0

    def rank(self, models: Sequence[Model], prompt: Prompt) -> tuple[list[Model], str]:
        """The candidates, best first, and why; equals stay in order."""
        match self._routing.strategy:
            case "first":
                return list(models), "first in order"
            case "cheapest":
                return sorted(models, key=lambda model: self._cost(model, prompt)), "cheapest"
            case "fastest":
                return self._by_time(models)

    def _cost(self, model: Model, prompt: Prompt) -> float:
        price = self._routing.prices.get(model.name)
        if price is None:
            return float("inf")
        told = characters_of(prompt) / _CHARACTERS_PER_TOKEN
        return told * price.prompt + self._routing.reply_tokens * price.completion

    def _by_time(self, models: Sequence[Model]) -> tuple[list[Model], str]:
        self._turns += 1
        unknown = [model for model in models if len(model.latency) < _KNOWN]
        if unknown:
            return _in_front(unknown[0], models), "not yet measured"
        ranked = sorted(models, key=self._time)
        every = self._routing.explore_every
        if every and self._turns % every == 0 and len(ranked) > 1:
            self._explored = self._explored % (len(ranked) - 1) + 1
            return _in_front(ranked[self._explored], ranked), "measured again"
        return ranked, f"fastest: {self._time(ranked[0]) * 1000:.0f} ms"

    def _time(self, model: Model) -> float:
        return model.latency.quantile(self._routing.quantile) or 0.0


def _in_front(model: Model, models: Sequence[Model]) -> list[Model]:
    return [model, *(other for other in models if other is not model)]


def characters_of(prompt: Prompt) -> int:
    """Characters of all its messages."""
    return sum(len(message.content) for message in prompt.messages)


def last_words(prompt: Prompt) -> str:
    """What the user said last; empty where the user said nothing."""
    return next((m.content for m in reversed(prompt.messages) if m.role == "user"), "")
