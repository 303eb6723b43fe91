"""Integers from queries and bodies, and what is wrong with them, in the words of FastAPI.

The hosted token endpoint answers in these shapes (voice agent protocol, section 1.4), and
clients show them to people.
"""

from __future__ import annotations

import re
from typing import Any

from antiphon_protocol.rest import Fault

# What Pydantic reads as an integer: a sign, digits with underscores between, a fraction of 0.
_INTEGER = re.compile(r"\s*([+-]?[0-9]+(?:_[0-9]+)*)(?:\.0*)?\s*", re.ASCII)
_MOST_DIGITS = 4300
_SHOWN_CHARACTERS = 200


def integer(value: Any, loc: tuple[str | int, ...], limits: tuple[int, int]) -> int | Fault:
    """The integer a string or a JSON value stands for, or the fault; limits are inclusive."""
    number = _number(value)
    sent = shown(value)
    lowest, highest = limits
    if isinstance(number, tuple):
        return Fault(number[0], loc, number[1], sent)
    if number < lowest:
        told = f"Input should be greater than or equal to {lowest}"
        return Fault("greater_than_equal", loc, told, sent, {"ge": lowest})
    if number > highest:
        told = f"Input should be less than or equal to {highest}"
        return Fault("less_than_equal", loc, told, sent, {"le": highest})
    return number


def missing(loc: tuple[str | int, ...]) -> Fault:
    """Something that must be there is not."""
    return Fault("missing", loc, "Field required", None)


def _number(value: Any) -> int | tuple[str, str]:
    """The number, or type and text of the fault."""
    if isinstance(value, str):
        return _parsed(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "int_type", "Input should be a valid integer"
    if isinstance(value, float) and not value.is_integer():
        told = "Input should be a valid integer, got a number with a fractional part"
        return "int_from_float", told
    return int(value)


def _parsed(text: str) -> int | tuple[str, str]:
    read = _INTEGER.fullmatch(text)
    if read is None:
        told = "Input should be a valid integer, unable to parse string as an integer"
        return "int_parsing", told
    if len(read[1]) > _MOST_DIGITS:
        told = "Unable to parse input string as an integer, exceeded maximum size"
        return "int_parsing_size", told
    return int(read[1])


def shown(value: Any) -> Any:
    """What was sent, as far as it is worth repeating: no long texts, no nested values."""
    if isinstance(value, str):
        return value[:_SHOWN_CHARACTERS]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return None
    return value if isinstance(value, bool | int | float) else None
