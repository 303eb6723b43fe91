"""Values for a tool's fields that the caller gave along with something else.

``book a table for four tomorrow at seven, the name is Sam`` fills four fields at once. Only what
was clearly meant for a field is taken; for the rest the caller is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from msgspec import Struct

from antiphon_providers.local.dialogue.dates import datable, find_date, find_time
from antiphon_providers.local.dialogue.fields import Field, Kind, kind_of
from antiphon_providers.local.dialogue.memory import Memory, as_said, name_in
from antiphon_providers.local.dialogue.schema import narrowed, objection
from antiphon_providers.local.dialogue.spoken_numbers import is_numeral
from antiphon_providers.local.dialogue.values import (
    choice_in,
    code_in,
    email_in,
    numeric,
    phone_in,
    switch_in,
)
from antiphon_providers.local.dialogue.words import clean, core, plain, stem, words

Values = dict[tuple[str, ...], Any]
"""Found values by the path of their field."""

_CAPITALISED = r"((?:the )?[A-Z][\w'.-]*(?: (?:of |the |de |la )?[A-Z][\w'.-]*){0,3})"
_PLACE_CUES = (
    ({"origin", "from", "departure", "start"}, "from|leaving"),
    ({"destination", "to", "arrival", "end"}, "to"),
    (set[str](), "in|at|near|for|around|to|of"),
)
_PASSAGE_CUE = re.compile(
    r"\b(?:search(?:ing)?(?: \w+){0,2}? for|look(?:ing)? up|look for|find out(?: about)?"
    r"|find me|find"
    r"|about|regarding|saying|that says|say|note that|remind me to|remember to|asking|for|that)\b"
    r"[:,]? (.+)$",
    re.IGNORECASE,
)
_NAME_CUE = re.compile(
    r"\b(?:under(?: the)?(?: name)?(?: of)?|named|in the name of|name of|with|for) "
    r"([A-Z][\w'-]+(?: [A-Z][\w'-]+)?)"
)
_CALENDAR = re.compile(
    r"(?i)\b(mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|may|june|july"
    r"|august|september|october|november|december|today|tomorrow|tonight|christmas|noon|midnight"
)
_NEAR = 3


class Listening(Struct):
    """An utterance while its parts are being claimed: ``left`` shrinks with every claim."""

    text: str
    left: str
    today: date
    memory: Memory
    alone: frozenset[Kind]
    """Kinds that only one unfilled field has: no cue is needed to tell whose value it is."""


def found(fields: Sequence[Field], text: str, today: date, memory: Memory) -> Values:
    """Valid values for the fields, from the utterance and from what was told before."""
    kinds = [kind_of(field) for field in fields]
    heard = Listening(
        text=clean(text),
        left=datable(text),
        today=today,
        memory=memory,
        alone=frozenset(kind for kind in kinds if kinds.count(kind) == 1),
    )
    values: Values = {}
    in_order = sorted(zip(fields, kinds, strict=True), key=lambda one: _ORDER.index(one[1]))
    for field, kind in in_order:
        if kind == "const" and not field.required:
            continue
        for candidate in _FINDERS[kind](field, heard):
            if objection(candidate, field.whole) is None:
                values[field.path] = candidate
                break
    return values


def _claim(heard: Listening, told: str) -> None:
    heard.left = heard.left.replace(told, " , ", 1)


def _date(_field: Field, heard: Listening) -> list[Any]:
    day = find_date(heard.left, heard.today)
    if day is None:
        return []
    _claim(heard, day.words)
    return [day.value.isoformat(), as_said(day.words, heard.text)]


def _time(_field: Field, heard: Listening) -> list[Any]:
    moment = find_time(heard.left)
    if moment is None:
        return []
    _claim(heard, moment.words)
    return [f"{moment.value:%H:%M}", f"{moment.value:%H:%M:%S}"]


def _moment(_field: Field, heard: Listening) -> list[Any]:
    day, moment = find_date(heard.left, heard.today), find_time(heard.left)
    if not day or not moment:
        return []
    _claim(heard, day.words)
    _claim(heard, moment.words)
    return [datetime.combine(day.value, moment.value).isoformat()]


def _email(_field: Field, heard: Listening) -> list[Any]:
    told = [heard.text, *(v for what, v in heard.memory.facts.items() if "mail" in what)]
    return [address for text in told if (address := email_in(text))][:1]


def _phone(_field: Field, heard: Listening) -> list[Any]:
    told = [v for what, v in heard.memory.facts.items() if "phone" in what or "number" in what]
    if re.search(r"\b(phone|number|call me|reach|mobile|cell)\b", plain(heard.text)):
        told.insert(0, heard.text)
    return [number for text in told if (number := phone_in(text))][:1]


def _choice(field: Field, heard: Listening) -> list[Any]:
    named = choice_in(field.schema["enum"][:200], heard.text, guess=False)
    for one in named[:1]:
        _claim(heard, plain(str(one)))
    return named[:1]


def _list(field: Field, heard: Listening) -> list[Any]:
    choices = narrowed(field.schema.get("items")).get("enum")
    named = choice_in(choices[:200], heard.text, False) if isinstance(choices, list) else []
    return [named] if named else []


def _yes_no(field: Field, heard: Listening) -> list[Any]:
    said = [stem(word) for word in words(heard.text)]
    switched = switch_in(field, heard.text)
    if switched is not None:
        return [switched]
    own = [stem(word) for word in words(field.label) if word not in {"is", "has", "with", "needs"}]
    for at, word in enumerate(said):
        if own and word in own and set(own) <= set(said):
            before = words(heard.text)[max(0, at - _NEAR) : at]
            return [not {"no", "not", "without", "never"} & set(before)]
    return []


def _integer(field: Field, heard: Listening) -> list[Any]:
    tokens = heard.left.split()
    spots = [at for at, token in enumerate(tokens) if is_numeral(token)]
    near = [at for at in spots if field.hints & {stem(t) for t in _around(tokens, at)}]
    if not near and heard.alone & {"integer", "number"} and len(spots) == 1:
        near = [at for at in spots if tokens[at] != "1" or "1" in heard.text]
    if not near:
        return []
    number = Fraction(tokens[near[0]])
    if near[0] and tokens[near[0] - 1] in {"minus", "negative"}:
        number = -number
    _claim(heard, tokens[near[0]])
    return [numeric(number)]


def _around(tokens: Sequence[str], at: int) -> Sequence[str]:
    return [*tokens[max(0, at - _NEAR) : at], *tokens[at + 1 : at + 2]]


def _code(field: Field, heard: Listening) -> list[Any]:
    own = "|".join(re.escape(word) for word in words(field.label) if len(word) > 1) or "(?!)"
    named = re.search(rf"(?i)\b(?:{own}|number|code)\b(?: is| was)? (.+)$", heard.text)
    codes = [code_in(named[1]) if named else None]
    if not named and "code" in heard.alone and re.search(r"\d", heard.left):
        codes.append(code_in(heard.left))
    for what, value in reversed(heard.memory.facts.items()):
        if {stem(word) for word in words(what)} & {stem(word) for word in words(field.label)}:
            codes += [code_in(value), value]
    spaced = [" ".join(code) for code in codes if code]
    return [code for code in codes if code] + spaced


def _name(field: Field, heard: Listening) -> list[Any]:
    cued = _NAME_CUE.search(heard.text)
    told = name_in(heard.text) or (cued[1] if cued and not _CALENDAR.search(cued[1]) else None)
    return [name for name in (told, _of_memory(field, heard.memory)) if name]


def _of_memory(field: Field, memory: Memory) -> str | None:
    """What the caller told earlier under the field's own name."""
    own = {stem(word) for word in words(field.label)}
    for what, value in reversed(memory.facts.items()):
        if own and {stem(word) for word in words(what)} == own:
            return value
    return memory.name if own & {"name", "guest", "person"} and not own & {"last", "sur"} else None


def _place(field: Field, heard: Listening) -> list[Any]:
    own = set(words(field.label))
    cues = next(cue for marks, cue in _PLACE_CUES if not marks or marks & own)
    capital = [found for found in re.findall(rf"\b(?:{cues}) {_CAPITALISED}", heard.text)
               if not _CALENDAR.match(found)]  # fmt: skip
    if capital:
        return [capital[-1].removeprefix("the ").rstrip(".'")]
    quiet = re.search(rf"\b(?:{cues}) ([a-z]+(?: [a-z]+)?)\s*(?:,|$)", _undated(heard))
    if quiet and not re.match(r"(the|a|an|my|me|you|it|that|this|now|us)\b", quiet[1]):
        return [as_said(quiet[1], heard.text)]
    return [value for value in (_of_memory(field, heard.memory),) if value]


def _undated(heard: Listening) -> str:
    """What is left without the words of a date or a time, whether or not a field takes them."""
    left = heard.left
    for one in (find_date(left, heard.today), find_time(left)):
        left = left.replace(one.words, " , ", 1) if one else left
    return left


def _passage(_field: Field, heard: Listening) -> list[Any]:
    cued = _PASSAGE_CUE.search(heard.text)
    return [cued[1].strip(" .?!")] if cued and core(cued[1]) else []


def _text(field: Field, heard: Listening) -> list[Any]:
    own = r"\s".join(re.escape(word) for word in field.label.split()) or "(?!)"
    cued = re.search(rf"(?i)\b{own}\b(?: is| of| to| called| named) ([^,.;]+)", heard.text)
    told = cued[1].split(" and ")[0].strip() if cued else None
    return [value for value in (told, _of_memory(field, heard.memory)) if value]


_FINDERS: dict[Kind, Callable[[Field, Listening], list[Any]]] = {
    "const": lambda field, _heard: [field.schema["const"]],
    "moment": _moment, "date": _date, "time": _time, "email": _email, "phone": _phone,
    "choice": _choice, "list": _list, "yes_no": _yes_no, "integer": _integer,
    "number": _integer, "code": _code, "name": _name, "place": _place, "passage": _passage,
    "text": _text,
}  # fmt: skip
_ORDER = tuple(_FINDERS)
