"""Declared limits, checked: the counterpart of ``antiphon_protocol.units``."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from msgspec import Meta, Struct

from antiphon_protocol.errors import InvalidValue

_SAYS = {
    "minimum": "at least",
    "maximum": "at most",
    "maxLength": "at most {} characters long",
    "maxItems": "a list of at most {} entries",
}


def check(value: Struct, path: str = "") -> None:
    """Raises ``InvalidValue`` with the path of the first field that breaks its limits.

    Walks into nested structs and tuples of structs; the path is written as clients write it,
    ``tools[0].timeout_seconds``.
    """
    for name, limits in _limits_of(type(value)).items():
        _check_field(getattr(value, name), limits, f"{path}{name}")


def _check_field(value: Any, limits: dict[str, float], path: str) -> None:
    if isinstance(value, Struct):
        check(value, f"{path}.")
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            if isinstance(item, Struct):
                check(item, f"{path}[{index}].")
    for kind, limit in limits.items():
        if value is not None and not _holds(kind, limit, value):
            raise InvalidValue(f"'{path}' must be {_phrase(kind, limit)}", path)


def _holds(kind: str, limit: float, value: Any) -> bool:
    if kind == "minimum":
        return bool(value >= limit)
    if kind == "maximum":
        return bool(value <= limit)
    return len(value) <= limit


def _phrase(kind: str, limit: float) -> str:
    text = _SAYS[kind]
    return text.format(limit) if "{}" in text else f"{text} {limit}"


@cache
def _limits_of(kind: type[Struct]) -> dict[str, dict[str, float]]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: _limits_in(hints[name]) for name in kind.__struct_fields__}


def _limits_in(hint: Any) -> dict[str, float]:
    if get_origin(hint) is Annotated:
        for note in get_args(hint)[1:]:
            if isinstance(note, Meta) and note.extra:
                return dict(note.extra["limits"])
    return {}
