"""Which tool an utterance asks for: by the words they share.

A tool's score is the share of its name that was said (rarer words of the name count more) and
the share of what was said that the tool speaks of. The two thresholds were set on the dialogues
of the test suite.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct

from antiphon_providers.interfaces import ToolSpec
from antiphon_providers.local.dialogue.dates import MONTHS, WEEKDAYS
from antiphon_providers.local.dialogue.fields import form_of
from antiphon_providers.local.dialogue.rephrasing import to_caller
from antiphon_providers.local.dialogue.schema import as_schema
from antiphon_providers.local.dialogue.spoken_numbers import numerals
from antiphon_providers.local.dialogue.words import (
    STOP_WORDS,
    alike,
    clean,
    content,
    core,
    humanised,
    sentences,
    shortened,
    stem,
    table,
    words,
)

CLEAR = 0.6
"""A tool with this score is meant."""
POSSIBLE = 0.4
"""A tool with this score is asked about."""
CLOSE = 0.1
"""Two clear tools whose scores differ less are asked about."""

_SYNONYMS = tuple(
    frozenset(stem(word) for word in group.split())
    for group in (
        "book reserve reservation booking appointment",
        "cancel delete remove revoke",
        "transfer forward human operator agent representative colleague somebody connect",
        "end hang finish goodbye bye",
        "weather forecast temperature rain rainy sunny cold warm",
        "order purchase buy",
        "search find look lookup",
        "cost price rate fee charge expensive",
        "schedule appointment meeting calendar",
        "status track where arrive arrived shipped",
        "message text sms",
        "light lights lamp lamps",
        "note remember write",
        "create add new open make",
        "change update modify move edit",
        "say tell send",
    )
)
_EMPTY_WORDS = frozenset(
    stem(word) for word in table("get fetch retrieve do run set tool function api current info "
    "data information detail details return returns check show list of the for by")
)  # fmt: skip
_CALENDAR = frozenset(
    stem(w) for w in (*WEEKDAYS, *MONTHS, "today", "tomorrow", "tonight", "pm", "am")
)
_ABOUT_US = re.compile(
    r"(what is|tell me|do you know|say)? ?(your|my) name( is .*)?|who (are you|am i)|what are you"
    r"|my name is .*|(hi|hello|hey)( there)?|how are you.*|what can you do|help|thank.*"
    r"|(can you )?(say|repeat) (that|it).*|what did (i|you) .*|are you (a|an|real) ?.*"
)


MOST_WORDS = 24
"""Words of an utterance that are compared: a request is made in fewer."""


class Subject(Struct, frozen=True):
    """The words of a tool, as stems with their weights: of its name, and all."""

    tool: ToolSpec
    name: dict[str, float]
    all: dict[str, float]


class Match(Struct, frozen=True):
    """A tool, how well it was meant, and how much of the utterance it accounts for."""

    tool: ToolSpec
    score: float
    covered: float


class Meant(Struct, frozen=True):
    """The tools an utterance may mean, at most two, and whether that is clear."""

    tools: tuple[ToolSpec, ...] = ()
    clear: bool = False


class Catalogue:
    """The tools of one prompt, ready to be compared with utterances."""

    def __init__(self, tools: Sequence[ToolSpec]) -> None:
        names = [_name_words(tool) for tool in tools]
        self._subjects = [
            _subject(tool, own, names) for tool, own in zip(tools, names, strict=True)
        ]

    def ranked(self, text: str) -> list[Match]:
        """The tools by how well they match, best first, without those that do not at all."""
        meaning = re.sub(r"\bwhere is (?=my|our)", "status of ", numerals(text))
        said = [w for w in content(meaning) if not w[0].isdigit() and w not in _CALENDAR]
        if not said or _ABOUT_US.fullmatch(core(text)):
            return []
        matches = [_match(subject, said[:MOST_WORDS]) for subject in self._subjects]
        return sorted((m for m in matches if m.score > 0), key=lambda m: -m.score)

    def meant(self, text: str, told: Callable[[str], float], without: str | None = None) -> Meant:
        """What an utterance asks for, tools of the name ``without`` left out.

        ``told`` says how much of the utterance the system prompt answers: what it answers
        better than a tool could is a question, not a request.
        """
        matches = [m for m in self.ranked(text) if m.score >= POSSIBLE and m.tool.name != without]
        if not matches or told(text) > matches[0].covered + 0.2:
            return Meant()
        best = matches[0]
        rivals = [m.tool for m in matches[1:2] if best.score - m.score < CLOSE and m.score >= CLEAR]
        return Meant((best.tool, *rivals), best.score >= CLEAR)


def _match(subject: Subject, said: Sequence[str]) -> Match:
    named = sum(
        weight for word, weight in subject.name.items() if any(same(word, one) for one in said)
    )
    of_name = named / (sum(subject.name.values()) or 1.0)
    covered = sum(_weight(subject.all, one) for one in said) / len(said)
    return Match(subject.tool, 0.6 * of_name + 0.4 * covered, covered)


def _weight(vocabulary: dict[str, float], one: str) -> float:
    if one in vocabulary:
        return vocabulary[one]
    return max((weight for word, weight in vocabulary.items() if same(word, one)), default=0.0)


def _subject(tool: ToolSpec, own: Sequence[str], names: Sequence[Sequence[str]]) -> Subject:
    weights = {word: 1 / max(1, sum(word in name for name in names)) for word in own}
    vocabulary = dict.fromkeys(content(clean(tool.description, 400)), 0.8)
    for field in form_of(tool).fields:
        for told, weight in (
            (field.label, 0.6), (field.description, 0.5), (_values_of(field.schema), 0.8)
        ):  # fmt: skip
            for word in content(told):
                vocabulary[word] = max(weight, vocabulary.get(word, 0.0))
    return Subject(tool, weights, vocabulary | dict.fromkeys(weights, 1.0))


def _name_words(tool: ToolSpec) -> tuple[str, ...]:
    own = tuple(dict.fromkeys(stem(word) for word in words(humanised(tool.name))))
    return tuple(word for word in own if word not in _EMPTY_WORDS | STOP_WORDS) or own


def _values_of(schema: dict[str, Any]) -> str:
    listed = [
        schema.get("enum"),
        schema.get("examples"),
        as_schema(schema.get("items")).get("enum"),
    ]
    values = [v for one in listed if isinstance(one, list) for v in one[:20] if isinstance(v, str)]
    return " ".join(humanised(value) for value in values)


@lru_cache(maxsize=16_384)
def same(one: str, other: str) -> bool:
    """Whether two stems mean the same: equal, synonyms, or one of them misheard."""
    if one == other:
        return True
    if any(one in group and other in group for group in _SYNONYMS):
        return True
    long = min(len(one), len(other)) >= 5  # noqa: PLR2004
    return long and one[0] == other[0] and alike(one, other) >= 0.7  # noqa: PLR2004


def phrase(tool: ToolSpec) -> str:
    """What the tool does, to follow ``I can``: its description where that is short."""
    told = next(iter(sentences(tool.description[:400])), "").rstrip(".")
    told = to_caller(re.split(r",| (?:when|if|for when|so that|once)\b", told)[0])
    if not told or len(words(told)) > 12:  # noqa: PLR2004
        return shortened(humanised(tool.name) or "do that", 60)
    verb, _, rest = told.partition(" ")
    return f"{_infinitive(verb.lower())} {rest}".strip()


def _infinitive(verb: str) -> str:
    if verb.endswith(("ches", "shes", "sses", "xes")):
        return verb[:-2]
    if verb == "does":
        return "do"
    return verb[:-1] if verb.endswith("s") and not verb.endswith("ss") else verb
