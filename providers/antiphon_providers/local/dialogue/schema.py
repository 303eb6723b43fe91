"""JSON Schema, as much of it as can be filled by voice, and nothing assumed about the rest.

``objection`` is the gate every tool call passes: it understands the keywords in ``KNOWN`` and
objects to a schema that asserts anything else, so a call that was made is a call that is valid.
``format`` and a ``pattern`` that cannot be run safely are annotations here, as the standard
allows for ``format`` (JSON Schema 2020-12, validation, section 7).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from antiphon_providers.local.dialogue.patterns import fits
from antiphon_providers.local.dialogue.words import listed, table

DEEPEST = 5
"""Levels of nesting that are followed; deeper is refused."""

UNFILLABLE = frozenset(
    table("""$ref $dynamicRef $recursiveRef allOf not if then else dependentRequired
    dependentSchemas dependencies patternProperties propertyNames contains minContains maxContains
    prefixItems unevaluatedProperties unevaluatedItems minProperties maxProperties contentMediaType
    contentEncoding disallow extends divisibleBy""")
)
"""Keywords that constrain a value in ways this module does not check."""

Schema = Mapping[str, Any]


def as_schema(thing: Any) -> Schema:
    """The schema; what is no object (``true``, a mistake) constrains nothing."""
    return thing if isinstance(thing, dict) else {}


def narrowed(schema: Any, depth: int = 0) -> dict[str, Any]:
    """The schema with the first alternative of ``anyOf`` or ``oneOf`` that is not null, to
    know what to ask for. The whole schema still decides what is valid.
    """
    base = dict(as_schema(schema))
    for keyword in ("anyOf", "oneOf"):
        choices = base.pop(keyword, None)
        if isinstance(choices, list) and depth < DEEPEST:
            real = [c for c in choices if isinstance(c, dict) and c.get("type") != "null"]
            base |= narrowed(real[0], depth + 1) if real else {}
    return base


def type_of(schema: Schema) -> str:
    """The one JSON type to ask for; ``string`` where none is named."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if isinstance(one, str) and one != "null"), None)
    if isinstance(kind, str):
        return kind
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema else "string"


def fillable(schema: Any, depth: int = 0) -> bool:
    """Whether all that the schema asserts is understood here."""
    if schema is False or depth > DEEPEST:
        return False
    shape = as_schema(schema)
    if UNFILLABLE & shape.keys():
        return False
    parts = [shape[key] for key in ("items",) if key in shape]
    for keyword in ("anyOf", "oneOf"):
        parts += shape[keyword] if isinstance(shape.get(keyword), list) else []
    return all(fillable(part, depth + 1) for part in parts)


def objection(value: Any, schema: Any, depth: int = 0) -> str | None:
    """What is expected instead of the value, to say aloud; None where it is valid."""
    shape = as_schema(schema)
    if schema is False or depth > DEEPEST or UNFILLABLE & shape.keys():
        return "something I cannot take by voice"
    return (
        _wrong_type(value, shape)
        or _wrong_choice(value, shape, depth)
        or _wrong_number(value, shape)
        or _wrong_text(value, shape)
        or _wrong_list(value, shape, depth)
        or _wrong_object(value, shape, depth)
    )


_LARGEST = 10**30
"""Limits beyond it are as good as none, and must not be printed."""

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}
_NAMED = {
    "integer": "a whole number", "number": "a number", "boolean": "yes or no",
    "array": "a list", "object": "several things", "null": "nothing",
}  # fmt: skip


def _is(value: object, kind: object) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(kind, ()) if isinstance(kind, str) else ())


def _wrong_type(value: Any, shape: Schema) -> str | None:
    kinds = shape.get("type")
    if kinds is None:
        return None
    options = kinds if isinstance(kinds, list) else [kinds]
    if any(_is(value, kind) for kind in options):
        return None
    return _NAMED.get(type_of(shape), "something else")


def _same(one: object, other: object) -> bool:
    """Equal as JSON: 1 is 1.0 but not true."""
    equal: bool = one == other
    return equal and isinstance(one, bool) == isinstance(other, bool)


def _wrong_choice(value: Any, shape: Schema, depth: int) -> str | None:
    choices = shape.get("enum")
    if isinstance(choices, list) and not any(_same(value, choice) for choice in choices):
        return f"one of {offered(choices)}"
    if "const" in shape and not _same(value, shape["const"]):
        return f"{shape['const']}"[:60]
    for keyword in ("anyOf", "oneOf"):
        options = shape.get(keyword)
        if not isinstance(options, list):
            continue
        complaints = [objection(value, option, depth + 1) for option in options]
        fitting = complaints.count(None)
        if fitting == 0 or (keyword == "oneOf" and fitting > 1):
            return next(filter(None, complaints), "something else")
    return None


def offered(choices: Sequence[Any], most: int = 6) -> str:
    """The choices as they are read out; long lists are cut."""
    names = [str(choice).replace("_", " ")[:40] for choice in choices if choice is not None]
    if len(names) > most:
        return f"{', '.join(names[:most])}, and so on"
    return listed(names, "or")


def _number(shape: Schema, keyword: str) -> float | None:
    limit = shape.get(keyword)
    if isinstance(limit, bool) or not isinstance(limit, (int, float)):
        return None
    if abs(limit) < _LARGEST:
        return limit
    return math.inf if limit > 0 else -math.inf


_LIMITS: tuple[tuple[str, str, Callable[[Any, Any], bool]], ...] = (
    ("minimum", "at least", operator.ge),
    ("maximum", "at most", operator.le),
    ("exclusiveMinimum", "more than", operator.gt),
    ("exclusiveMaximum", "less than", operator.lt),
)


def _wrong_number(value: Any, shape: Schema) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    for keyword, words, fulfils in _LIMITS:
        limit = _number(shape, keyword)
        if limit is not None and not fulfils(value, limit):
            return f"{words} {limit}"
    step = _number(shape, "multipleOf")
    return f"a multiple of {step}" if step and step > 0 and not _divides(step, value) else None


def _divides(step: float, value: float) -> bool:
    if isinstance(step, int) and isinstance(value, int):
        return value % step == 0
    try:
        nearest = round(value / step)
        return math.isclose(value / step, nearest) and bool(nearest) == bool(value)
    except (OverflowError, ValueError):
        return False


def _wrong_text(value: Any, shape: Schema) -> str | None:
    if not isinstance(value, str):
        return None
    least, most = _number(shape, "minLength"), _number(shape, "maxLength")
    if least is not None and len(value) < least:
        return f"at least {least:g} characters"
    if most is not None and len(value) > most:
        return f"at most {most:g} characters"
    pattern = shape.get("pattern")
    if isinstance(pattern, str) and not fits(pattern, value):
        return "a different form"
    return None


def _wrong_list(value: Any, shape: Schema, depth: int) -> str | None:
    if not isinstance(value, list):
        return None
    least, most = _number(shape, "minItems"), _number(shape, "maxItems")
    if least is not None and len(value) < least:
        return f"at least {least:g} of them"
    if most is not None and len(value) > most:
        return f"at most {most:g} of them"
    if shape.get("uniqueItems") is True and any(
        _same(one, other) for i, one in enumerate(value) for other in value[:i]
    ):
        return "different ones"
    if "items" not in shape:
        return None
    return next(filter(None, (objection(item, shape["items"], depth + 1) for item in value)), None)


def _wrong_object(value: Any, shape: Schema, depth: int) -> str | None:
    if not isinstance(value, dict):
        return None
    properties = as_schema(shape.get("properties"))
    required = shape.get("required")
    for name in required if isinstance(required, list) else []:
        if isinstance(name, str) and name not in value:
            return name[:60]
    extra = shape.get("additionalProperties", True)
    for name, part in value.items():
        rule = properties.get(name, extra)
        if wrong := objection(part, rule, depth + 1):
            return wrong
    return None
