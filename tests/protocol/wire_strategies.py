"""Hypothesis strategies for every message, read from the message classes themselves."""

from __future__ import annotations

from collections.abc import Callable
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st
from msgspec import UNSET, Struct, UnsetType

from antiphon_protocol.voice_agent import FromClient, FromServer

CLIENT_KINDS: tuple[type[Struct], ...] = get_args(FromClient)
SERVER_KINDS: tuple[type[Struct], ...] = get_args(FromServer)

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)

_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    Any: JSON_VALUES,
    str: TEXT,
    int: st.integers(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    type(None): st.none(),
    UnsetType: st.just(UNSET),
}


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of one type, as the codec would decode them."""
    if hint in _PLAIN:
        return _PLAIN[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is None:
        return instances_of(hint)
    return _GENERIC[origin](arguments)


_GENERIC: dict[Any, Callable[[tuple[Any, ...]], st.SearchStrategy[Any]]] = {
    Annotated: lambda arguments: values_of(arguments[0]),
    Literal: st.sampled_from,
    Union: lambda arguments: st.one_of(*map(values_of, arguments)),
    UnionType: lambda arguments: st.one_of(*map(values_of, arguments)),
    tuple: lambda arguments: st.lists(values_of(arguments[0]), max_size=3).map(tuple),
    dict: lambda arguments: st.dictionaries(TEXT, values_of(arguments[1]), max_size=3),
}


def instances_of(kind: type[Struct]) -> st.SearchStrategy[Any]:
    """Instances of one struct."""
    hints = get_type_hints(kind, include_extras=True)
    fields = {}
    for field in msgspec.structs.fields(kind):
        fields[field.name] = values_of(hints[field.name])
        if field.default is UNSET:
            fields[field.name] |= st.just(UNSET)
    return st.builds(kind, **fields)


CLIENT_MESSAGES = st.one_of(*map(instances_of, CLIENT_KINDS))
SERVER_MESSAGES = st.one_of(*map(instances_of, SERVER_KINDS))
