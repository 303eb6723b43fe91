"""What kind of value an argument is, by its schema, its name and its looks."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from enum import Enum, auto
from typing import Any

from msgspec import Struct

from antiphon_server.arguments.formats import PHONES
from antiphon_server.arguments.spoken_words import table

DEEPEST = 8
LONGEST_IDENTIFIER = 40
_LEAST_DIGITS = 4
_LONGEST_PREFIX = 8
_LONGEST_INSIDE = 5
"""Letters in a row of an identifier, before all else and later on."""
_MOST_WORDS = 3
_LEAST_OF_NAMED = 3
"""Digits of an integer that can be an identifier: pages and floors are small numbers."""


class Kind(Enum):
    """Each is judged in its own way; prose is free text, and numbers that are amounts."""

    EMPTY = auto()
    EMAIL = auto()
    PHONE = auto()
    UUID = auto()
    DATE = auto()
    IDENTIFIER = auto()
    PERSON = auto()
    PROSE = auto()


class Facts(Struct, frozen=True):
    """What a schema says about one value. ``parts`` are the subschemas that may apply to it."""

    root: dict[str, Any]
    parts: tuple[dict[str, Any], ...] = ()
    of_birth: bool = False

    def names(self, value: Any) -> bool:
        """Whether the schema itself names the value: a choice, a default, an example."""
        for part in self.parts:
            listed = [*_list(part.get("enum")), *_list(part.get("examples"))]
            listed += [part[keyword] for keyword in ("const", "default") if keyword in part]
            if any(
                one == value and isinstance(one, bool) == isinstance(value, bool) for one in listed
            ):
                return True
        return False

    def texts(self, keyword: str) -> list[str]:
        """What a keyword says, wherever it says a text."""
        return [part[keyword] for part in self.parts if isinstance(part.get(keyword), str)]

    @property
    def description(self) -> str:
        """What the value is, in the words of the tool."""
        return " ".join(self.texts("description"))

    def property(self, name: str) -> Facts:
        """About a property of the value."""
        inner = [
            part["properties"].get(name)
            for part in self.parts
            if isinstance(part.get("properties"), dict)
        ]
        birth = bool(re.search(r"birth|dob", name, re.IGNORECASE))
        return Facts(self.root, _applicable(inner, self.root), birth)

    def item(self) -> Facts:
        """About an item of the value."""
        inner = [part.get("items") for part in self.parts]
        return Facts(self.root, _applicable(inner, self.root), self.of_birth)


def facts_of(schema: Any, root: dict[str, Any]) -> Facts:
    """What a schema says about the value it is for."""
    return Facts(root, _applicable([schema], root))


def _applicable(schemas: list[Any], root: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """The schemas, with those they refer to and consist of."""
    found: list[dict[str, Any]] = []
    level = schemas
    for _ in range(DEEPEST):
        here = [one for one in level if isinstance(one, dict) and one not in found]
        found += here
        level = [inner for one in here for inner in _within(one, root)]
    return tuple(found[:100])


def _within(schema: dict[str, Any], root: dict[str, Any]) -> list[Any]:
    inner = [one for name in ("anyOf", "oneOf", "allOf") for one in _list(schema.get(name))]
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        target: Any = root
        for part in reference[2:].split("/"):
            target = target.get(part) if isinstance(target, dict) else None
        inner.append(target)
    return inner[:100]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


# --- the kind ----------------------------------------------------------------------------

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.\w+")
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_CODE = re.compile(r"(?=.*\d)(?=.*[A-Z])[A-Z0-9]{5,12}")
_AMOUNT = re.compile(r"[^\w\s]?\s?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[^\w\s]?\s?\d+\.\d{1,2}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_RUNS = re.compile(r"[^\W\d_]+|\d+|[^\s\-_./#:,]")
_NAME_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_IDENTIFYING = frozenset(
    table("""bic cell code codes confirmation fax guid iban id ids imei isbn mobile mrn no nr num
    number numbers passport phone pin plate postcode ref reference serial sku ssn tel telephone
    tracking username uuid vin zip zipcode""")
)
_BLANKS = frozenset(
    {"", "-", "?", "n/a", "na", "nil", "none", "not available", "not given", "not provided",
     "not specified", "null", "tbd", "todo", "undefined", "unknown", "unspecified", "xxx"}
)  # fmt: skip
"""What a model writes where it knows nothing; of free text it may be the answer."""
_PHONE_NAMES = frozenset(table("cell fax mobile phone tel telephone"))
_PERSONS = frozenset(
    table("""account attendee caller cardholder client contact customer employee family first full
    given guest holder last member middle my owner passenger patient person recipient surname
    traveler traveller user your""")
)


def kind_of(name: str, value: Any, facts: Facts) -> Kind:
    """The kind of a value that is neither null, nor true or false, nor named by its schema."""
    words = [part.lower() for part in _NAME_PARTS.findall(name)]
    if isinstance(value, str):
        return _kind_of_text(words, value.strip(), facts)
    named = bool(words) and words[-1] in _IDENTIFYING
    digits = len(str(abs(value))) if isinstance(value, int) else 0
    return Kind.IDENTIFIER if named and digits >= _LEAST_OF_NAMED else Kind.PROSE


def _kind_of_text(words: list[str], text: str, facts: Facts) -> Kind:
    kind = _kind_by_looks(words, text, facts)
    blank = kind is not Kind.PROSE and text.casefold().strip(".<>[]()") in _BLANKS
    return Kind.EMPTY if blank else kind


def _kind_by_looks(words: list[str], text: str, facts: Facts) -> Kind:
    plain = _kind_of_form(text, set(facts.texts("format")))
    if plain is not None:
        return plain
    last = words[-1] if words else ""
    if last in _PHONE_NAMES | {"number"} and _PHONE_NAMES & set(words):
        return Kind.PHONE
    if _is_identifier(text) or (
        len(text.split()) <= _MOST_WORDS and (facts.texts("pattern") or last in _IDENTIFYING)
    ):
        return Kind.IDENTIFIER
    return Kind.PERSON if _is_person(words, text) else Kind.PROSE


def _kind_of_form(text: str, formats: set[str]) -> Kind | None:
    """The kind of a text whose form or format says it all."""
    if not text:
        return Kind.EMPTY
    if _EMAIL.fullmatch(text) or formats & {"email", "idn-email"}:
        return Kind.EMAIL
    if _UUID.fullmatch(text) or "uuid" in formats:
        return Kind.UUID
    if said_as_date(text) is not None:
        return Kind.DATE
    return Kind.PHONE if formats & set(PHONES) else None


def _is_identifier(text: str) -> bool:
    """Whether a text looks like one: some letters, more digits, and no sentence."""
    if len(text) > LONGEST_IDENTIFIER or _AMOUNT.fullmatch(text):
        return False
    if _CODE.fullmatch(text):
        return True
    runs = _RUNS.findall(text)
    letters = [run for run in runs if run.isalpha()]
    groups = [run for run in runs if run.isdecimal()]
    if sum(map(len, groups)) < _LEAST_DIGITS or len(runs) > len(letters) + len(groups):
        return False
    words = [run for run in letters if len(run) > 1]
    if len(words) > len(groups) + 1 or any(len(run) > _LONGEST_INSIDE for run in letters[1:]):
        return False
    if letters and len(letters[0]) > _LONGEST_PREFIX:
        return False
    return not (letters and len(groups) == 1 and _YEAR.fullmatch(groups[0]))


def _is_person(words: list[str], text: str) -> bool:
    """Whether a value is somebody's name. Anything may have a ``name``: without a word that
    says whose, it must look like a person's.
    """
    if words == ["name"]:
        return len(text.split()) <= _MOST_WORDS and all(word[0].isupper() for word in text.split())
    if len(words) == 1:
        return words[0] in ("surname", "firstname", "lastname", "fullname")
    return bool(words) and words[-1] == "name" and words[-2] in _PERSONS


_CLOCK = re.compile(
    r"(\d{1,2}):(\d{2})(?::\d{2})?(?:\.\d+)?\s*(?:[ap]\.?m\.?|z|[+-]\d\d:?\d\d)?", re.IGNORECASE
)
_DAY_FIRST = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})")


def said_as_date(text: str) -> tuple[date | None, time | None] | None:
    """The day and the time that a text is; None for a text that is neither."""
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        hour, minute = int(clock[1]), int(clock[2])
        return (None, time(hour, minute)) if hour < 24 and minute < 60 else None  # noqa: PLR2004
    figures = _DAY_FIRST.fullmatch(text)
    if figures is not None:
        return _of_figures(int(figures[1]), int(figures[2]), int(figures[3]))
    if not re.match(r"\d{4}-\d{2}-\d{2}(?:$|[T ])", text):
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "T", 1))
    except ValueError:
        return None
    return (moment.date(), moment.time() if len(text) > len("2026-03-01") else None)


def _of_figures(one: int, two: int, year: int) -> tuple[date | None, time | None] | None:
    """``03/04/26``: month and day in either order, the first that exists."""
    for month, day in ((one, two), (two, one)):
        try:
            return date(year + 2000 if year < 100 else year, month, day), None  # noqa: PLR2004
        except ValueError:
            continue
    return None
