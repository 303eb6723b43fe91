"""Declared limits, checked: the counterpart of ``antiphon_protocol.units``."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from msgspec import UNSET, Meta, Struct

from antiphon_protocol.errors import InvalidValue

_SAYS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters long",
    "maxLength": "at most {} characters long",
    "minItems": "a list of at least {} entries",
    "maxItems": "a list of at most {} entries",
}


def check(value: Struct, path: str = "") -> None:
    """Raises ``InvalidValue`` with the path of the first field that breaks its limits.

    Walks into nested structs and tuples of structs; the path is written as clients write it,
    ``tools[0].timeout_seconds``. Null and ``UNSET`` stand for "no value" and break no limit.
    """
    for name, limits in _limits_of(type(value)).items():
        _check_field(getattr(value, name), limits, f"{path}{name}")


def _check_field(value: Any, limits: dict[str, float], path: str) -> None:
    if value is None or value is UNSET:
        return
    if isinstance(value, Struct):
        check(value, f"{path}.")
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            if isinstance(item, Struct):
                check(item, f"{path}[{index}].")
    for kind, limit in limits.items():
        if not _holds(kind, limit, value):
            raise InvalidValue(f"'{path}' must be {_SAYS[kind].format(limit)}", path)


def _holds(kind: str, limit: float, value: Any) -> bool:
    size = value if kind in {"minimum", "maximum"} else len(value)
    # Both comparisons are false for NaN, which therefore breaks every limit.
    return bool(size >= limit if kind.startswith("min") else size <= limit)


@cache
def _limits_of(kind: type[Struct]) -> dict[str, dict[str, float]]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: _limits_in(hints[name]) for name in kind.__struct_fields__}


def _limits_in(hint: Any) -> dict[str, float]:
    if get_origin(hint) is Annotated:
        for note in get_args(hint)[1:]:
            if isinstance(note, Meta) and note.extra:
                return dict(note.extra.get("limits", {}))
    return {}
