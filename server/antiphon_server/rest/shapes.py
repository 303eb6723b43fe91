"""Whether plain JSON has the shape of a struct, and everything that is wrong, as FastAPI says it.

Decoders stop at the first mistake and name it in prose; clients of the hosted service get a
list of faults with types and places (voice agent protocol, section 6.1), so shapes and declared
limits (``antiphon_protocol.units``) are walked here. Unknown keys are ignored, where a
struct does not forbid them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, TypeVar

import msgspec
from msgspec import Struct, inspect

from antiphon_protocol.rest import Fault
from antiphon_server.rest.fields import missing, shown

_WHOLE_NUMBERS = range(-(2**63), 2**63)
"""What a database can hold."""

Body = TypeVar("Body", bound=Struct)
Place = tuple[str | int, ...]

_LONGEST_NAME = 64
"""Characters of an unknown key that are told."""
MOST_FAULTS = 50
"""A client mends a few at a time; a body of a megabyte may have as many as it has bytes."""


def shaped(value: Any, kind: type[Body], place: Place = ("body",)) -> Body | tuple[Fault, ...]:
    """The struct a JSON value stands for, or what is wrong with it.

    A whole number may be written with a fraction of 0, as JSON Schema has it; nothing else is
    converted.
    """
    reading = _Reading()
    read = reading.read(value, _type_of(kind), place)
    return tuple(reading.faults) if reading.faults else msgspec.convert(read, kind)


@cache
def _type_of(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


class _Reading:
    """One walk; what is read stands for nothing once there is a fault."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def read(self, value: Any, kind: inspect.Type, place: Place) -> Any:
        if len(self.faults) >= MOST_FAULTS:
            return None
        notes: dict[str, Any] = {}
        while isinstance(kind, inspect.Metadata):
            notes |= kind.extra or {}
            # What a decoder would pass through has a shape here all the same.
            kind = _type_of(notes.pop("shape")) if "shape" in notes else kind.type
        if isinstance(kind, inspect.UnionType):
            if value is None and any(isinstance(one, inspect.NoneType) for one in kind.types):
                return None
            # Beside null there is one type only: faults of a union could not be told apart.
            (kind,) = (one for one in kind.types if not isinstance(one, inspect.NoneType))
            return self.read(value, inspect.Metadata(kind, extra=notes), place)
        before = len(self.faults)
        if isinstance(value, list) and len(value) > notes.get("limits", {}).get(
            "maxItems", math.inf
        ):
            # Without reading half a million entries that nobody asked for.
            return self._check(value, notes, place)
        read = self._READERS[type(kind)](self, value, kind, place)
        if len(self.faults) == before:
            self._check(read, notes, place)
        if isinstance(kind, inspect.IntType) and len(self.faults) == before:
            self._check_size(read, place)
        return read

    def _object(self, value: Any, kind: inspect.StructType, place: Place) -> Any:
        if not isinstance(value, dict):
            told = "Input should be a valid dictionary or object to extract fields from"
            return self._fault("model_attributes_type", place, told, value)
        read = {}
        for known in kind.fields:
            inner = (*place, known.encode_name)
            if known.encode_name in value:
                read[known.encode_name] = self.read(value[known.encode_name], known.type, inner)
            elif known.required:
                self.faults.append(missing(inner))
        if kind.cls.__struct_config__.forbid_unknown_fields:
            names = {known.encode_name for known in kind.fields}
            unknown = next((name for name in value if name not in names), None)
            if unknown is not None:
                inner = (*place, unknown[:_LONGEST_NAME])
                self._fault("extra_forbidden", inner, "Extra inputs are not permitted", None)
        return read

    def _list(self, value: Any, kind: inspect.VarTupleType, place: Place) -> Any:
        if not isinstance(value, list):
            return self._fault("list_type", place, "Input should be a valid list", value)
        return [self.read(one, kind.item_type, (*place, at)) for at, one in enumerate(value)]

    def _dictionary(self, value: Any, kind: inspect.DictType, place: Place) -> Any:
        if not isinstance(value, dict):
            return self._fault("dict_type", place, "Input should be a valid dictionary", value)
        return {
            name: self.read(one, kind.value_type, (*place, name)) for name, one in value.items()
        }

    def _text(self, value: Any, _kind: inspect.Type, place: Place) -> Any:
        if not isinstance(value, str):
            return self._fault("string_type", place, "Input should be a valid string", value)
        return value

    def _flag(self, value: Any, _kind: inspect.Type, place: Place) -> Any:
        if not isinstance(value, bool):
            return self._fault("bool_type", place, "Input should be a valid boolean", value)
        return value

    def _whole(self, value: Any, _kind: inspect.Type, place: Place) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, float):
            told = "Input should be a valid integer, got a number with a fractional part"
            return self._fault("int_from_float", place, told, value)
        if isinstance(value, bool) or not isinstance(value, int):
            return self._fault("int_type", place, "Input should be a valid integer", value)
        return value

    def _number(self, value: Any, _kind: inspect.Type, place: Place) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return self._fault("float_type", place, "Input should be a valid number", value)
        return value

    def _literal(self, value: Any, kind: inspect.LiteralType, place: Place) -> Any:
        if value in kind.values:
            return value
        *most, last = (repr(one) for one in kind.values)
        expected = f"{', '.join(most)} or {last}" if most else last
        told = f"Input should be {expected}"
        self.faults.append(
            Fault("literal_error", place, told, shown(value), {"expected": expected})
        )
        return None

    def _anything(self, value: Any, _kind: inspect.Type, _place: Place) -> Any:
        return value

    _READERS: ClassVar[dict[type[inspect.Type], Callable[..., Any]]] = {
        inspect.StructType: _object,
        inspect.VarTupleType: _list,
        inspect.DictType: _dictionary,
        inspect.StrType: _text,
        inspect.BoolType: _flag,
        inspect.IntType: _whole,
        inspect.FloatType: _number,
        inspect.LiteralType: _literal,
        inspect.AnyType: _anything,
    }

    def _check(self, value: Any, notes: dict[str, Any], place: Place) -> None:
        for name, bound in notes.get("limits", {}).items():
            limit = _LIMITS[name]
            size = limit.size(value)
            if not (size >= bound if limit.is_lowest else size <= bound):
                told = limit.told.format(bound, "" if bound == 1 else "s", size)
                self._fault(limit.kind, place, told, value, {limit.word: bound})
                return
        pattern = notes.get("pattern")
        # As JavaScript reads it: Python's `$` would also stand before a last line feed.
        if pattern is not None and not re.search(pattern.removesuffix("$") + r"\Z", value):
            told = f"String should match pattern '{pattern}'"
            self._fault("string_pattern_mismatch", place, told, value, {"pattern": pattern})

    def _check_size(self, value: int, place: Place) -> None:
        if value not in _WHOLE_NUMBERS:
            self._fault("int_parsing_size", place, "Input should be a smaller number", value)

    def _fault(
        self, kind: str, place: Place, told: str, value: Any, context: dict[str, Any] | None = None
    ) -> None:
        # A text may be a secret in the wrong place; only numbers are repeated.
        seen = None if isinstance(value, str) else shown(value)
        self.faults.append(Fault(kind, place, told, seen, context))


class _Limit(Struct, frozen=True):
    """How Pydantic tells that a limit of JSON Schema was passed."""

    kind: str
    word: str
    told: str
    is_lowest: bool
    size: Callable[[Any], float] = len


_LEAST = "Input should be greater than or equal to {0}"
_MOST = "Input should be less than or equal to {0}"
_SHORT = "String should have at least {0} character{1}"
_LONG = "String should have at most {0} character{1}"
_FEW = "List should have at least {0} item{1} after validation, not {2}"
_MANY = "List should have at most {0} item{1} after validation, not {2}"
_LIMITS = {
    "minimum": _Limit("greater_than_equal", "ge", _LEAST, True, lambda number: number),
    "maximum": _Limit("less_than_equal", "le", _MOST, False, lambda number: number),
    "minLength": _Limit("string_too_short", "min_length", _SHORT, True),
    "maxLength": _Limit("string_too_long", "max_length", _LONG, False),
    "minItems": _Limit("too_short", "min_length", _FEW, True),
    "maxItems": _Limit("too_long", "max_length", _MANY, False),
}
