"""What a tool needs to know: the leaves of its parameters, and how to ask for each."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from antiphon_providers.interfaces import ToolSpec
from antiphon_providers.local.dialogue.schema import (
    DEEPEST,
    as_schema,
    fillable,
    narrowed,
    offered,
    type_of,
)
from antiphon_providers.local.dialogue.words import clean, humanised, shortened, stem, table, words

MOST_FIELDS = 24
"""Parameters of one tool that are looked at: nobody answers more questions than that."""

Kind = Literal[
    "const", "choice", "yes_no", "integer", "number", "date", "time", "moment", "email",
    "phone", "name", "place", "code", "passage", "text", "list",
]  # fmt: skip

_FORMATS: dict[str, Kind] = {
    "date": "date", "time": "time", "date-time": "moment", "email": "email",
    "idn-email": "email", "phone": "phone", "phone-number": "phone", "tel": "phone",
}  # fmt: skip
_TYPES: dict[str, Kind] = {
    "boolean": "yes_no", "integer": "integer", "number": "number", "array": "list",
}  # fmt: skip
_KIND_WORDS: tuple[tuple[Kind, str], ...] = (
    ("email", "email mail"),
    ("phone", "phone telephone mobile cell fax"),
    ("moment", "datetime timestamp"),
    ("date", "date birthday"),
    ("time", "time"),
    ("code", "id n number amount value digits code zip zipcode postcode postal pin"),
    ("code", "account reference sku isbn iban"),
    ("place", "city town location place country destination origin region state airport"),
    ("passage", "query question message text note notes body content comment reason topic"),
    ("passage", "description search keywords term task subject summary feedback details"),
    ("name", "name surname firstname lastname guest person who"),
)  # fmt: skip
_QUESTIONS: dict[Kind, str] = {
    "email": "What is your e-mail address?",
    "phone": "What is your phone number?",
    "date": "What date would you like?",
    "time": "What time would you like?",
    "name": "What name should I use?",
}
_ENTITY = frozenset(table("product item song movie film company business event file street"))


class Field(Struct, frozen=True):
    """One value to be filled: where it goes, what it may be, and whether the tool insists."""

    path: tuple[str, ...]
    schema: dict[str, Any]
    whole: Any
    required: bool

    @property
    def label(self) -> str:
        """The name as it is spoken, with what it belongs to: ``street of the address``."""
        *belongs, own = [humanised(part) for part in self.path] or [""]
        return " of the ".join([own, *reversed(belongs)])

    @property
    def description(self) -> str:
        """What the schema says about it, on one line."""
        said = self.schema.get("description") or self.schema.get("title") or ""
        return clean(said, 200) if isinstance(said, str) else ""

    @property
    def hints(self) -> frozenset[str]:
        """Stems of the words that speak of it."""
        return frozenset(stem(word) for word in words(f"{self.label} {self.description}"))


class Form(Struct, frozen=True):
    """All fields of a tool; ``objects`` are the paths of objects that must be there even where
    nothing in them must, ``obstacle`` names what is needed and cannot be filled by voice.
    """

    fields: tuple[Field, ...]
    objects: tuple[tuple[str, ...], ...] = ()
    obstacle: str | None = None


class _Gathered(Struct):
    """Leaves and required objects while a schema is walked."""

    fields: list[Field]
    objects: list[tuple[str, ...]]


def form_of(tool: ToolSpec) -> Form:
    """The leaves of the tool's parameters, required ones first at each level."""
    into = _Gathered([], [])
    obstacle = _gather(tool.parameters, (), True, into)
    return Form(tuple(into.fields), tuple(into.objects), obstacle)


def _gather(schema: Any, path: tuple[str, ...], required: bool, into: _Gathered) -> str | None:
    """Adds the leaves below ``path``; answers with what is needed and cannot be filled."""
    name = " ".join(humanised(part) for part in path) or "details"
    shape = narrowed(schema)
    if not fillable(schema) or len(path) > DEEPEST or type_of(shape) == "null":
        return name if required else None
    if not path or type_of(shape) == "object":
        return _gather_object(shape, path, required, into)
    if len(into.fields) >= MOST_FIELDS:
        return name if required else None
    into.fields.append(Field(path, shape, schema, required))
    return None


def _gather_object(
    shape: dict[str, Any], path: tuple[str, ...], required: bool, into: _Gathered
) -> str | None:
    """An optional object is all or nothing; by voice it is nothing."""
    if not required:
        return None
    if path:
        into.objects.append(path)
    properties = as_schema(shape.get("properties"))
    listed = shape.get("required")
    needed = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
    extra = shape.get("additionalProperties", {})
    for one in dict.fromkeys(needed):
        if obstacle := _gather(properties.get(one, extra), (*path, one), True, into):
            return obstacle
    for one, part in properties.items():
        if one not in needed:
            _gather(part, (*path, str(one)), False, into)
    return None


def kind_of(field: Field) -> Kind:
    """How the field's value is listened for."""
    schema = field.schema
    if "const" in schema:
        return "const"
    if isinstance(schema.get("enum"), list):
        return "choice"
    if named := _TYPES.get(type_of(schema)):
        return named
    written_as = schema.get("format")
    if isinstance(written_as, str) and written_as in _FORMATS:
        return _FORMATS[written_as]
    return _kind_by_name(field)


def _kind_by_name(field: Field) -> Kind:
    own = words(humanised(field.path[-1])) if field.path else ()
    if "yyyy-mm-dd" in field.description.lower():
        return "date"
    if "date" in own and "time" in own:
        return "moment"
    if own and own[-1] == "name" and _ENTITY & set(own):
        return "text"
    for kind, marks in _KIND_WORDS:
        if set(own) & set(marks.split()):
            return kind
    return "text"


_EXPECTED: dict[Kind, str] = {
    "yes_no": "yes or no", "integer": "a whole number", "number": "a number",
    "date": "a date, like next Friday or December 3rd", "time": "a time, like 7:30 PM",
    "moment": "a day and a time", "email": "an e-mail address, like sam at example dot com",
    "phone": "a phone number, digit by digit", "list": "one or more of them",
    "name": "a name", "place": "a place",
}  # fmt: skip


def expected(field: Field) -> str:
    """What the field takes, to say when something else was said."""
    kind = kind_of(field)
    if kind == "choice":
        return f"one of {offered(field.schema['enum'])}"
    examples = field.schema.get("examples")
    if kind in {"code", "text"} and isinstance(examples, list) and examples:
        return f"something like {shortened(str(examples[0])[:60], 40)}"
    return _EXPECTED.get(kind, f"the {field.label}")


def question(field: Field) -> str:
    """What to ask for the field: its description where that can be asked, else its name."""
    told, kind = field.description.rstrip(" ."), kind_of(field)
    if told.endswith("?"):
        return told
    if kind in _QUESTIONS and not told:
        return _QUESTIONS[kind]
    lowered = told[:1].lower() + told[1:]
    if kind in _ASKING:
        return _ASKING[kind](field, lowered)
    counted = re.match(r"(?:number of|how many) (.+)", lowered)
    if counted:
        return f"How many {_brief(counted[1])}?"
    return f"What is {_with_article(_brief(lowered) or field.label)}?"


def _choice_question(field: Field, _lowered: str) -> str:
    return f"Which {field.label} would you like: {offered(field.schema['enum'])}?"


def _place_question(field: Field, _lowered: str) -> str:
    return f"Which {field.label}?"


def _list_question(field: Field, _lowered: str) -> str:
    return f"What are the {field.label}? You can name several."


def _yes_no_question(field: Field, lowered: str) -> str:
    for opening in ("whether ", "if ", "true if ", "set to true if "):
        if lowered.startswith(opening):
            return f"Please tell me whether {_brief(lowered[len(opening) :])}, yes or no?"
    return f"Is it {field.label}, yes or no?"


_ASKING: dict[Kind, Callable[[Field, str], str]] = {
    "choice": _choice_question,
    "place": _place_question,
    "list": _list_question,
    "yes_no": _yes_no_question,
}


def _brief(told: str) -> str:
    """The description up to its first aside."""
    for mark in (
        ". ",
        "; ",
        " (",
        ", e.g",
        ", i.e",
        ", for example",
        ", like",
        ", such as",
        " in YYYY",
    ):
        told = told.split(mark, maxsplit=1)[0]
    return shortened(told, 80)


def _with_article(noun: str) -> str:
    taken = {"the", "a", "an", "your", "their", "what", "which", "how", "its", "this", "his", "her"}
    return noun if noun.split(" ", 1)[0] in taken else f"the {noun}"
