"""What values look like: small checks with a name, put together to tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Shape:
    """A named check of a value."""

    name: str
    holds: Callable[[Any], bool]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


text = Shape("a string", lambda value: isinstance(value, str))
integer = Shape("an integer", lambda value: isinstance(value, int) and not isinstance(value, bool))
number = Shape("a number", _is_number)
boolean = Shape("true or false", lambda value: isinstance(value, bool))
an_object = Shape("an object", lambda value: isinstance(value, dict))
a_list = Shape("a list", lambda value: isinstance(value, list))
null = Shape("null", lambda value: value is None)
anything = Shape("anything", lambda _: True)


def nullable(shape: Shape) -> Shape:
    """Null, or what the shape says."""
    return Shape(f"null or {shape.name}", lambda value: value is None or shape.holds(value))


def pattern(expression: str) -> Shape:
    """A string that matches as a whole."""
    known = re.compile(expression)
    return Shape(
        f"a string like {expression}",
        lambda value: isinstance(value, str) and known.fullmatch(value) is not None,
    )


def one_of(*values: Any) -> Shape:
    """One of these values."""
    return Shape(
        " or ".join(map(repr, values)),
        lambda value: any(value == one and type(value) is type(one) for one in values),
    )


def list_of(shape: Shape) -> Shape:
    """A list in which every entry is what the shape says."""
    return Shape(
        f"a list, each entry {shape.name}",
        lambda value: isinstance(value, list) and all(map(shape.holds, value)),
    )


def record(**shapes: Shape) -> Shape:
    """An object that has at least these keys, each with its shape."""
    return Shape(f"an object with {', '.join(shapes)}", lambda value: not misfits(value, shapes))


def misfits(value: Any, shapes: Mapping[str, Shape]) -> list[str]:
    """What is wrong with an object: keys that are missing, values of another shape.

    A key may be a path with dots. Keys that the table does not name are no fault.
    """
    if not isinstance(value, dict):
        return [f"{value!r} is not an object"]
    wrong = []
    for path, shape in shapes.items():
        inner: Any = value
        for key in path.split("."):
            if not isinstance(inner, dict) or key not in inner:
                wrong.append(f"'{path}' is missing")
                break
            inner = inner[key]
        else:
            if not shape.holds(inner):
                wrong.append(f"'{path}' is {inner!r}, not {shape.name}")
    return wrong
