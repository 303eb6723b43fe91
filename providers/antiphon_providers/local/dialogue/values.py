"""An answer, as spoken, to the value a field takes. Nothing is made up: every value is said by
the caller, rewritten at most (``tomorrow`` as a date, ``four five`` as digits).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from msgspec import Struct

from antiphon_providers.local.dialogue.dates import datable, find_date, find_time, only_time
from antiphon_providers.local.dialogue.fields import Field, Kind, expected, kind_of
from antiphon_providers.local.dialogue.schema import narrowed, objection
from antiphon_providers.local.dialogue.spoken_numbers import (
    digits_in,
    is_numeral,
    numbers_in,
    numerals,
)
from antiphon_providers.local.dialogue.words import alike, clean, core, humanised, plain, words

SIMILAR_ENOUGH = 0.55
"""Letter-triple similarity above which a misheard choice is taken."""

_YES = re.compile(
    r"\b(yes|yeah|yep|yup|sure|correct|right|of course|definitely|absolutely|certainly|true|okay|ok"
    r"|exactly|indeed|i do|i am|it is|please do|go ahead|sounds good|with)\b"
)
_NO = re.compile(r"\b(no|nope|nah|not|never|without|false|negative|none|neither)\b")
_CARRIER = re.compile(
    r"^(?:(?:um|uh|well|so|okay|ok|yes|yeah|sure|no|please|hi|hello|actually|sorry)\b[ ,.]*)*"
    r"(?:(?:it's|it is|that's|that is|that would be|it would be|it'll be|this is|i'd like|"
    r"i would like|i want|i need|make it|make that|let's say|i'm|i am|call me|i said|i meant|"
    r"(?:my|the|our|his|her) (?:[\w-]+ ){1,3}?(?:is|are|would be))\b[ ,]*)?"
    r"(?:(?:in|at|on|for|to|from|about|under)\b(?= \w) )?",
    re.IGNORECASE,
)
_POLITE_END = re.compile(r"[ ,]*(?:\bplease|\bthank you|\bthanks)?[ .,!?;:]*$", re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
_LONGEST_PASSAGE = 500


class Reading(Struct, frozen=True):
    """What an answer says: a value, or what was expected instead of it."""

    value: Any = None
    complaint: str | None = None


def read_answer(field: Field, text: str, today: date) -> Reading:
    """The value in an answer to the question for the field."""
    candidates = _READERS[kind_of(field)](field, text, today)
    complaint = None
    for candidate in candidates:
        wrong = objection(candidate, field.whole)
        if wrong is None:
            return Reading(candidate)
        complaint = complaint or wrong
    if complaint in {None, "a different form", "something else"}:
        complaint = expected(field)
    return Reading(complaint=complaint)


def bare(text: str) -> str:
    """The answer without what carries it: ``it's Paris, please`` as ``Paris``."""
    tidy = _POLITE_END.sub("", clean(text)) or clean(text)
    return _POLITE_END.sub("", _CARRIER.sub("", tidy, count=1)) or tidy


def numeric(number: Fraction) -> int | float:
    """The number as JSON has it."""
    return number.numerator if number.denominator == 1 else float(number)


def email_in(text: str) -> str | None:
    """An address, written or read out: ``sam dot lee at example dot com``."""
    if found := _EMAIL.search(clean(text)):
        return found[0].lower()
    told = re.sub(r"\s*\b(?:dot|period|point)\b\s*", ".", plain(text))
    told = re.sub(r"\s*\b(underscore|dash|hyphen|plus)\b\s*", _sign, told)
    at = re.search(r"([\w.+-]+(?: [\w.+-]+){0,12}) at ([\w-]+(?: [\w-]+)?(?:\.[\w-]+)+)", told)
    if not at:
        return None
    before = re.split(r"\b(?:is|it's|to|as|e?mail|address|use|its)\b", at[1])[-1]
    address = f"{numerals_kept(before)}@{at[2].replace(' ', '')}"
    return address if _EMAIL.fullmatch(address) else None


def numerals_kept(text: str) -> str:
    """Spelled letters and digits drawn together."""
    return "".join(numerals(part) if "." not in part else part for part in text.split())


def _sign(match: re.Match[str]) -> str:
    return {"underscore": "_", "plus": "+"}.get(match[1], "-")


def phone_in(text: str) -> str | None:
    """A phone number: 5 to 15 digits, with ``+`` where it was said (E.164 has at most 15)."""
    kept = re.sub(r"[()\-./]", " ", clean(text))
    digits = digits_in(kept)
    plus = "+" if re.search(r"\+ ?\d|\bplus\b", clean(text).lower()) else ""
    return f"{plus}{digits}" if 5 <= len(digits) <= 15 else None  # noqa: PLR2004


def code_in(text: str) -> str | None:
    """Letters and digits read out one by one, drawn together: ``A B 1 2`` as ``AB12``."""
    runs: list[str] = [""]
    tokens = re.sub(r"[-/.]", " ", numerals_with_case(text)).split()
    for token in tokens:
        if token.isdecimal() or len(token) == 1 or re.search(r"\d", token):
            runs[-1] += token.upper() if len(token) == 1 else token
        else:
            runs.append("")
    best = max(runs, key=len)
    return best if any(c.isdecimal() for c in best) else None


def numerals_with_case(text: str) -> str:
    """The text with number words as digits; mixed tokens like ``AB12`` as they were written."""
    written = re.sub(r"[,;:!?()]", " ", clean(text))
    if not re.search(r"[^\W\d_]\d|\d[^\W\d_]", written):
        written = numerals(written)
    return re.sub(r"\boh\b|(?<=\d )o(?= \d)", "0", written, flags=re.IGNORECASE)


def choice_in(choices: list[Any], text: str, guess: bool = True) -> list[Any]:
    """The choices the text names, in the order of the list; with ``guess`` the likeliest one."""
    told = f" {core(text)} "
    counted = f" {numerals(text)} "
    named = [
        one for one in choices if (name := _spoken_choice(one)) and (
            f" {name} " in told or f" {name} " in counted or f" {name}s " in told)
    ]  # fmt: skip
    named = [one for one in named if not _inside_another(one, named)]
    if named or not guess or not choices:
        return named
    best = max(choices, key=lambda one: _likeness(_spoken_choice(one), told))
    if _likeness(_spoken_choice(best), told) >= SIMILAR_ENOUGH:
        return [best]
    place = re.search(r"\bthe (first|second|third|last)\b", told)
    index = {"first": 0, "second": 1, "third": 2, "last": -1}[place[1]] if place else len(choices)
    return [choices[index]] if index < len(choices) else []


def _spoken_choice(choice: Any) -> str:
    return plain(humanised(choice)) if isinstance(choice, str) else str(choice).lower()[:40]


def _inside_another(one: Any, others: list[Any]) -> bool:
    return any(
        one is not other and f" {_spoken_choice(one)} " in f" {_spoken_choice(other)} "
        for other in others
    )


def _likeness(name: str, told: str) -> float:
    return max((alike(name, word) for word in (*told.split(), told)), default=0.0)


def _choice(field: Field, text: str, _today: date) -> list[Any]:
    return choice_in(field.schema["enum"][:200], text)[:1]


def _constant(field: Field, _text: str, _today: date) -> list[Any]:
    return [field.schema["const"]]


def yes_or_no(text: str) -> bool | None:
    """Whether the text agrees; None where it does neither."""
    told = core(text)
    if _NO.search(told) and not told.startswith(("no problem", "not a problem")):
        return False
    return True if _YES.search(told) else None


def _yes_no(field: Field, text: str, _today: date) -> list[Any]:
    switched = switch_in(field, text)
    answer = yes_or_no(text) if switched is None else switched
    return [] if answer is None else [answer]


def switch_in(field: Field, text: str) -> bool | None:
    """``on`` or ``off``, for a field that is a switch."""
    if not {"on", "enabled", "enable", "power", "active", "state"} & set(words(field.label)):
        return None
    told = words(text)
    if {"off", "disable", "deactivate"} & set(told):
        return False
    return True if {"on", "enable", "activate"} & set(told) else None


def _numbers(_field: Field, text: str, _today: date) -> list[Any]:
    told = plain(text)
    if re.search(r"\b(a couple|both of us)\b", told):
        return [2]
    if re.search(r"\b(just|only) me\b|\bmyself\b|\balone\b", told):
        return [1]
    if re.search(r"\b(a|one) dozen\b", told):
        return [12]
    found = numbers_in(text)
    if len(found) > 1 and all(n.denominator == 1 and 0 <= n < 10 for n in found):  # noqa: PLR2004
        found.insert(0, Fraction(int("".join(str(n) for n in found)[:18])))
    return [numeric(number) for number in (found[-1:] if re.match("no|not", told) else found)[:5]]


def _date(_field: Field, text: str, today: date) -> list[Any]:
    found = find_date(datable(text), today)
    return [found.value.isoformat(), bare(text)] if found else []


def _time(_field: Field, text: str, _today: date) -> list[Any]:
    told = datable(bare(text))
    found = find_time(datable(text))
    moment = found.value if found else only_time(told)
    if moment is None:
        return []
    return [f"{moment:%H:%M}", f"{moment:%H:%M:%S}", f"{moment:%I:%M %p}".lstrip("0")]


def _moment(_field: Field, text: str, today: date) -> list[Any]:
    told = datable(text)
    day, moment = find_date(told, today), find_time(told)
    if not day or not moment:
        return []
    return [datetime.combine(day.value, moment.value).isoformat()]


def _optional(value: str | None) -> list[Any]:
    return [value] if value else []


def _code(_field: Field, text: str, _today: date) -> list[Any]:
    compact, told = code_in(bare(text)), bare(text)
    drawn = re.sub(r"[^\w]", "", told)
    return list(dict.fromkeys([*_optional(compact), told, digits_in(text), drawn.upper(), drawn]))


def _name(_field: Field, text: str, _today: date) -> list[Any]:
    told = bare(text)
    return _optional(told.title() if told.islower() else told)


def _text(field: Field, text: str, today: date) -> list[Any]:
    told = bare(text)[:_LONGEST_PASSAGE]
    if all(is_numeral(token) for token in numerals(told).split()):
        told = digits_in(told) or told
    if "pattern" not in field.schema:
        return _optional(told)
    return list(filter(None, [told, told.lower(), *_code(field, text, today)]))


def _passage(_field: Field, text: str, _today: date) -> list[Any]:
    return _optional(clean(text, _LONGEST_PASSAGE))


def _list(field: Field, text: str, today: date) -> list[Any]:
    shape = narrowed(field.schema.get("items"))
    item = Field(field.path, shape, field.schema.get("items"), True)
    if kind_of(item) == "choice":
        return _optional_list(choice_in(shape["enum"][:200], text))
    parts = re.split(r"\s*(?:,|;|\band\b|\bplus\b|\balso\b)\s*", bare(text), flags=re.IGNORECASE)
    readings = [read_answer(item, part, today) for part in parts[:20] if words(part)]
    return _optional_list([one.value for one in readings if one.complaint is None])


def _optional_list(values: list[Any]) -> list[Any]:
    return [values] if values else []


_READERS: dict[Kind, Callable[[Field, str, date], list[Any]]] = {
    "const": _constant, "choice": _choice, "yes_no": _yes_no, "integer": _numbers,
    "number": _numbers, "date": _date, "time": _time, "moment": _moment,
    "email": lambda _field, text, _today: _optional(email_in(text)),
    "phone": lambda _field, text, _today: _optional(phone_in(text)),
    "name": _name, "place": _text, "code": _code, "passage": _passage, "text": _text,
    "list": _list,
}  # fmt: skip
