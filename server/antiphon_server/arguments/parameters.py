"""A tool's parameters, as they may be used for checking: what is broken is left out.

The schema comes from whoever configures the session or the agent. The hosted service checks it
only in part (protocol section 3.3), so one that is wrong here and there must still serve: a
keyword that cannot be used is left out, and named in a complaint. Only references within the
schema are followed; nothing is ever fetched.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import regex  # type: ignore[import-untyped]
from msgspec import Struct

MOST_COMPLAINTS = 20
MOST_PARTS = 5_000
"""Subschemas that are read; 32 KiB of JSON hold about as many."""
DEEPEST = 64
"""Levels of subschemas; generated schemas have a dozen."""
LONGEST_PATTERN = 1_000
MOST_REPEATED = 20_000
"""States that counted repetitions such as ``a{20000}`` may unroll to: 6 ms of compiling."""
MOST_STATES = 100_000
"""For all patterns of a schema together, some 30 ms: the event loop waits for their compiling."""

_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
_ONE = frozenset(
    {
        "additionalItems", "additionalProperties", "contains", "else", "if", "items", "not",
        "propertyNames", "then",
    }
)  # fmt: skip
_SEVERAL = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset(
    {"$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"}
)
_VALUES = frozenset({"const", "default", "enum", "examples"})
_ADDRESSES = frozenset({"$schema", "$id", "id"})
"""Without them every reference starts at the root, and the draft is chosen once."""

_COUNT = regex.compile(r"(\)?)\{(\d{1,9})\}")


class _LeftOut:
    """Marks a keyword that is not used."""


_LEFT_OUT = _LeftOut()


class Parameters(Struct, frozen=True):
    """What is left of a schema, and what was wrong with the rest."""

    schema: dict[str, Any]
    complaints: tuple[str, ...] = ()


def read_parameters(schema: dict[str, Any]) -> Parameters:
    """The usable part of a JSON Schema. Raises nothing, whatever it holds."""
    reading = _Reading(boolean_limits="draft-04" in str(schema.get("$schema", "")))
    usable = reading.schema(schema, "", 0)
    complaints = tuple(reading.complaints[:MOST_COMPLAINTS])
    return Parameters(usable if isinstance(usable, dict) else {}, complaints)


def usable(schema: dict[str, Any]) -> list[str]:
    """Complaints about a schema, each with the path of the keyword that is not used."""
    return list(read_parameters(schema).complaints)


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> regex.Pattern[str] | None:
    """A regular expression as Python writes them; None for one that cannot be used."""
    if len(pattern) > LONGEST_PATTERN or _unrolled(pattern) > MOST_REPEATED:
        return None
    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError, ValueError):
        return None


def _states(pattern: str) -> int:
    """What compiling a pattern costs, in states as ``_unrolled`` counts them."""
    return 400 + 7 * len(pattern) + _unrolled(pattern)


def _unrolled(pattern: str) -> int:
    """How many states counted repetitions may make: those of groups multiply all others."""
    counts = [(bool(group), int(count)) for group, count in _COUNT.findall(pattern)]
    groups = math.prod(max(1, count) for of_group, count in counts if of_group)
    return groups * (1 + sum(count for of_group, count in counts if not of_group))


class _Reading:
    """One schema being read."""

    def __init__(self, *, boolean_limits: bool) -> None:
        self.complaints: list[str] = []
        self._left = MOST_PARTS
        self._states = MOST_STATES
        self._shapes = {**_SHAPES, "pattern": self._is_usable_pattern}
        if boolean_limits:
            self._shapes |= dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum"), _is_bool)

    def schema(self, given: Any, path: str, depth: int) -> dict[str, Any] | bool:
        """The usable part of a subschema; one that is none allows everything."""
        self._left -= 1
        if isinstance(given, bool):
            return given
        if not isinstance(given, dict):
            return self._allow(path, "is no schema")
        if depth > DEEPEST or self._left < 0:
            return self._allow(path, "is too deep or too large to be checked")
        read = {
            keyword: self._keyword(keyword, value, f"{path}.{keyword}" if path else keyword, depth)
            for keyword, value in given.items()
        }
        return {name: value for name, value in read.items() if value is not _LEFT_OUT}

    def _keyword(self, keyword: str, value: Any, path: str, depth: int) -> Any:
        if keyword in _ADDRESSES:
            return _LEFT_OUT
        shape = self._shapes.get(keyword)
        if shape is not None and not shape(value):
            self._complain(path, _expected(keyword))
            return _LEFT_OUT
        if keyword in _NAMED:
            return self._named(keyword, value, path, depth)
        if keyword in _ONE or keyword in _SEVERAL:
            return self._inner(value, path, depth)
        plain = keyword in self._shapes or keyword in _VALUES
        return value if plain else self._unknown(value, path, depth)

    def _inner(self, value: Any, path: str, depth: int) -> Any:
        if isinstance(value, list):
            return [self.schema(one, f"{path}[{n}]", depth + 1) for n, one in enumerate(value)]
        return self.schema(value, path, depth + 1)

    def _named(self, keyword: str, value: dict[str, Any], path: str, depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, one in value.items():
            here = f"{path}.{name}"
            if keyword == "patternProperties" and not self._is_usable_pattern(name):
                self._complain(here, "is not named by a usable regular expression")
            elif keyword == "dependencies" and _is_names(one):
                kept[name] = one
            elif one is False:
                # The same; but what is wrong is then told with its path.
                kept[name] = {"not": {}}
            else:
                kept[name] = self.schema(one, here, depth + 1)
        return kept

    def _unknown(self, value: Any, path: str, depth: int) -> Any:
        """What no draft knows may still hold what a reference points to."""
        if not isinstance(value, dict):
            return value
        told = len(self.complaints)
        read = self.schema(value, path, depth + 1)
        del self.complaints[told:]
        return read

    def _is_usable_pattern(self, value: Any) -> bool:
        if not isinstance(value, str) or self._states < (states := _states(value)):
            return False
        self._states -= states
        return compiled(value) is not None

    def _allow(self, path: str, why: str) -> bool:
        self._complain(path, why)
        return True

    def _complain(self, path: str, why: str) -> None:
        if len(self.complaints) < MOST_COMPLAINTS:
            self.complaints.append(f"'{path[:200]}' {why}: it is not checked")


def _is_bool(value: Any) -> bool:
    return isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_positive(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_size(value: Any) -> bool:
    return _is_number(value) and value >= 0 and (isinstance(value, int) or value.is_integer())


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_names_by_name(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_names, value.values()))


def _is_type(value: Any) -> bool:
    names = value if isinstance(value, list) else [value]
    return bool(names) and all(isinstance(name, str) and name in _TYPES for name in names)


def _is_reference(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("#")


_SHAPES: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(_ONE, lambda value: isinstance(value, dict | bool)),
    "items": lambda value: isinstance(value, dict | bool | list),
    **dict.fromkeys(_SEVERAL, lambda value: isinstance(value, list) and bool(value)),
    **dict.fromkeys(_NAMED, lambda value: isinstance(value, dict)),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(
        ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
         "minContains", "maxContains"),
        _is_size,
    ),
    **dict.fromkeys(("$ref", "$dynamicRef", "$recursiveRef"), _is_reference),
    **dict.fromkeys(("format", "$anchor", "$dynamicAnchor"), lambda value: isinstance(value, str)),
    # What these mean depends on the whole schema around them; few schemas of tools have them.
    **dict.fromkeys(("unevaluatedItems", "unevaluatedProperties"), lambda _value: False),
    "dependentRequired": _is_names_by_name,
    "enum": lambda value: isinstance(value, list),
    "multipleOf": _is_positive,
    "required": _is_names,
    "type": _is_type,
    "uniqueItems": _is_bool,
}  # fmt: skip


def _expected(keyword: str) -> str:
    """What a keyword should have been."""
    said = {
        "pattern": "is no usable regular expression",
        "type": "is no type of JSON",
        "required": "is no list of names",
        "enum": "is no list",
        "multipleOf": "is no positive number",
        "uniqueItems": "is neither true nor false",
        "dependentRequired": "is no object of lists of names",
        "unevaluatedItems": "is beyond what is checked",
        "unevaluatedProperties": "is beyond what is checked",
    }
    groups = (
        (_ONE, "is no schema"),
        (_SEVERAL, "is no list of schemas"),
        (_NAMED, "must be an object"),
        ({"$ref", "$dynamicRef", "$recursiveRef"}, "points outside of the schema"),
        ({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}, "is no number"),
        ({"format", "$anchor", "$dynamicAnchor"}, "is no text"),
    )
    grouped = (text for keywords, text in groups if keyword in keywords)
    return said.get(keyword) or next(grouped, "is no count")
