"""What is wrong with an argument, in words a model can act on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from jsonschema.exceptions import ValidationError
from msgspec import Struct

from antiphon_server.arguments.formats import DESCRIBED, PHONES

LONGEST_SHOWN = 80
MOST_CHOICES = 20
MOST_FORMS = 3

_ARTICLES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
_NO_VALUE = frozenset({"required", "additionalProperties"})
"""Of these the value says nothing."""


class Problem(Struct, frozen=True):
    """One thing that is wrong. ``path`` is as in ``guests[0].name``, empty for the arguments as
    a whole; ``message`` continues it; ``kind`` is the keyword of JSON Schema that says so.
    """

    path: str
    message: str
    kind: str

    @property
    def text(self) -> str:
        """The whole sentence, without its full stop."""
        return f"'{self.path}' {self.message}" if self.path else f"The arguments {self.message}"


def path_text(parts: Iterable[str | int]) -> str:
    """``guests[0].name`` for its parts."""
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")[: 2 * LONGEST_SHOWN]


def problem_of(error: ValidationError) -> Problem:
    """What an error of the library says to a model."""
    kind = str(error.validator or "false")
    message = _meaning(error, kind)
    if kind not in _NO_VALUE and isinstance(error.instance, str | int | float):
        message += f", not {shown(error.instance)}"
    return Problem(path_text(error.absolute_path), message, kind)


def shown(value: Any) -> str:
    """A value as JSON, at most about ``LONGEST_SHOWN`` characters."""
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _meaning(error: ValidationError, kind: str) -> str:
    said = _MEANINGS.get(kind)
    if said is not None:
        return said(error.validator_value)
    if kind in ("anyOf", "oneOf") and error.context:
        forms = dict.fromkeys(_meaning(one, str(one.validator)) for one in error.context)
        if len(forms) <= MOST_FORMS:
            return " or ".join(forms)
    return "must have one of the forms that the tool describes"


def _type(names: Any) -> str:
    wanted = names if isinstance(names, list) else [names]
    return "must be " + " or ".join(_ARTICLES.get(name, str(name)) for name in wanted)


def _enum(choices: list[Any]) -> str:
    listed = [shown(choice) for choice in choices[:MOST_CHOICES]]
    more = ["…"] if len(choices) > MOST_CHOICES else []
    return f"must be one of {', '.join(listed + more)}"


def _format(name: str) -> str:
    return f"must be {DESCRIBED.get('phone' if name in PHONES else name, f'a {name}')}"


_MEANINGS: dict[str, Callable[[Any], str]] = {
    "required": lambda _: "is missing",
    "additionalProperties": lambda _: "is no argument of this tool",
    "type": _type,
    "enum": _enum,
    "const": lambda value: f"must be {shown(value)}",
    "pattern": lambda value: f"must as a whole match the pattern {value[: 2 * LONGEST_SHOWN]}",
    "format": _format,
    "minimum": lambda least: f"must be at least {least}",
    "maximum": lambda most: f"must be at most {most}",
    "exclusiveMinimum": lambda least: f"must be more than {least}",
    "exclusiveMaximum": lambda most: f"must be less than {most}",
    "multipleOf": lambda step: f"must be a multiple of {step}",
    "minLength": lambda least: f"must have at least {least} characters",
    "maxLength": lambda most: f"must have at most {most} characters",
    "minItems": lambda least: f"must have at least {least} items",
    "maxItems": lambda most: f"must have at most {most} items",
    "minProperties": lambda least: f"must have at least {least} fields",
    "maxProperties": lambda most: f"must have at most {most} fields",
    "uniqueItems": lambda _: "must not have an item twice",
    "dependentRequired": lambda _: "lacks a field that goes with another",
}
