"""Whether the values of a tool call were said by somebody, or made up by the model.

The hosted service only runs a call whose values come from a user turn or an earlier tool result
(protocol section 3.3). A refusal that is wrong makes an agent deaf, one that is missing makes it
careless: in doubt a value counts as said. By default only what must not be made up is looked
at: addresses, telephone numbers, identifiers, persons' names, dates, and empty texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from antiphon_server.arguments import spoken
from antiphon_server.arguments.evidence import Evidence, Sources
from antiphon_server.arguments.problems import path_text
from antiphon_server.arguments.spoken_words import table
from antiphon_server.arguments.value_kinds import Facts, Kind, facts_of, kind_of, said_as_date

Extent = Literal["off", "identifiers", "all"]
"""Which values are looked at: none; those that must not be made up; every text and number."""

MOST_PATHS = 5
MOST_VALUES = 200
DEEPEST = 16
_HALF = 0.5
_LEAST_DIGITS = 3
_LONGEST_WORLD_CODE = 3
"""USD, SFO, de: the world's, not the caller's."""
_COMMON_FACTORS = (7, 10, 12, 24, 60, 100, 1000, 3600)
"""Between what people name and what tools take: weeks, cents, dozens, minutes, kilometres."""

_WORDS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+")
_TITLES = frozenset(table("mr mrs ms miss dr doctor prof sir madam de da di la van von der st"))
_SMALL_WORDS = frozenset(
    table("""a about after all also an and any are as at be but by can could customer did do does
    for from get had has have he her his i if in into is it its like me my need new no not of on one
    or our out please said she so some than that the their them there they this to up us user
    wants was we were what when which who will with would you your""")
)

Path = tuple[str | int, ...]


def ungrounded(
    arguments: dict[str, Any],
    schema: dict[str, Any],
    sources: Sources,
    extent: Extent = "identifiers",
) -> tuple[str, ...]:
    """The paths of values that nobody said, at most ``MOST_PATHS``."""
    if extent == "off":
        return ()
    evidence = Evidence(sources)
    found: list[str] = []
    for number, (path, value, facts) in enumerate(_leaves(arguments, facts_of(schema, schema))):
        if number >= MOST_VALUES or len(found) == MOST_PATHS:
            break
        if not _is_grounded(_name(path), value, facts, evidence, extent):
            found.append(path_text(path))
    return tuple(found)


def _leaves(value: Any, facts: Facts, path: Path = ()) -> Iterator[tuple[Path, Any, Facts]]:
    """Every value that holds no others, with what the schema says of it."""
    if len(path) > DEEPEST:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, facts.property(name), (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, facts.item(), (*path, number))
    else:
        yield path, value, facts


def _name(path: Path) -> str:
    return next((part for part in reversed(path) if isinstance(part, str)), "")


def _is_grounded(name: str, value: Any, facts: Facts, evidence: Evidence, extent: Extent) -> bool:
    if value is None or isinstance(value, bool) or facts.names(value):
        return True
    kind = kind_of(name, value, facts)
    if kind is not Kind.EMPTY and not evidence.is_legible:
        return True
    if isinstance(value, str) and kind is not Kind.EMPTY:
        value = value.strip()
    if kind is Kind.PROSE and extent == "all":
        return (
            _said_number(value, evidence)
            if not isinstance(value, str)
            else _said_words(value, evidence)
        )
    return _JUDGES[kind](value, facts, evidence)


# --- one for each kind -------------------------------------------------------------------


def _email(value: str, _: Facts, evidence: Evidence) -> bool:
    local, _at, domain = spoken.folded(value).rpartition("@")
    if not local:
        return evidence.has_text(spoken.compact(value))
    name, host = spoken.compact(local), spoken.compact(domain.split(".")[0])
    return evidence.has_code(host) and (evidence.has_code(name) or evidence.has_nearly(name))


def _phone(value: str, _: Facts, evidence: Evidence) -> bool:
    digits = _digits(value)
    return len(digits) < _LEAST_DIGITS or evidence.has_phone(digits)


def _identifier(value: str | int, facts: Facts, evidence: Evidence) -> bool:
    text = str(value)
    compact, digits = spoken.compact(text), _digits(text)
    if evidence.has_code(compact):
        return True
    if not digits:
        return _code_of_letters(text, facts, evidence)
    if len(digits) < _LEAST_DIGITS:
        return digits == compact
    groups = re.findall(r"\d+", text)
    return evidence.has_digits(digits) or (
        len(groups) > 1 and all(map(evidence.has_digits, groups))
    )


def _code_of_letters(text: str, facts: Facts, evidence: Evidence) -> bool:
    """A code without digits: one of the world's, one the tool names itself, or words said."""
    if len(spoken.compact(text)) <= _LONGEST_WORLD_CODE or text in facts.description:
        return True
    return _said_words(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text), evidence)


def _uuid(value: str, _: Facts, evidence: Evidence) -> bool:
    return evidence.has_text(spoken.compact(value))


def _person(value: str, _: Facts, evidence: Evidence) -> bool:
    return _said_words(value, evidence, _TITLES)


def _date(value: str, facts: Facts, evidence: Evidence) -> bool:
    if evidence.reads(value):
        return True
    said = said_as_date(value)
    if said is None:
        return True
    day, clock = said
    if day is not None and not (
        evidence.reads(day.isoformat())
        or evidence.has_day(day.month, day.day, coming=not facts.of_birth)
    ):
        return False
    return clock is None or day is not None or evidence.has_hour(clock.hour, clock.minute)


def _said_words(text: str, evidence: Evidence, ignored: frozenset[str] = _SMALL_WORDS) -> bool:
    """Whether at least half of the words were said; a text without any of weight was."""
    words = [word for word in _WORDS.findall(spoken.folded(text)) if word not in ignored]
    if not words or evidence.has_code(spoken.compact(text)):
        return True
    said = sum(
        evidence.has_digits(word) if word.isdecimal() else evidence.has_word(word) for word in words
    )
    return said >= _HALF * len(words)


def _said_number(value: float, evidence: Evidence) -> bool:
    """Whether a number was named, or one that stands to it as minutes do to hours."""
    if value in (0, 1):
        return True
    named = evidence.numbers
    if any(
        value in (one, one * factor, one / factor) for one in named for factor in _COMMON_FACTORS
    ):
        return True
    if any(
        value in (one, one + other, one - other, one * other) for one in named for other in named
    ):
        return True
    return evidence.has_digits(_digits(f"{value:g}")) or evidence.reads(f"{value:g}")


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdecimal() and letter.isascii())


_JUDGES = {
    Kind.EMPTY: lambda _value, _facts, _evidence: False,
    Kind.PROSE: lambda _value, _facts, _evidence: True,
    Kind.EMAIL: _email,
    Kind.PHONE: _phone,
    Kind.IDENTIFIER: _identifier,
    Kind.UUID: _uuid,
    Kind.PERSON: _person,
    Kind.DATE: _date,
}
